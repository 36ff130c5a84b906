"""The whole chat without a pointer: every step is possible, and one always sees where one is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import Hold, ScriptedModel
from tests.browser.people import Meet, Person, RoomTab, meeting
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


MOVING = {"reduced_motion": "no-preference"}
"""The page with its transitions, as most people have it."""

AT = """() => {
    const one = document.activeElement;
    if (one === document.body) return ["nothing", false];
    const framed = one.closest(".composer:has(textarea:focus-visible), .sought, .segments label") ?? one;
    const {outlineStyle, outlineWidth} = getComputedStyle(framed);
    const name = one.ariaLabel || one.labels?.[0]?.textContent.trim() || one.textContent.trim() || one.tagName;
    return [name.replace(/\\s+/g, " "), outlineStyle === "solid" && parseFloat(outlineWidth) >= 2];
}"""

MOST = 80
"""Stops on the way to anything."""


class Keys:
    """Someone who has a keyboard and no pointer."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def at(self) -> str:
        """The name of the element that has the focus. Some element always has it, and shows it."""
        name, seen = self.page.evaluate(AT)
        assert seen, f"the focus is not seen on {name}"
        return str(name)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def to(self, name: str, key: str = "Tab") -> None:
        """Press a key until something of this name has the focus."""
        way: list[str] = []
        while len(way) < MOST and not (way and re.fullmatch(name, way[-1])):
            self.press(key)
            if self.page.evaluate("document.activeElement === document.body"):
                self.press(key)  # it was the browser's own turn
            way.append(self.at)
        assert re.fullmatch(name, way[-1]), f"no {name} on the way: {way}"

    def write(self, text: str, *keys: str) -> None:
        self.page.keyboard.type(text)
        self.press(*keys)

    def choose(self, name: str) -> None:
        """In the menu that is open."""
        expect(self.page.get_by_role("menu")).to_be_visible()
        while self.at != name:
            self.press("ArrowDown")
        self.press("Enter")
        expect(self.page.get_by_role("menu")).to_have_count(0)

    def settled(self) -> str:
        """Wait until dialogs are closed, and return the name of the element that has the focus then."""
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        expect(self.page.locator(":focus")).to_have_count(1)
        return self.at


def test_the_whole_chat_by_keyboard(open_tab: OpenTab, meet: Meet, server: ServerProcess, model: ScriptedModel) -> None:
    model.script("by keys alone", "It began", Hold(), " and never ends")
    jonas = meet("Jonas Keys")
    jonas.make("keys-elsewhere")  # people who share a room know each other
    tab = RoomTab(open_tab(**MOVING).page)
    keys = Keys(tab.page)
    keys.to("Browse or create rooms")
    keys.press("Enter")
    expect(tab.page.get_by_label("Name")).to_be_focused()
    keys.write("Mara Keys", "Enter")
    # The name was chosen in order to make a room.
    expect(tab.page.get_by_placeholder("Find a room")).to_be_focused()
    keys.to("New room")
    keys.press("Enter")
    expect(tab.page.get_by_label("Name")).to_be_focused()
    keys.write("by keyboard", "Enter")
    expect(tab.writing).to_be_focused()

    keys.to("More", "Shift+Tab")
    keys.press("Enter")
    keys.choose("Add a member")
    expect(tab.page.get_by_role("combobox", name="Person")).to_be_focused()
    keys.write("Jonas Keys", "Enter")
    assert keys.settled() == "More"
    other = jonas.open("by-keyboard")
    other.say("Good morning")
    expect(tab.said("Good morning")).to_be_visible()

    keys.to("Write to #by keyboard")
    keys.write("@jon", "Enter")
    keys.write("slept well?", "Enter")
    tab.expect_said("Good morning", "@Jonas slept well?")
    message_by_keyboard(tab, keys)
    found_and_told(tab, keys, jonas)
    answer_by_keyboard(tab, keys)
    leave_by_keyboard(tab, keys)


