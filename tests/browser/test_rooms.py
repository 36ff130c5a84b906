"""Rooms: what two people see of each other, and of an assistant among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.people import Meet, RoomTab, at_end, meeting
from tests.browser.tab import Held
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_a_room_is_made_found_joined_and_talked_in(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    tab = mara.open("nowhere")
    expect(tab.page.get_by_role("heading", name="Room not found")).to_be_visible()
    tab.button("Browse or create rooms").click()
    tab.page.get_by_placeholder("Find a room").fill("Release train")
    tab.button("New room").click()
    dialog = tab.page.get_by_role("dialog")
    expect(dialog.get_by_label("Name", exact=True)).to_have_value("Release train")
    dialog.get_by_label("Topic (optional)").fill("Who drives <b>today</b>")
    dialog.get_by_role("button", name="Create room").click()
    expect(tab.page.get_by_role("heading", name="Release train", level=1)).to_be_visible()
    assert tab.path == "/r/release-train"
    expect(tab.page.locator(".page-header")).to_contain_text("Who drives <b>today</b>")

    other = jonas.open("")
    other.button("Browse or create rooms").click()
    other.page.get_by_placeholder("Find a room").fill("train")
    other.button("Join Release train").click()
    expect(other.writing).to_be_focused()
    expect(tab.log).to_contain_text("Jonas Weber joined")
    tab.say("Hello Jonas")
    other.say("Hello @Mara")
    other.say("Two lines\nand <img src=x onerror=alert(1)> no markup")
    expect(tab.said("Hello @Mara").locator(".mention.mine")).to_have_text("@Mara")
    for one in (tab, other):
        one.expect_said("Hello Jonas", "Hello @Mara", "Two lines\nand <img src=x onerror=alert(1)> no markup")
    expect(tab.member("Jonas Weber")).to_contain_text("here")
    expect(tab.page.get_by_role("button", name="2 here: Mara Lindqvist, Jonas Weber")).to_be_visible()


def test_messages_are_changed_replied_to_reacted_to_and_deleted(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("changes", jonas)
    tab, other = mara.open("changes"), jonas.open("changes")
    tab.say("Rolling web-2 nwo")
    expect(other.said("nwo")).to_be_visible()
    tab.writing.press("ArrowUp")
    expect(tab.writing).to_have_value("Rolling web-2 nwo")
    tab.say("Rolling web-2 now")
    expect(other.said("Rolling web-2 now")).to_contain_text("edited")

    message = other.said("Rolling web-2 now")
    message.hover()
    message.get_by_role("button", name="Reply").click()
    other.say("Good")
    expect(tab.said("Good").locator(".quote")).to_contain_text("Mara Lindqvist")
    message.hover()
    message.get_by_role("button", name="React").click()
    message.get_by_role("menuitem", name="Thumbs up").click()
    reaction = tab.said("Rolling web-2 now").get_by_role("button", name="Thumbs up, 1")
    reaction.click()
    mine = other.page.get_by_role("button", name="Thumbs up, 2")
    expect(mine).to_have_attribute("aria-pressed", "true")
    mine.click()
    expect(reaction).to_have_attribute("aria-pressed", "true")

    message.hover()
    message.get_by_role("button", name="Message actions").click()
    items = ["Copy text", "Copy link", "Mark unread", "Message Mara Lindqvist"]
    expect(message.get_by_role("menuitem")).to_have_text(items)
    other.page.keyboard.press("Escape")
    tab.menu(tab.messages.first, "Delete")
    tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(other.messages.first).to_contain_text("This message was deleted.")
    expect(other.said("Good").locator(".quote")).to_contain_text("This message was deleted.")


def test_unread_messages_are_below_a_line_and_become_read_in_every_tab(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    for room in ("news", "quiet"):
        mara.make(room, jonas)
    second = mara.open("quiet")
    read = jonas.say("news", "old")
    expect(second.item("news").locator(".badge")).to_have_text("1")
    tab = mara.open("news")
    expect(second.item("news").locator(".badge")).to_have_count(0)
    tab.item("quiet").click()
    jonas.say("news", *(f"new {n}" for n in range(60)), "@mara look")
    for one in (tab, second):
        expect(one.item("news").locator(".badge")).to_have_text("61")
        expect(one.item("news").locator(".badge.mine")).to_be_visible()

    tab.item("news").click()
    expect(tab.since).to_have_text(re.compile(rf"New since \d\d:\d\d{read}"))
    expect(tab.since).to_be_in_viewport()
    expect(tab.said("look")).not_to_be_in_viewport()
    expect(second.item("news").locator(".badge")).to_have_text("61")  # the end was not seen
    tab.button("Jump to latest").click()
    expect(tab.said("look")).to_be_in_viewport()
    expect(second.item("news").locator(".badge")).to_have_count(0)
    expect(tab.since).to_have_count(1)  # until one leaves
    tab.item("quiet").click()
    tab.item("news").click()
    expect(tab.said("look")).to_be_in_viewport()
    expect(tab.since).to_have_count(0)

    tab.wheel(-1500)
    jonas.say("news", "one more", "and one")
    expect(tab.button("Jump to latest (2 new)")).to_be_visible()


def test_history_pages_back_without_end_and_nothing_jumps(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("long", jonas)
    for n in (0, 500):
        jonas.say("long", *(f"message {m}." for m in range(n, n + 500)))
    tab = mara.open("long")
    expect(tab.said("message 999.")).to_be_in_viewport()
    tab.log.hover()
    back = _passed(tab, -700, "message 0.")
    assert back == sorted(back, reverse=True)
    jonas.say("long", "one more", "and one")
    expect(tab.button("Jump to latest (2 new)")).to_be_visible()
    assert tab.texts()[0] == "message 0."  # it stays where one is

    there = _passed(tab, 700, "and one")
    assert there == sorted(there)
    for numbers in (back, there):  # what one looks at is passed message by message, whatever comes and goes around it
        assert max(abs(a - b) for a, b in pairwise(numbers)) < 60
    tab.page.mouse.wheel(0, 5000)
    expect(tab.said("and one")).to_be_in_viewport()
    expect(tab.page.locator(".jump")).to_have_count(0)
    jonas.say("long", "the end is followed again")
    expect(tab.said("the end is followed again")).to_be_in_viewport()

    _passed(tab, -700, "message 500.")
    tab.say("who writes comes to the end")
    expect(tab.said("who writes comes to the end")).to_be_in_viewport()
    expect(tab.page.locator(".jump")).to_have_count(0)


def _passed(tab: RoomTab, pixels: int, last: str) -> list[int]:
    """The numbers of the topmost messages while one scrolls. At no time are more than 200 messages drawn."""
    seen = [tab.page.evaluate(TOPMOST)]
    while last not in tab.texts():
        before = tab.page.evaluate("document.getElementById('log').scrollTop")
        tab.page.mouse.wheel(0, pixels)
        tab.page.wait_for_function("top => document.getElementById('log').scrollTop !== top", arg=before)
        seen.append(tab.page.evaluate(TOPMOST))
        assert tab.messages.count() <= 200
    return [int(re.findall(r"\d+", text)[0]) for text in seen]


TOPMOST = """() => {
    const top = document.getElementById("log").getBoundingClientRect().top;
    const all = [...document.querySelectorAll("article.said")];
    return all.find((one) => one.getBoundingClientRect().bottom > top).querySelector(".asked").textContent;
}"""


# Keys that come faster than frames: only microtasks run between them.
FAST_KEYS = """async ([key, times]) => {
    for (let n = 0; n < times; n++) {
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        for (let turn = 0; turn < 9; turn++) await null;
    }
}"""


def test_messages_are_walked_and_acted_on_by_keyboard(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("keys")
    mara.say("keys", *(f"message {n}." for n in range(100)))
    tab = mara.open("keys")
    expect(tab.said("message 99.")).to_be_in_viewport()
    expect(tab.writing).to_be_focused()
    expect(tab.messages.get_by_role("button")).to_have_count(0)  # nobody came near one
    tab.page.keyboard.press("Shift+Tab")
    expect(tab.said("message 99.")).to_be_focused()
    tab.page.evaluate(FAST_KEYS, ["ArrowUp", 90])
    expect(tab.said("message 9.")).to_be_focused()
    expect(tab.said("message 9.")).to_be_in_viewport()
    tab.page.keyboard.press("ArrowDown")
    for name in ("React", "Reply", "Message actions"):
        tab.page.keyboard.press("Tab")
        expect(tab.said("message 10.").get_by_role("button", name=name)).to_be_focused()
    tab.page.keyboard.press("Enter")
    for _ in ("Copy link", "Edit"):
        tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    expect(tab.writing).to_have_value("message 10.")
    expect(tab.writing).to_be_focused()
    tab.page.keyboard.press("Escape")
    tab.page.keyboard.press("Shift+Tab")
    expect(tab.button("Jump to latest")).to_be_focused()
    tab.page.keyboard.press("Shift+Tab")
    expect(tab.said("message 10.")).to_be_focused()  # where one was
    expect(tab.messages.get_by_role("button")).to_have_count(3)


def test_typing_is_seen_and_ends_by_itself(meet: Meet) -> None:
    mara, aiko = meet("Mara Lindqvist"), meet("Aiko Tanaka")
    mara.make("typing", aiko)
    tab, other = mara.open("typing"), aiko.open("typing")
    expect(tab.member("Aiko Tanaka")).to_contain_text("here")
    other.writing.press_sequentially("Hm")
    expect(tab.page.get_by_text("Aiko is typing")).to_be_visible()
    expect(other.page.get_by_text("is typing")).to_have_count(0)
    expect(tab.page.get_by_text("Aiko is typing")).to_have_count(0)  # nothing more came
    other.writing.press_sequentially(", yes")
    expect(tab.page.get_by_text("Aiko is typing")).to_be_visible()
    other.writing.press("Enter")
    tab.expect_said("Hm, yes")
    expect(tab.page.get_by_text("Aiko is typing")).to_have_count(0)
    other.page.close()
    expect(tab.member("Aiko Tanaka")).to_contain_text("away")


def test_everyone_watches_an_assistant_answer_and_any_member_may_stop_it(meet: Meet, model: ScriptedModel) -> None:
    hold, never = Hold(), Hold()
    model.script("what happened to the runs", "Thirteen **finished**", hold, " there.")
    model.script("count to a million", "1, 2, 3", never, " 4")
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("asking", jonas)
    tab, other = mara.open("asking"), jonas.open("asking")
    tab.writing.press_sequentially("@ass")
    tab.page.get_by_role("option", name="scripted").click()
    tab.writing.press_sequentially("what happened to the runs?")
    tab.writing.press("Enter")
    for one in (tab, other):
        one.expect_state("streaming")
        expect(one.text).to_have_text("Thirteen finished")
    late = jonas.open("asking")
    expect(late.text).to_have_text("Thirteen finished")
    other.say("Meanwhile")
    hold.go()
    for one in (tab, other, late):
        one.expect_state("finished")
        expect(one.text).to_have_text("Thirteen finished there.")
        expect(one.answers).to_have_count(1)
    tab.page.reload()
    expect(tab.text).to_have_text("Thirteen finished there.")
    expect(tab.page.locator(".column > article")).to_contain_text(["what happened", "Thirteen finished", "Meanwhile"])

    tab.say("@assistant count to a million")
    expect(other.text).to_have_text("1, 2, 3")
    other.answer.get_by_role("button", name="Stop").click()
    for one, who in ((tab, "Jonas Weber"), (other, "you")):
        one.expect_state("stopped")
        expect(one.answer).to_contain_text(f"Stopped by {who}.")
        expect(one.text).to_have_text("1, 2, 3")


def test_several_answers_at_once_and_one_too_many_which_waits(meet: Meet, model: ScriptedModel) -> None:
    begin, end = Hold(), Hold()
    for n in range(9):
        model.script(f"riddle {n}.", begin, f"Answer {n}", end, ".")
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("busy", jonas)
    tab, other = mara.open("busy"), jonas.open("busy")
    mara.say("busy", *(f"@assistant riddle {n}." for n in range(8)))
    for one in (tab, other):
        expect(one.answers).to_have_count(8)
        expect(one.page.locator(".typing")).to_contain_text("8 are typing")
    other.say("@assistant riddle 8.")
    expect(other.page.locator("article.said.pale")).to_contain_text("Waiting: This room has 8 answers under way")
    begin.go()
    for n in range(8):
        expect(tab.answers.nth(n)).to_contain_text(f"Answer {n}")
    end.go()
    for one in (tab, other):
        expect(one.answers).to_have_count(9)
        for n in range(9):
            expect(one.answers.filter(has_text=f"Answer {n}.")).to_have_count(1)
    assert sum("riddle" in call[-1]["content"] for call in model.calls) == 9


def test_completion_by_keys_and_drafts_of_each_room(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("drafts", meet("Jonas Weber"), meet("Jonas Berg"))
    mara.make("others")
    tab = mara.open("drafts")
    tab.writing.press_sequentially("Ask @jon")
    expect(tab.page.get_by_role("option")).to_have_count(2)
    tab.writing.press("ArrowDown")
    tab.writing.press("Tab")
    expect(tab.writing).to_have_value(re.compile("Ask @Jonas (Berg|Weber) "))
    tab.writing.press_sequentially("@")
    tab.writing.press("Escape")
    expect(tab.page.get_by_role("option")).to_have_count(0)
    tab.writing.fill("a draft")
    tab.item("others").click()
    expect(tab.writing).to_have_value("")
    tab.item("drafts").click()
    expect(tab.writing).to_have_value("a draft")
    tab.page.reload()
    expect(tab.writing).to_have_value("a draft")


def test_an_owner_adds_restricts_removes_renames_and_archives(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("secret", private=True)
    mara.say("secret", "from before")
    other = jonas.open("secret")
    expect(other.page.get_by_text("This room is private. Ask an owner to add you.")).to_be_visible()
    tab = mara.open("secret")
    tab.button("Add a member").first.click()
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Person").fill("Jonas Weber")
    dialog.get_by_label("Role").select_option("reader")
    dialog.get_by_role("button", name="Add Jonas Weber").click()
    expect(other.item("secret")).to_be_visible()
    other.expect_said("from before")
    expect(other.page.get_by_text("Read-only. Ask an owner")).to_be_visible()
    expect(tab.aside).to_contain_text("reader")

    tab.button("About Jonas Weber").click()
    tab.page.get_by_role("menuitem", name="Make a member").click()
    other.say("now I may write")
    tab.expect_said("from before", "now I may write")
    tab.more("Rename")
    tab.page.get_by_role("dialog").get_by_label("Name", exact=True).fill("open secret")
    tab.page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(other.page.get_by_role("heading", name="open secret", level=1)).to_be_visible()
    tab.more("Archive")
    tab.page.get_by_role("dialog").get_by_role("button", name="Archive").click()
    for one in (tab, other):
        expect(one.page.get_by_text("This room is archived.")).to_be_visible()
    tab.button("Restore").click()
    expect(other.writing).to_be_visible()
    tab.button("About Jonas Weber").click()
    tab.page.get_by_role("menuitem", name="Remove").click()
    expect(other.page.get_by_role("heading", name="You can't open this room")).to_be_visible()
    expect(other.item("secret")).to_have_count(0)
    expect(other.page.get_by_text("from before")).to_have_count(0)

    tab.more("Leave")
    tab.page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("This room has no other owner")


def test_a_message_is_told_from_another_of_the_same_words(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("twice")
    tab = mara.open("twice")
    held = Held(tab.page, "**/topics/rooms.twice/events")
    tab.say("Yes")
    expect(tab.page.locator("article.said.pale")).to_have_count(1)
    mara.say("twice", "Yes")  # from another device
    expect(tab.page.locator("article.said:not(.pale)")).to_have_count(1)
    expect(tab.page.locator("article.said.pale")).to_have_count(1)
    held.let_go()
    tab.expect_said("Yes", "Yes")


def test_a_message_that_is_too_long_is_kept_with_the_reason(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("limits")
    tab = mara.open("limits")
    tab.say("x" * 16_001)
    tab.say("behind it")
    refused = tab.messages.first
    expect(refused).to_contain_text("Not sent: A message has at most 16,000 characters")
    expect(tab.said("behind it")).to_contain_text("Waiting for the message above")
    refused.get_by_role("button", name="Delete").click()
    tab.expect_said("behind it")


def test_a_search_finds_what_was_said_and_opens_the_room_there(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("archive-of-fish", jonas)
    mara.make("elsewhere")
    jonas.say("archive-of-fish", "\N{FISH} the <i>coelacanth</i> swims")
    jonas.say("archive-of-fish", *(f"nothing of interest, {n}" for n in range(250)))
    tab = mara.open("elsewhere")
    tab.page.keyboard.press("Control+k")
    tab.page.get_by_label("Search rooms and conversations").fill("coelac")
    hit = tab.page.get_by_role("option")
    expect(hit).to_have_count(1)
    expect(hit.locator("mark")).to_have_text("coelacanth")
    expect(hit).to_contain_text("Jonas Weber in #archive-of-fish")
    tab.page.keyboard.press("Enter")
    expect(tab.said("coelacanth")).to_be_in_viewport()
    expect(tab.said("coelacanth")).to_have_class(re.compile("found"))
    expect(tab.said("coelacanth")).to_be_focused()
    assert tab.messages.count() <= 200
    tab.button("Jump to latest").click()
    expect(tab.said("nothing of interest, 249")).to_be_in_viewport()
    expect(tab.said("coelacanth")).to_have_count(0)
    tab.button("Search in this room").click()
    tab.page.get_by_label("Search in #archive-of-fish").fill("no such words")
    expect(tab.page.get_by_text("No results.")).to_be_visible()


def test_reading_back_to_a_message_says_how_far_it_is_and_may_be_stopped(meet: Meet) -> None:
    mara = meet("Mara Lindqvist")
    mara.make("far")
    first = mara.say("far", "the first")
    mara.say("far", *(f"and {n}." for n in range(150)))
    tab = mara.open("far")
    expect(tab.said("and 149.")).to_be_in_viewport()
    held: list[Route] = []
    tab.page.route("**/events?before=**", lambda route: held.append(route))
    to = "at => { history.pushState(null, '', at); dispatchEvent(new PopStateEvent('popstate')); }"
    tab.page.evaluate(to, f"?at={first}")
    back = tab.page.locator(".back")
    expect(back).to_have_text(re.compile(r"Loading older messages, now at\s*\d\d:\d\d\s*Stop"))
    back.get_by_role("button", name="Stop").click()
    expect(back).to_have_count(0)
    for route in held:
        route.continue_()
    tab.page.unroute("**/events?before=**")
    expect(tab.page.locator(".jump")).to_have_count(0)
    assert at_end(tab.page)
    tab.page.reload()
    expect(tab.said("the first")).to_be_focused()
    expect(tab.said("the first")).to_be_in_viewport()
    expect(back).to_have_count(0)


def test_a_phone_has_a_drawer_and_a_sheet(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist", viewport={"width": 390, "height": 844}, has_touch=True), meet("Jonas Weber")
    mara.make("pocket", jonas)
    tab = mara.open("pocket")
    jonas.say("pocket", "a line without a break " * 3, "x" * 200)
    expect(tab.messages).to_have_count(2)
    expect(tab.page.locator(".titles")).to_contain_text("#pocket")
    assert tab.page.evaluate("document.documentElement.scrollWidth") == 390
    assert at_end(tab.page)
    tab.button("Room details").click()
    expect(tab.aside).to_contain_text("Jonas Weber")
    tab.button("Close room details").click()
    tab.button("Open the side bar").click()
    expect(tab.item("pocket")).to_be_visible()
