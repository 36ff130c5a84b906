"""The side bar: rooms first, sections that fold, conversations by day, pins, and a menu for each row."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, Person, RoomTab, meeting
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def section(tab: RoomTab, name: str) -> Locator:
    return tab.page.locator(".side").get_by_role("region", name=name, exact=True)


def rows(tab: RoomTab, name: str) -> Locator:
    """The labels of a section."""
    return section(tab, name).locator(".item > a > span:first-of-type")


def begin(person: Person, prefix: str, count: int) -> None:
    """Add conversations to a person's list, in one commit."""
    lines = [
        json.dumps({"type": "conversation.created", "data": {"id": f"{prefix}{n}", "title": f"{prefix} {n}"}})
        for n in range(count)
    ]
    done = person.request.post(
        f"{person.url}/topics/{person.topic}.conversations/events",
        data="\n".join(lines),
        headers={"content-type": "application/x-ndjson"},
    )
    assert done.ok, done.text()


def test_rooms_stand_above_conversations_of_which_the_newest_are_listed(meet: Meet) -> None:
    mara = meet("Mara Many")
    mara.make("above-all")
    begin(mara, "talk", 45)
    tab = mara.open("above-all")
    expect(tab.page.locator(".side section h2")).to_have_text(["Rooms", "Direct messages", "Conversations"])
    expect(section(tab, "Conversations").get_by_role("heading", level=3)).to_have_text("Today")
    expect(rows(tab, "Conversations")).to_have_count(20)
    expect(rows(tab, "Conversations").first).to_have_text("talk 44")
    tab.button("Show all (45)").click()
    expect(rows(tab, "Conversations")).to_have_count(45)
    tab.button("Show fewer").click()
    expect(rows(tab, "Conversations")).to_have_count(20)

    tab.page.goto(f"{mara.url}/c/talk0")  # an old conversation is listed and in view while it is open
    expect(rows(tab, "Conversations")).to_have_count(21)
    expect(tab.page.locator(".side [aria-current]")).to_have_text("talk 0")
    expect(tab.page.locator(".side [aria-current]")).to_be_in_viewport()


def test_a_section_stays_folded_and_still_shows_what_is_unread_or_open(meet: Meet) -> None:
    mara, jonas = meet("Mara Folds"), meet("Jonas Folds")
    for room in ("fold-a", "fold-b", "fold-c"):
        jonas.make(room, mara)
    tab = mara.open("fold-a")
    expect(rows(tab, "Rooms")).to_have_text(["fold-a", "fold-b", "fold-c"])
    heading = section(tab, "Rooms").get_by_role("button", name="Rooms", exact=True)
    heading.press("Enter")
    expect(heading).to_have_attribute("aria-expanded", "false")
    expect(rows(tab, "Rooms")).to_have_text(["fold-a"])
    jonas.say("fold-c", "news")
    expect(rows(tab, "Rooms")).to_have_text(["fold-a", "fold-c"])
    tab.page.reload()
    expect(rows(tab, "Rooms")).to_have_text(["fold-a", "fold-c"])
    heading.press("Enter")
    expect(rows(tab, "Rooms")).to_have_count(3)


def test_rooms_and_conversations_are_pinned_for_every_device(meet: Meet) -> None:
    mara = meet("Mara Pins")
    mara.make("pin-a")
    mara.make("pin-b")
    begin(mara, "pinned", 2)
    tab, device = mara.open("pin-a"), mara.open("pin-b")
    tab.item("pin-b").click(button="right")
    tab.page.get_by_role("menuitem", name="Pin").click()
    for one in (tab, device):
        expect(rows(one, "Pinned")).to_have_text(["pin-b"])
        expect(rows(one, "Rooms")).to_have_text(["pin-a"])
    row = tab.page.get_by_role("link", name="pinned 0")
    row.focus()
    tab.page.keyboard.press("Tab")
    expect(tab.button("Actions for pinned 0")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("menuitem", name="Pin")).to_be_focused()
    tab.page.keyboard.press("Enter")
    expect(rows(device, "Pinned")).to_have_text(["pin-b", "pinned 0"])
    device.item("pin-b").click(button="right")
    device.page.get_by_role("menuitem", name="Unpin").click()
    expect(rows(tab, "Pinned")).to_have_text(["pinned 0"])


def test_a_row_renames_mutes_leaves_and_deletes_what_is_not_open(meet: Meet) -> None:
    mara, jonas = meet("Mara Rows"), meet("Jonas Rows")
    jonas.make("row-theirs", mara)
    mara.make("row-mine")
    mara.make("row-open")
    begin(mara, "row", 1)
    tab = mara.open("row-open")

    tab.item("row-mine").focus()
    tab.page.keyboard.press("Shift+F10")
    tab.page.get_by_role("menuitem", name="Rename").click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("row-renamed")
    dialog.get_by_role("button", name="Rename room").click()
    expect(tab.item("row-mine")).to_contain_text("row-renamed")

    tab.item("row-theirs").click(button="right")
    expect(tab.page.get_by_role("menuitem")).to_have_text(["Pin", "Mute", "Leave"])
    tab.page.get_by_role("menuitem", name="Mute").click()
    expect(tab.item("row-theirs")).to_contain_text("muted")
    tab.item("row-theirs").click(button="right")
    tab.page.get_by_role("menuitem", name="Leave").click()
    dialog.get_by_role("button", name="Leave room").click()
    expect(tab.item("row-theirs")).to_have_count(0)

    tab.page.get_by_role("link", name="row 0").click(button="right")
    tab.page.get_by_role("menuitem", name="Delete").click()
    dialog.get_by_role("button", name="Delete conversation").click()
    expect(tab.page.get_by_role("link", name="row 0")).to_have_count(0)
    assert tab.path == "/r/row-open"


def test_unread_rooms_out_of_view_are_counted_and_shown(meet: Meet) -> None:
    mara, jonas = meet("Mara Below", viewport={"width": 1280, "height": 420}), meet("Jonas Below")
    for n in range(20):
        jonas.make(f"below-{n:02}", mara)
    tab = mara.open("below-00")
    expect(rows(tab, "Rooms")).to_have_count(20)
    jonas.say("below-19", "down here")
    below = tab.page.get_by_role("button", name="1 unread below")
    below.click()
    expect(below).to_have_count(0)
    expect(tab.item("below-19")).to_be_in_viewport()
    expect(tab.item("below-19")).to_be_focused()
    jonas.say("below-01", "up here")
    tab.page.get_by_role("button", name="1 unread above").click()
    expect(tab.item("below-01")).to_be_focused()
    tab.page.keyboard.press("ArrowUp")
    expect(tab.item("below-00")).to_be_focused()
