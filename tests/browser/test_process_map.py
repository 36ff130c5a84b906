"""The live map of a process, on a log that the command imports: drawn, walked, followed, read as tables, saved."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.tab import Tab
from tests.browser.test_direct import PHONE
from tests.browser.test_layout import AXE
from tests.cli.command import tidings
from tests.proxy import Proxy
from tests.serving import ServerProcess

PATHS = {
    "Order received, Payment checked, Packed, Shipped": 10,
    "Order received, Payment checked, Packed, Packed, Shipped": 2,
    "Order received, Payment checked, Back-ordered, Packed, Shipped": 4,
    "Order received, Cancelled": 3,
    "Order received, Shipped": 1,
}
"""The variants of the log, with their cases. Each event comes ten minutes after the one before it in its case."""

EDGES, ACTIVITIES = 8, 6

LIVE = "live-orders"
"""The name of the process to which a test publishes."""

PLACES = """() => Object.fromEntries([...document.querySelectorAll(".node")].map((node) => [
    node.dataset.at, node.style.transform,
]))"""

ORDER = """(along) => [...document.querySelectorAll(".node")]
    .map((node) => ({ name: node.dataset.at, at: new DOMMatrix(getComputedStyle(node).transform)[along] }))
    .sort((a, b) => a.at - b.at).map(({ name }) => name)"""


def write_log(path: Path) -> Path:
    """Write a small event log as CSV."""
    lines = ["case,activity,timestamp"]
    cases = (activities for activities, count in PATHS.items() for _ in range(count))
    for number, activities in enumerate(cases):
        for step, activity in enumerate(activities.split(", ")):
            lines.append(f"SO-{number},{activity},2026-03-{number + 1:02}T0{step // 6}:{step % 6}0:00Z")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def imported(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import the log as a process that no test changes, and as one to which a test publishes.

    Before the browser is there: the command may not block its event loop.
    """
    log = write_log(tmp_path_factory.mktemp("orders") / "orders.csv")
    for name in ("orders", LIVE):
        done = tidings("process", "import", str(log), "--topic", f"process.{name}", to=server.url)
        assert done.returncode == 0, done.stderr


def publish(page: Page, url: str, name: str, case: str, activity: str, time: str) -> None:
    data = json.dumps({"case": case, "activity": activity, "timestamp": time})
    done = page.request.post(f"{url}/topics/process.{name}/events", data=data)
    assert done.ok, done.text()


def nodes(page: Page) -> Locator:
    return page.locator(".process-map .node")


def edges(page: Page) -> Locator:
    return page.locator(".process-map .edge")


def edge(page: Page, start: str, end: str) -> Locator:
    return page.locator(f'.process-map .edge[aria-label^="{start} to {end},"]')


def aside(page: Page, name: str) -> Locator:
    return page.get_by_role("complementary", name=name, exact=True)


def expect_drawn(page: Page) -> None:
    """Wait until all of the log is drawn."""
    expect(nodes(page)).to_have_count(ACTIVITIES)
    expect(edges(page)).to_have_count(EDGES)


def expect_no_fault(page: Page) -> None:
    """Run axe over the page."""
    if AXE.exists():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []


def test_the_map_counts_what_its_threshold_hides_and_keeps_its_places(open_tab: OpenTab) -> None:
    page = open_tab("/p/orders").page
    expect_drawn(page)
    expect(page).to_have_title("orders \N{MIDDLE DOT} Tidings")
    expect(page.locator(".process-header")).to_contain_text("20 cases, 78 events")
    expect(page.locator('.side a[href="/p/orders"]')).to_have_attribute("aria-current", "page")
    expect(page.locator(".hides")).to_have_text("8 of 8 edges")
    assert page.evaluate(ORDER, "m42")[0] == "Order received"
    places = page.evaluate(PLACES)

    threshold = page.get_by_label("Edges with at least")
    for _ in range(3):
        threshold.press("ArrowRight")
    expect(page.locator(".threshold b")).to_have_text("4 cases")
    expect(page.locator(".hides")).to_have_text("5 of 8 edges, 5 of 6 activities")
    expect(edges(page)).to_have_count(5)
    expect(threshold).to_have_attribute("aria-valuetext", "4 cases, 5 of 8 edges")
    threshold.press("Home")
    expect_drawn(page)
    assert page.evaluate(PLACES) == places

    expect(edge(page, "Order received", "Shipped").locator("text")).to_have_text("1")
    page.locator(".map-choice label", has_text="Median time").click()
    expect(edge(page, "Order received", "Shipped").locator("text")).to_have_text("10\N{NO-BREAK SPACE}min")
    page.locator(".map-choice label", has_text="Left right").click()
    page.wait_for_function(f"before => JSON.stringify(({PLACES})()) !== JSON.stringify(before)", arg=places)
    assert page.evaluate(ORDER, "m41")[0] == "Order received"


