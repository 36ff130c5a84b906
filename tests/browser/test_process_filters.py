"""The filter of a process map in the page: conditions are added, kept in the address, and taken away."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.test_direct import PHONE
from tests.browser.test_process_map import aside, edges, expect_no_fault, nodes, publish, write_log
from tests.cli.command import tidings
from tests.serving import ServerProcess

NAME = "filtered-orders"


@pytest.fixture(scope="module", autouse=True)
def imported(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> None:
    log = write_log(tmp_path_factory.mktemp("orders") / "orders.csv")
    done = tidings("process", "import", str(log), "--topic", f"process.{NAME}", to=server.url)
    assert done.returncode == 0, done.stderr


def add(page: Page, kind: str, **fields: str) -> None:
    """Add a condition by the dialog, with the keyboard where a form has it."""
    page.locator(".process-header").get_by_role("button", name="Filter").press("Enter")
    dialog = page.get_by_role("dialog", name="Filter")
    expect(dialog.get_by_label("Only cases")).to_be_focused()
    dialog.get_by_label("Only cases").select_option(kind)
    for name, value in fields.items():
        field = dialog.locator(f'[name="{name}"]')
        if kind in ("with an activity", "without an activity"):
            field.select_option(value)
        else:
            field.fill(value)
    dialog.get_by_role("button", name="Filter").press("Enter")
    expect(dialog).to_have_count(0)


def expect_selected(page: Page, cases: int, *conditions: str) -> None:
    expect(page.locator(".filter-bar .selected")).to_have_text(f"{cases} of 20 cases")
    expect(page.locator(".filter-bar .chip")).to_have_text(list(conditions))


def test_conditions_narrow_the_map_and_stay_in_the_address(open_tab: OpenTab) -> None:
    page = open_tab(f"/p/{NAME}").page
    expect(nodes(page)).to_have_count(6)
    add(page, "with an activity", activity="Packed")
    expect_selected(page, 16, "With Packed")
    expect(page.locator(".process-header")).to_contain_text("16 of 20 cases, 70 events")
    expect(page).to_have_url(re.compile(rf"/p/{NAME}\?with=Packed$"))
    expect(nodes(page)).to_have_count(5)
    add(page, "without an activity", activity="Back-ordered")
    expect_selected(page, 12, "With Packed", "Without Back-ordered")
    add(page, "within a period", since="2026-03-03", until="2026-03-12")
    expect_selected(page, 10, "With Packed", "Without Back-ordered", "From 3 Mar 2026", "Until 12 Mar 2026")
    expect_no_fault(page)

    page.reload()
    expect_selected(page, 10, "With Packed", "Without Back-ordered", "From 3 Mar 2026", "Until 12 Mar 2026")
    page.go_back()
    expect_selected(page, 12, "With Packed", "Without Back-ordered")
    page.get_by_role("button", name="Remove: With Packed").press("Enter")
    expect_selected(page, 16, "Without Back-ordered")
    expect(page.get_by_role("button", name="Clear")).to_be_focused()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".filter-bar")).to_have_count(0)
    expect(nodes(page)).to_have_count(6)
    expect(page.locator(".process-header")).to_contain_text("20 cases, 78 events")


def test_details_and_variants_select_their_cases(open_tab: OpenTab) -> None:
    page = open_tab(f"/p/{NAME}").page
    page.locator('.node[data-at="Cancelled"]').click()
    aside(page, "Activity").get_by_role("button", name="Cases without it").click()
    expect_selected(page, 17, "Without Cancelled")
    expect(aside(page, "Activity")).to_have_count(0)
    expect(nodes(page)).to_have_count(5)

    page.get_by_role("button", name="Variants").click()
    page.locator(".variants button").nth(1).click()
    aside(page, "Variants").get_by_role("button", name="Only these cases").click()
    expect_selected(
        page,
        4,
        "Without Cancelled",
        "Variant Order received \N{RIGHTWARDS ARROW} Payment checked"
        " \N{RIGHTWARDS ARROW} Back-ordered \N{RIGHTWARDS ARROW} 2 more",
    )
    expect(edges(page)).to_have_count(4)
    page.locator('.edge[aria-label^="Packed to Shipped,"]').press("Enter")
    expect(aside(page, "Edge").locator("tbody tr")).to_have_count(4)


def test_a_field_may_select_no_case_and_a_live_one_later(open_tab: OpenTab, server: ServerProcess) -> None:
    page = open_tab(f"/p/{NAME}").page
    expect(nodes(page)).to_have_count(6)
    add(page, "with a field", field="case", value="SO-99")
    expect(page.get_by_role("heading", name="No case matches")).to_be_visible()
    expect(page.get_by_text("None of 20 cases meets every condition of the filter.")).to_be_visible()
    expect(page).to_have_url(re.compile(rf"/p/{NAME}\?attribute=case%3DSO-99$"))
    expect_no_fault(page)
    publish(page, server.url, NAME, "SO-99", "Order received", "2026-05-01T00:00:00Z")
    expect(page.locator(".filter-bar .selected")).to_have_text("1 of 21 cases")
    expect(nodes(page)).to_have_count(1)


def test_a_wrong_condition_in_the_address_is_said_and_can_be_taken_away(open_tab: OpenTab) -> None:
    page = open_tab(f"/p/{NAME}?since=soon").page
    expect(page.get_by_role("heading", name="Map not loaded")).to_be_visible()
    expect(page.locator(".nothing")).to_contain_text("since")
    page.get_by_role("button", name="Remove: From soon").click()
    expect(nodes(page)).to_have_count(6)


def test_a_phone_filters_from_the_menu(open_tab: OpenTab) -> None:
    page = open_tab(f"/p/{NAME}?without=Cancelled&with=Packed", **PHONE).page
    expect(page.locator(".filter-bar .selected")).to_contain_text("16 of 2")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Filter").click()
    dialog = page.get_by_role("dialog", name="Filter")
    dialog.get_by_label("Only cases").select_option("of variants")
    dialog.get_by_role("button", name="Filter").click()
    expect(dialog.get_by_role("alert")).to_have_text("Choose at least one variant.")
    dialog.get_by_role("checkbox").nth(0).check()
    dialog.get_by_role("checkbox").nth(2).check()
    dialog.get_by_role("button", name="Filter").click()
    expect(page.locator(".filter-bar .selected")).to_contain_text("12 of 2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect_no_fault(page)