def message_by_keyboard(tab: RoomTab, keys: Keys) -> None:
    """React, reply, edit and delete."""
    keys.to("Message by .*", "Shift+Tab")
    keys.press("ArrowDown")
    assert keys.at == "Message by Mara Keys"
    keys.press("ArrowUp")
    assert keys.at == "Message by Jonas Keys"
    keys.to("React")
    keys.press("Enter")
    keys.choose("Seen")
    expect(tab.said("Good morning").get_by_role("button", name="Seen, 1")).to_be_visible()
    assert keys.settled() == "React"
    keys.to("Reply")
    keys.press("Enter")
    expect(tab.writing).to_be_focused()
    keys.write("Morning!", "Enter")
    tab.expect_said("Good morning", "@Jonas slept well?", "Morning!")
    keys.press("ArrowUp")
    expect(tab.writing).to_have_value("Morning!")
    keys.write(" Tea?", "Enter")
    expect(tab.said("Morning! Tea?")).to_contain_text("edited")
    keys.to("Message by .*", "Shift+Tab")
    while "Tea?" not in tab.page.locator("article:focus").inner_text():
        keys.press("ArrowDown")
    keys.to("Message actions")
    keys.press("Enter")
    keys.choose("Delete")
    keys.to("Delete message")
    keys.press("Enter")
    expect(tab.page.get_by_text("This message was deleted.")).to_be_visible()
    assert keys.settled() == "Message by Mara Keys"


def found_and_told(tab: RoomTab, keys: Keys, jonas: Person) -> None:
    """Search, go to the hit; a toast, the centre, mark read, mute."""
    keys.press("Control+k")
    keys.write("slept")
    expect(tab.page.get_by_role("option")).to_contain_text("slept well?")
    keys.press("Enter")
    expect(tab.said("slept well?")).to_be_focused()

    jonas.make("beside")
    keys.press("?")
    keys.press("Escape")
    assert keys.settled() == "Message by Mara Keys"
    tell = f"{jonas.url}/topics/users.Mara_20Keys/events?type=notification.created"
    for n in (1, 2):
        assert jonas.request.post(tell, data={"title": f"Told {n}", "topic": "rooms.beside"}).ok
    expect(tab.page.locator(".toast")).to_have_count(2)
    keys.press("F8")
    assert keys.at == "Mark as read"
    keys.to("Close")
    keys.press("Enter")
    expect(tab.page.locator(".toast")).to_have_count(1)
    assert keys.settled() == "Mark as read"
    keys.to("Close")
    keys.press("Enter")
    expect(tab.page.locator(".toast")).to_have_count(0)
    assert keys.settled() == "Message by Mara Keys"

    keys.to("Notifications, 2 unread", "Shift+Tab")
    keys.press("Enter")
    keys.to("Mark as read")
    keys.press("Enter")
    expect(tab.page.locator(".notice.unread")).to_have_count(1)
    keys.settled()
    keys.to("Mute")
    keys.press("Enter")
    expect(tab.page.get_by_text("Muted")).to_be_visible()
    keys.press("Escape")
    assert keys.settled() == "Notifications, 1 unread"


def answer_by_keyboard(tab: RoomTab, keys: Keys) -> None:
    """Stop a run, open a source."""
    keys.to("Write to #by keyboard")
    keys.write("@assistant by keys alone", "Escape", "Enter")
    expect(tab.text).to_have_text("It began")
    keys.to("Stop", "Shift+Tab")
    keys.press("Enter")
    tab.expect_state("stopped")
    keys.settled()
    keys.to("Write to #by keyboard")
    keys.write("@docs What is process mining?", "Escape", "Enter")
    expect(tab.answers).to_have_count(2)
    tab.expect_state("finished")
    keys.to("Source 1.*", "Shift+Tab")
    keys.press("Enter")
    expect(tab.page.locator("#source-1")).to_be_focused()
    keys.to("Close run details", "Shift+Tab")
    keys.press("Enter")
    keys.settled()


def leave_by_keyboard(tab: RoomTab, keys: Keys) -> None:
    """The theme, and out."""
    keys.to("Settings", "Shift+Tab")
    keys.press("Enter")
    expect(tab.page.get_by_label("System")).to_be_focused()
    keys.press("ArrowLeft")
    expect(tab.page.locator("html")).to_have_attribute("data-theme", "dark")
    keys.to("Sign out")
    keys.press("Enter")
    expect(tab.page.locator(".me .name")).to_have_text("You")


@pytest.mark.parametrize(("name", "options"), [("?", {}), ("k", {"ctrlKey": True})])
def test_a_dialog_is_opened_again_in_the_instant_it_is_closed(
    open_tab: OpenTab, name: str, options: dict[str, Any]
) -> None:
    """The browser tells the page of a dialog's end later, and the page must not take that for the new one's."""
    tab = open_tab(**MOVING)
    dialog = tab.page.get_by_role("dialog")
    tab.page.evaluate("document.activeElement.blur()")
    tab.page.locator("body").press("Control+k" if options else "?")
    expect(dialog).to_be_visible()
    tab.page.evaluate(
        """key => {
          document.querySelector("dialog").close();
          document.body.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...key }));
        }""",
        {"key": name, **options},
    )
    tab.page.evaluate("new Promise((done) => setTimeout(done))")  # the end has been told
    expect(dialog).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