def test_the_keyboard_leads_from_an_edge_to_its_cases_and_to_the_events_of_one(open_tab: OpenTab) -> None:
    page = open_tab("/p/orders").page
    expect_drawn(page)
    page.locator('.process-map [tabindex="0"]').focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    expect(edge(page, "Order received", "Payment checked")).to_be_focused()
    page.keyboard.press("Enter")
    found = aside(page, "Edge")
    expect(found).to_contain_text("16 of 20 (80\N{NO-BREAK SPACE}%)")
    expect(found.locator("tbody tr")).to_have_count(16)
    expect(edge(page, "Order received", "Payment checked")).to_have_class(re.compile("selected"))
    found.get_by_role("button", name="SO-12", exact=True).click()
    steps = aside(page, "Case").locator(".steps li")
    expect(steps.locator("b")).to_have_text(
        ["Order received", "Payment checked", "Back-ordered", "Packed", "Shipped"],
    )
    expect(steps.nth(1)).to_contain_text(re.compile(r"after 10\smin.*13 Mar 2026.*-\d+"))
    aside(page, "Case").get_by_role("button", name="Back").click()
    expect(aside(page, "Edge")).to_be_visible()

    edge(page, "Order received", "Payment checked").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(aside(page, "Activity")).to_contain_text("16 of 20")
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Activity")).to_have_count(0)

    page.get_by_role("button", name="Variants", exact=True).click()
    variants = aside(page, "Variants").locator(".variants button")
    expect(variants).to_have_count(5)
    expect(variants.first).to_contain_text(re.compile(r"10 cases\s*50\s%"))
    variants.last.click()
    expect(page.locator(".node.dim")).to_have_count(4)


def test_the_map_follows_the_log_without_moving_and_says_when_it_does_not(
    open_tab: OpenTab, server: ServerProcess
) -> None:
    name = LIVE
    with Proxy(server.port) as way:
        page = open_tab(f"/p/{name}", url=way.url).page
        expect_drawn(page)
        chip = page.locator(".process-header .chip")
        expect(chip).to_contain_text("Live")
        places = page.evaluate(PLACES)
        publish(page, server.url, name, "SO-new", "Order received", "2026-04-01T00:00:00Z")
        expect(page.locator(".process-header")).to_contain_text("21 cases, 79 events")
        publish(page, server.url, name, "SO-new", "Packed", "2026-04-01T00:10:00Z")
        expect(edge(page, "Order received", "Packed")).to_have_count(1)
        assert page.evaluate(PLACES) == places

        page.get_by_role("button", name="Pause", exact=True).click()
        publish(page, server.url, name, "SO-new", "Shipped", "2026-04-01T00:20:00Z")
        expect(chip).to_have_text("Paused, 1 event since")
        expect(page.locator(".process-header")).to_contain_text("80 events")
        page.get_by_role("button", name="Resume", exact=True).click()
        expect(page.locator(".process-header")).to_contain_text("81 events")

        way.cut()
        expect(chip).to_have_text("Not live")
        publish(page, server.url, name, "SO-late", "Order received", "2026-04-02T00:00:00Z")
        way.mend()
        Tab(page).reconnect()
        expect(page.locator(".process-header")).to_contain_text("22 cases, 82 events")
        expect(chip).to_contain_text("Live")


def test_the_figures_are_tables_and_files_too(open_tab: OpenTab) -> None:
    page = open_tab("/p/orders").page
    expect_drawn(page)
    expect_no_fault(page)
    saved = {}
    for item in ("Map as SVG", "Edges as CSV", "Activities as CSV", "Variants as CSV"):
        page.get_by_role("button", name="Save", exact=True).click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=item).click()
        saved[download.value.suggested_filename] = Path(download.value.path()).read_bytes().decode()
    assert list(saved) == ["orders.svg", "orders-edges.csv", "orders-activities.csv", "orders-variants.csv"]
    assert "Order received,Shipped,1,1,600,600,600,600,600,true\r\n" in saved["orders-edges.csv"]
    assert saved["orders.svg"].count("<path") == 2 * EDGES
    page.get_by_role("button", name="Table", exact=True).click()
    table = page.get_by_role("table", name="Edges")
    expect(table.locator("tbody tr")).to_have_count(EDGES)
    expect(table.locator("tbody tr").first).to_contain_text("16")
    page.get_by_role("table", name="Activities").get_by_role("button", name="Cancelled").click()
    expect(aside(page, "Activity")).to_contain_text("3 of 20")
    expect_no_fault(page)


def test_a_phone_shows_the_map_in_the_dark_and_its_details_in_a_sheet(open_tab: OpenTab) -> None:
    options: dict[str, Any] = {**PHONE, "color_scheme": "dark"}
    page = open_tab("/p/orders", **options).page
    expect_drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = nodes(page).first.bounding_box()
    assert box is not None
    assert 0 <= box["x"] <= 390
    expect_no_fault(page)
    nodes(page).first.locator(".box").tap()
    expect(aside(page, "Activity")).to_contain_text("20 of 20")
    expect_no_fault(page)
    aside(page, "Activity").get_by_role("button", name="Close the details").click()
    expect(page.get_by_role("complementary", name="Activity")).to_have_count(0)


def test_a_process_appears_with_its_first_event(open_tab: OpenTab, serve_process: Callable[..., ServerProcess]) -> None:
    server = serve_process()
    page = open_tab("/p", url=server.url).page
    expect(page.get_by_role("heading", name="No processes")).to_be_visible()
    expect(page.get_by_role("region", name="Processes")).to_have_count(0)
    page.goto(f"{server.url}/p/first")
    expect(page.get_by_role("heading", name="No case yet")).to_be_visible()
    expect(page.locator(".connection")).to_contain_text("Live")
    publish(page, server.url, "first", "c1", "<b>Begun</b>", "2026-04-01T00:00:00Z")
    expect(nodes(page)).to_have_count(1)
    expect(nodes(page).locator(".name")).to_have_text("<b>Begun</b>")
    expect(page.get_by_role("region", name="Processes").get_by_role("link", name="first")).to_be_visible()
    publish(page, server.url, "first", "c1", "Ended", "2026-04-01T00:00:05Z")
    expect(edge(page, "<b>Begun</b>", "Ended").locator("text")).to_have_text("1")
