"""Search and commands: what is found, by whom, where it leads, and rooms with unread messages by keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.people import Meet, RoomTab, meeting
from tests.browser.test_files import PLAN, upload
from tests.browser.test_layout import AXE, PHONE, check, overflow, small_targets
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def search(tab: RoomTab, text: str) -> Locator:
    """Open the search and write; the hits."""
    tab.page.keyboard.press("Control+k")
    field = tab.page.locator(".sought input")
    expect(field).to_be_focused()
    field.fill(text)
    return tab.page.locator("#hits").get_by_role("option")


def test_messages_files_and_people_are_found_and_narrowed(meet: Meet) -> None:
    mara, jonas, eve = meet("Mara Gannet"), meet("Jonas Skerry"), meet("Eve Outside")
    mara.make("gannets", jonas, private=True)
    mara.make("other-gannets", jonas)
    mara.say("gannets", "Good morning", "The gannet dives at noon", "And then?")
    jonas.say("other-gannets", "A gannet in another room")
    file = upload(jonas, "gannets", PLAN["name"], PLAN["mimeType"], PLAN["buffer"])["id"]
    jonas.publish("rooms.gannets", "message.posted", text="The gannet plan", files=[file])
    tab = mara.open("")
    hits = search(tab, "gannet ")
    said = hits.filter(has_text=re.compile(" in #.* \N{MIDDLE DOT} "))
    expect(said).to_have_count(3)
    noon = said.filter(has_text="dives at noon")
    expect(noon.locator("small")).to_have_text(
        ["Mara Gannet: Good morning", "Mara Gannet: And then?", re.compile("Mara Gannet in #gannets")]
    )
    for line in noon.locator("small").all():
        assert line.evaluate("(line) => line.checkVisibility({ opacityProperty: true })")
    expect(noon.locator("mark")).to_have_text("gannet")
    field = tab.page.locator(".sought input")
    for text, count in (
        ("gannet from:jonas", 2),
        ("gannet in:other-gannets", 1),
        ("gannet has:file", 1),
        ("gannet from:me", 1),
    ):
        field.fill(text)
        expect(said).to_have_count(count)
    field.fill("gannet before:friday")
    expect(tab.page.locator(".palette .none")).to_have_text('Write a day after "before:", such as before:2026-11-29.')
    field.fill("skerry")
    hits.filter(has_text="Search their messages").filter(has_text="Jonas Skerry").click()
    expect(field).to_have_value('from:"Jonas Skerry" ')
    expect(field).to_be_focused()
    field.press("End")
    field.press_sequentially("dives")
    expect(tab.page.locator(".palette .none")).to_have_text("No results.")
    field.fill("noon")
    expect(said).to_have_count(1)
    said.click()
    expect(tab.page.locator("article.said.found")).to_contain_text("The gannet dives at noon")
    expect(tab.page).to_have_url(re.compile("/r/gannets"))

    other = eve.open("")
    theirs = search(other, "gannet ")
    expect(theirs.filter(has_text="A gannet in another room")).to_have_count(1)
    expect(theirs.filter(has_text="noon")).to_have_count(0)


def test_a_conversation_opens_at_the_answer_that_was_found(meet: Meet, model: ScriptedModel) -> None:
    model.script("About skuas", "Skuas are seabirds.")
    model.script("Fill", *["line\n\n"] * 60)
    mara, jonas = meet("Mara Skua"), meet("Jonas Skua")
    tab = mara.open("")
    tab.answered("About skuas")
    tab.answered("Fill the page")
    tab.button("New conversation").click()
    hits = search(tab, "seabirds")
    expect(hits).to_have_count(1)
    expect(hits).to_contain_text("scripted in About skuas")
    hits.click()
    found = tab.page.locator("article.found")
    expect(found).to_contain_text("Skuas are seabirds.")
    expect(found).to_be_in_viewport()
    expect(tab.page).to_have_url(re.compile(r"/c/[\w-]+\?answer="))
    expect(search(jonas.open(""), "seabirds")).to_have_count(0)


def test_people_are_written_to_from_the_search(meet: Meet) -> None:
    mara, jonas = meet("Mara of letters"), meet("Jonas Petrel")
    mara.make("letters", jonas)
    tab = mara.open("")
    hits = search(tab, "petrel")
    expect(hits.filter(has_text="Direct message")).to_have_count(1)
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Jonas Petrel")
    tab.say("A letter")
    tab.expect_said("A letter")
    other = jonas.open("")
    search(other, "Mara of letters").filter(has_text="Direct message").click()
    other.expect_said("A letter")
    expect(search(tab, "> direct")).to_have_text([re.compile("New direct message")])
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("dialog", name="New direct message")).to_be_visible()


def test_commands_are_run_by_name(meet: Meet) -> None:
    mara = meet("Mara of commands")
    mara.make("commands")
    tab = mara.open("commands")
    hits = search(tab, "> dark")
    expect(hits).to_have_text([re.compile("Use dark colours")])
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("html[data-theme=dark]")).to_have_count(1)
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    expect(search(tab, "add a mem")).to_have_text([re.compile("Add a member")])
    tab.page.keyboard.press("Enter")
    expect(tab.page.get_by_role("dialog", name="Add a member")).to_be_visible()
    tab.page.keyboard.press("Escape")
    search(tab, "")
    tab.page.get_by_role("button", name="> commands").click()
    expect(tab.page.locator("#hits").get_by_role("option").first).to_contain_text("New conversation")
    tab.page.keyboard.press("Enter")
    expect(tab.composer).to_be_focused()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("New conversation")


def test_alt_and_arrows_go_to_the_next_unread_room_and_round(meet: Meet) -> None:
    mara, jonas = meet("Mara of four rooms"), meet("Jonas of four rooms")
    rooms = [f"unread-{n}" for n in range(4)]
    for room in rooms:
        mara.make(room, jonas)
    tab = mara.open(rooms[0])
    expect(tab.page.get_by_text("Live")).to_be_visible()
    for room in (rooms[1], rooms[3]):
        jonas.say(room, "News")
        expect(tab.item(room).locator(".badge")).to_have_text("1")
    tab.writing.fill("")
    for key, room in (("ArrowDown", rooms[1]), ("ArrowUp", rooms[3])):
        tab.page.keyboard.press(f"Alt+{key}")
        expect(tab.page).to_have_url(re.compile(f"/r/{room}$"))
        expect(tab.page.get_by_text("News", exact=True)).to_be_visible()
        expect(tab.item(room).locator(".badge")).to_have_count(0)
    tab.page.keyboard.press("Alt+ArrowDown")
    expect(tab.page.get_by_role("status").last).to_have_text("No unread rooms.")
    expect(tab.page).to_have_url(re.compile(f"/r/{rooms[3]}$"))


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed (scripts/node-modules)")
@pytest.mark.parametrize(("size", "scheme"), [("wide", "dark"), ("phone", "light")])
def test_axe_finds_no_serious_fault_in_the_search(meet: Meet, size: str, scheme: str) -> None:
    mara = meet(f"Mara {size}", color_scheme=scheme, **(PHONE if size == "phone" else {}))
    room = f"axe-search-{size}"
    mara.make(room)
    mara.say(room, "before", f"kittiwake {'long ' * 60}", "after")
    tab = mara.open("")
    expect(search(tab, "").first).to_be_visible()
    check(tab, "search")
    if size == "phone":
        assert small_targets(tab.page) == []
    tab.page.locator(".sought input").fill("kittiwake")
    expect(tab.page.locator("#hits").get_by_role("option").first).to_contain_text("kittiwake")
    check(tab, "hits")
    assert overflow(tab.page) == []
