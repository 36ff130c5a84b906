"""Dashboards in the browser: history and live in one chart, the states of cards, and editing by several people."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import PATIENCE, OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.people import Meet, Person, meeting
from tests.browser.tab import Tab
from tests.browser.test_layout import AXE, check
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def card(id: str, topic: str, kind: str = "line", **members: Any) -> dict[str, Any]:
    """Return a card of the last `amount` in the events of a topic."""
    series = {"topic": topic, "field": "amount", "agg": "last"}
    return {"id": id, "kind": kind, "title": id.capitalize(), "series": [series]} | members


def saved(person: Person, id: str, *cards: dict[str, Any], expected: str = "new", **members: Any) -> str:
    """Save a dashboard and return its offset."""
    document = {"version": 1, "title": id.capitalize(), "cards": cards} | members
    done = person.request.put(f"{person.url}/dashboards/{id}?expected={expected}", data=document)
    assert done.ok, done.text()
    return str(done.json()["offset"])


def publish(person: Person, topic: str, *amounts: float) -> None:
    """Publish events in one commit."""
    done = person.request.post(
        f"{person.url}/topics/{topic}/events",
        data="\n".join(json.dumps({"data": {"amount": amount}}) for amount in amounts),
        headers={"content-type": "application/x-ndjson"},
    )
    assert done.ok, done.text()


STROKES = """() => {
    const canvas = document.querySelector(".chart canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, n) => n % 4 === 3 && value > 0).length;
}"""
"""The number of pixels that a chart has drawn."""


def until_drawn(tab: Tab, script: str, least: int) -> None:
    """Wait until a script counts so many pixels. The page's policy lets no text be run as a script later on."""
    end = time.monotonic() + PATIENCE / 1000
    while tab.page.evaluate(script) < least:
        assert time.monotonic() < end, "the chart has not drawn it"
        tab.page.wait_for_timeout(100)


class BoardTab(Tab):
    """A tab that shows a dashboard."""

    def card(self, title: str) -> Locator:
        return self.page.get_by_role("region", name=title, exact=True).and_(self.page.locator(".tile"))

    def figure(self, title: str) -> Locator:
        return self.card(title).locator("b").first

    def titles(self) -> Locator:
        return self.page.locator(".tile > header h2")

    def more(self, label: str) -> None:
        """Choose from the dashboard's menu."""
        self.page.locator(".page-header").get_by_role("button", name="More", exact=True).click()
        menu = self.page.get_by_role("menu")
        menu.get_by_role("menuitem", name=label).or_(menu.get_by_role("menuitemradio", name=label)).click()

    def requests(self) -> list[str]:
        """The requests for series and dashboards that the page has made so far."""
        return self.page.evaluate(
            """performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname)
                .filter((path) => /^\\/(series|dashboards)/.test(path))"""
        )


def opened(person: Person, open_tab: OpenTab, path: str) -> BoardTab:
    return BoardTab(open_tab(path, url=person.url, context=person.context).page)


def test_history_and_live_are_one_chart_without_a_request_per_change(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Charts")
    publish(mara, "charts.one", 3, 5, 7)
    count = {"topic": "charts.one", "agg": "count"}
    saved(mara, "one", card("latest", "charts.one"), card("total", "charts.one", "number", series=[count]), range=3600)
    tab = opened(mara, open_tab, "/d/one")
    expect(tab.page).to_have_title("One \N{MIDDLE DOT} Tidings")
    expect(tab.figure("Latest")).to_have_text("7")
    expect(tab.figure("Total")).to_have_text("3")
    expect(tab.card("Latest").locator("canvas")).to_be_visible()
    expect(tab.card("Latest").locator("footer")).to_contain_text(re.compile(r"(last update|No events for) [\d.]+\s\w+"))
    expect(tab.page.locator(".chip.live")).to_have_text("Live")
    # The first live event says that the dashboard is followed.
    publish(mara, "charts.one", 8)
    expect(tab.figure("Latest")).to_have_text("8")
    before = tab.requests()
    for amount in range(20, 30):
        publish(mara, "charts.one", amount)
        expect(tab.figure("Latest")).to_have_text(str(amount))
    expect(tab.figure("Total")).to_have_text("14")
    assert tab.requests() == before
    assert before.count("/series") == 2
    tab.page.reload()
    expect(tab.figure("Total")).to_have_text("14")


def test_a_pause_counts_what_comes_and_shows_it_at_its_end(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Pauses")
    publish(mara, "pauses.one", 3)
    saved(mara, "pauses", card("latest", "pauses.one"), card("again", "pauses.one", "number"))
    tab = opened(mara, open_tab, "/d/pauses")
    publish(mara, "pauses.one", 4)
    expect(tab.figure("Again")).to_have_text("4")
    tab.button("Pause").click()
    publish(mara, "pauses.one", 5, 6)
    expect(tab.page.get_by_text("Paused. 2 events buffered.")).to_be_visible()
    expect(tab.figure("Latest")).to_have_text("4")
    tab.button("Resume").click()
    expect(tab.figure("Latest")).to_have_text("6")
    expect(tab.figure("Again")).to_have_text("6")


def test_a_card_says_that_it_waits_or_why_it_cannot_be_read(meet: Meet, open_tab: OpenTab) -> None:
    mara, jonas = meet("Mara States"), meet("Jonas States")
    jonas.make("states-secret", private=True)
    secret = card("secret", "rooms.states-secret", series=[{"topic": "rooms.states-secret", "agg": "rate"}])
    text = {"id": "note", "kind": "text", "title": "Note", "text": "Look at **this** first."}
    events = card("events", "states.none", "events", series=[{"topic": "states.none", "agg": "rate"}])
    saved(mara, "states", card("empty", "states.none"), secret, text, events)
    tab = opened(mara, open_tab, "/d/states")
    expect(tab.card("Empty")).to_contain_text("No event in states.none yet")
    expect(tab.card("Empty")).to_contain_text(f"curl {mara.url}/topics/states.none/events -d '{{\"amount\":1}}'")
    expect(tab.card("Secret").get_by_role("alert")).to_contain_text("private")
    expect(tab.card("Secret").get_by_role("button", name="Try again")).to_be_visible()
    expect(tab.card("Note").locator("strong")).to_have_text("this")
    publish(mara, "states.none", 9)
    expect(tab.figure("Empty")).to_have_text("9")
    expect(tab.card("Events").locator("tbody tr")).to_have_count(1)
    expect(tab.card("Events").locator("tbody")).to_contain_text('{"amount":9}')


def test_a_silence_is_hatched_and_makes_a_card_stale(meet: Meet, open_tab: OpenTab) -> None:
    """The browser's clock is set forward by half a minute, and the server's stays: no event has come for that long."""
    mara = meet("Mara Waits")
    publish(mara, "silence.one", 3)
    saved(mara, "silence", card("one", "silence.one"))
    tab = opened(mara, open_tab, "/d/silence")
    expect(tab.figure("One")).to_have_text("3")
    publish(mara, "silence.one", 5)  # it comes live, and tells the page the server's time
    expect(tab.figure("One")).to_have_text("5")
    bare = tab.page.evaluate(STROKES)
    tab.page.evaluate("Date.now = ((now) => () => now() + 30_000)(Date.now)")
    expect(tab.card("One").locator(".chip")).to_have_text("Stale")
    expect(tab.card("One").locator("footer")).to_contain_text(re.compile(r"No events for [3-9]\d"))
    until_drawn(tab, STROKES, bare + 200)
    publish(mara, "silence.one", 6)
    expect(tab.figure("One")).to_have_text("6")


def test_a_chart_is_zoomed_compared_switched_and_read_as_a_table(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Looks")
    publish(mara, "looks.one", 3, 5)
    lines = [{"topic": "looks.one", "field": "amount", "agg": agg, "label": agg} for agg in ("min", "max")]
    saved(mara, "looks", card("both", "looks.one", series=lines, thresholds=[4], width=12))
    tab = opened(mara, open_tab, "/d/looks")
    both = tab.card("Both")
    expect(both.locator(".figures b")).to_have_text(["3", "5"])
    expect(both.get_by_role("img")).to_have_attribute("aria-label", re.compile("Both. min: 3, between 3 and 5. max: 5"))
    both.get_by_role("button", name=re.compile("max")).click()
    expect(both.get_by_role("button", name=re.compile("max"))).to_have_attribute("aria-pressed", "false")

    tab.button("Tables").click()
    expect(both.get_by_role("columnheader")).to_have_text(["Time", "min", "max"])
    expect(both.locator("tbody tr").first.locator("td")).to_have_text(["3", "5"])
    tab.button("Tables").click()

    box = both.locator(".u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + box["width"] * 0.2, middle)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    tab.page.mouse.up()
    expect(tab.page.get_by_text("A part of the past")).to_be_visible()
    tab.button("Back to live").click()
    expect(both.locator(".figures b")).to_have_text(["3", "5"])
    tab.more("Compare with the day before")
    expect(both.locator("canvas")).to_be_visible()
    tab.page.get_by_role("button", name=re.compile(r"^24\sh$")).click()
    expect(both.locator(".figures b")).to_have_text(["3", "5"])


def test_the_list_leads_to_a_new_dashboard_that_is_edited_by_keys(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Edits")
    publish(mara, "edits.one", 3)
    tab = opened(mara, open_tab, "/")
    tab.page.get_by_role("link", name="Dashboards").click()
    expect(tab.page.get_by_role("link", name="Server")).to_be_visible()
    tab.button("New dashboard").click()
    tab.page.get_by_label("Title").fill("Edited by hand")
    tab.button("Create").click()
    expect(tab.page.get_by_role("form", name="Change the dashboard")).to_be_visible()
    assert tab.path == "/d/edited-by-hand"
    for title, unit in (("First", "s"), ("Second", "")):
        tab.page.locator(".edit-bar").get_by_role("button", name="Add a card").click()
        form = tab.page.get_by_role("dialog")
        form.get_by_label("Title").fill(title)
        form.get_by_label("Topic").fill("edits.one")
        form.get_by_label("Shown value").select_option("last")
        form.get_by_role("button", name="Add card").click()
        expect(form.get_by_role("alert")).to_contain_text("field: last needs the field of a number")
        form.get_by_label("Field of the number").fill("amount")
        form.get_by_label("Unit").fill(unit)
        form.get_by_role("button", name="Add card").click()
        expect(form).to_have_count(0)
    expect(tab.titles()).to_have_text(["First", "Second"])
    expect(tab.card("First").locator(".figures")).to_contain_text("s")
    grip = tab.button("Move Second")
    grip.press("ArrowLeft")
    expect(tab.titles()).to_have_text(["Second", "First"])
    expect(grip).to_be_focused()
    grip.press("Shift+ArrowRight")
    expect(tab.page.locator(".span-8")).to_have_count(1)
    tab.button("Save").click()
    expect(tab.page.get_by_role("form", name="Change the dashboard")).to_have_count(0)
    tab.page.reload()
    expect(tab.titles()).to_have_text(["Second", "First"])


def test_a_card_is_dragged_to_its_place(meet: Meet, open_tab: OpenTab) -> None:
    mara = meet("Mara Drags")
    texts = [{"id": id, "kind": "text", "title": id, "text": id, "width": 4} for id in "abc"]
    saved(mara, "drags", *texts)
    tab = opened(mara, open_tab, "/d/drags")
    expect(tab.titles()).to_have_text(["a", "b", "c"])
    tab.more("Edit")
    tab.button("Move a").hover()
    tab.page.mouse.down()
    over = tab.card("c").bounding_box()
    assert over is not None
    tab.page.mouse.move(over["x"] + 40, over["y"] + 90, steps=6)
    expect(tab.titles()).to_have_text(["b", "c", "a"])
    tab.page.keyboard.press("Escape")
    expect(tab.titles()).to_have_text(["a", "b", "c"])
    tab.page.mouse.up()


def test_two_editors_never_overwrite_each_other(meet: Meet, open_tab: OpenTab) -> None:
    mara, jonas = meet("Mara Writes"), meet("Jonas Writes")
    text = {"id": "note", "kind": "text", "title": "Note", "text": "one"}
    offset = saved(mara, "both", text)
    tab = opened(mara, open_tab, "/d/both")
    expect(tab.titles()).to_have_text("Note")
    # An open dashboard follows what others save.
    offset = saved(jonas, "both", {**text, "title": "Two"}, expected=offset)
    expect(tab.titles()).to_have_text("Two")
    tab.more("Edit")
    tab.page.locator(".edit-bar").get_by_label("Title").fill("Mine")
    offset = saved(jonas, "both", {**text, "title": "Three"}, expected=offset, title="Theirs")
    note = tab.page.get_by_role("alert").filter(has_text="Somebody else has saved this dashboard meanwhile.")
    expect(note).to_contain_text("Theirs")
    tab.button("Save").click()
    expect(note).to_be_visible()
    assert mara.request.get(f"{mara.url}/dashboards/both").json()["offset"] == offset
    tab.button("Save mine instead").click()
    expect(note).to_have_count(0)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Mine")
    assert mara.request.get(f"{mara.url}/dashboards/both").json()["dashboard"]["title"] == "Mine"

    tab.more("Edit")
    tab.page.locator(".edit-bar").get_by_label("Title").fill("Mine again")
    now = mara.request.get(f"{mara.url}/dashboards/both").json()["offset"]
    saved(jonas, "both", {**text, "title": "Four"}, expected=now, title="Theirs again")
    tab.button("Take theirs").click()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Theirs again")
    expect(tab.titles()).to_have_text("Four")


def test_a_dashboard_is_exported_and_imported_and_a_wrong_file_is_refused_by_its_field(
    meet: Meet, open_tab: OpenTab, tmp_path: Path
) -> None:
    mara = meet("Mara Files")
    saved(mara, "files", card("one", "files.one", thresholds=[1.5]))
    tab = opened(mara, open_tab, "/d/files")
    expect(tab.titles()).to_have_text("One")
    with tab.page.expect_download() as download:
        tab.more("Export as a file")
    file = tmp_path / download.value.suggested_filename
    assert file.name == "files.dashboard.json"
    download.value.save_as(file)
    tab.page.get_by_role("link", name="Dashboards").click()
    field = tab.page.get_by_label("Import a file")
    wrong = json.loads(file.read_text())
    for change, reason in (
        ({"version": 2}, "version: the file is of version 2"),
        ({"cards": [{**wrong["cards"][0], "width": 7}]}, "cards.0.width"),
        ({"cards": [{**wrong["cards"][0], "topics": []}]}, "cards.0.topics"),
    ):
        other = tmp_path / "wrong.json"
        other.write_text(json.dumps(wrong | change))
        field.set_input_files(other)
        expect(tab.page.get_by_role("alert")).to_contain_text(reason)
    field.set_input_files(file)
    expect(tab.titles()).to_have_text("One")
    assert tab.path == "/d/files-2"
    assert mara.request.get(f"{mara.url}/dashboards/files-2").json()["dashboard"] == wrong


def test_an_assistant_makes_a_card_to_look_at_before_it_is_kept(
    meet: Meet, open_tab: OpenTab, model: ScriptedModel
) -> None:
    mara = meet("Mara Asks")
    publish(mara, "asked.orders", 3, 5)
    made = {"kind": "line", "title": "Amounts", "series": [{"topic": "asked.orders", "field": "amount", "agg": "last"}]}
    model.answers["Write a poem"] = [["Roses are red."]]
    model.answers["The amounts of asked orders"] = [["Here it is: ", json.dumps(made)]]
    saved(mara, "asked")
    tab = opened(mara, open_tab, "/d/asked")
    tab.button("Ask for a card").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("What should the card show?").fill("Write a poem")
    dialog.get_by_role("button", name="Ask", exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text("No card was made. The answer holds no card.")
    dialog.get_by_label("What should the card show?").fill("The amounts of asked orders")
    dialog.get_by_role("button", name="Ask again").click()
    expect(dialog.get_by_role("region", name="Amounts", exact=True).locator("b").first).to_have_text("5")
    assert 'asked.orders: {"amount":5}' in model.calls[-1][-2]["content"]
    assert mara.request.get(f"{mara.url}/dashboards/asked").json()["dashboard"]["cards"] == []
    dialog.get_by_role("button", name="Keep the card").click()
    expect(tab.figure("Amounts")).to_have_text("5")
    tab.button("Save").click()
    expect(tab.page.get_by_role("form", name="Change the dashboard")).to_have_count(0)
    tab.page.reload()
    expect(tab.titles()).to_have_text("Amounts")


def test_without_a_model_nobody_is_asked_for_a_card(
    meet: Meet, open_tab: OpenTab, serve_process: Callable[..., ServerProcess]
) -> None:
    mara = meet("Mara Alone", url=serve_process().url)
    saved(mara, "alone")
    tab = opened(mara, open_tab, "/d/alone")
    expect(tab.button("Add a card")).to_be_visible()
    expect(tab.button("Ask for a card")).to_have_count(0)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_in_a_dashboard(meet: Meet, open_tab: OpenTab, scheme: str) -> None:
    mara = meet(f"Mara Axe {scheme}", color_scheme=scheme)
    topic = f"axe.{scheme}"
    publish(mara, topic, 3, 5)
    kinds = ["line", "bar", "number", "gauge", "table"]
    events = {"id": "events", "kind": "events", "title": "Events", "series": [{"topic": topic, "agg": "rate"}]}
    saved(mara, f"axe-{scheme}", *(card(kind, topic, kind, thresholds=[4]) for kind in kinds), events)
    tab = opened(mara, open_tab, f"/d/axe-{scheme}")
    expect(tab.figure("Gauge")).to_have_text("5")
    check(tab, "dashboard")
    tab.more("Edit")
    check(tab, "editing")
    tab.page.locator(".edit-bar").get_by_role("button", name="Add a card").click()
    check(tab, "form")


def test_the_server_s_own_dashboard_moves(meet: Meet, open_tab: OpenTab) -> None:
    tab = opened(meet("Mara Server"), open_tab, "/d/server")
    expect(tab.titles()).to_have_count(11)
    expect(tab.card("Memory").locator(".figures")).to_contain_text("MB")
    expect(tab.card("Open streams").locator("canvas")).to_be_visible()
