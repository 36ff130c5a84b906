"""Direct messages: begun from a person's menu or the side bar, one for the same people, and announced to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, RoomTab, meeting
from tests.browser.test_layout import AXE
from tests.serving import ServerProcess

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def expect_no_fault(tab: RoomTab) -> None:
    """Run axe over the page."""
    if AXE.exists():
        tab.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        assert [(fault["id"], fault["nodes"][0]["html"]) for fault in found] == []


def listed(tab: RoomTab) -> Locator:
    """The direct messages in the side bar."""
    return tab.page.locator(".side").get_by_role("region", name="Direct messages").locator(".item > a")


def test_two_people_write_to_each_other_and_then_to_a_third(meet: Meet) -> None:
    mara, jonas, ada = meet("Mara Direct"), meet("Jonas Direct", reduced_motion="no-preference"), meet("Ada Direct")
    mara.make("direct-lobby", jonas, ada)
    jonas.say("direct-lobby", "Morning")
    tab, other, third = (one.open("direct-lobby") for one in (mara, jonas, ada))
    expect(listed(tab)).to_have_count(0)
    tab.menu(tab.said("Morning"), "Message Jonas Direct")
    expect(tab.page.locator(".room-header h1")).to_have_text("Jonas Direct")
    expect(tab.log).to_contain_text("Mara Direct started this direct message")
    expect(listed(tab)).to_have_text(["Jonas Direct"])
    expect(listed(other)).to_have_count(0)
    tab.say("Only for you")

    expect(listed(other)).to_have_text(["Mara Direct1"])
    expect(listed(other).locator(".badge.mine")).to_have_text("1")
    note = other.page.locator(".toast", has_text="Mara Direct sent you a direct message")
    expect(note).to_contain_text("Only for you")
    other.member("Mara Direct").hover()
    other.member("Mara Direct").get_by_role("button", name="About Mara Direct").click()
    other.page.get_by_role("menuitem", name="Message Mara Direct").click()
    other.expect_said("Only for you")
    assert other.path == tab.path
    expect(other.writing).to_have_attribute("placeholder", "Write to Mara Direct")
    other.page.locator(".page-header").get_by_role("button", name="More", exact=True).click()
    expect(other.page.get_by_role("menuitem")).to_have_text(["Members", "Mute"])
    other.page.keyboard.press("Escape")
    other.say("Thank you")
    tab.expect_said("Only for you", "Thank you")
    expect(tab.messages.filter(has_text="Thank you")).not_to_have_class("for-me")
    expect_no_fault(tab)
    expect(listed(third)).to_have_count(0)

    keys = tab.page.keyboard
    tab.button("New direct message").click()
    dialog = tab.page.get_by_role("dialog", name="New direct message")
    expect(dialog.get_by_role("combobox")).to_be_focused()
    for name in ("Jonas Direct", "Ada Direct"):
        keys.type(name)
        expect(dialog.get_by_role("option").first).to_contain_text(name)
        keys.press("Enter")
        expect(dialog.get_by_role("button", name=f"Remove {name}")).to_be_visible()
    expect_no_fault(tab)
    keys.press("Enter")
    expect(dialog).to_have_count(0)
    expect(tab.page.locator(".room-header h1")).to_have_text("Ada Direct, Jonas Direct")
    tab.say("To both of you")
    for one in (other, third):
        expect(listed(one).locator(".badge.mine")).to_have_text("1")
    third.button("New direct message").click()  # the same people find the same direct message
    expect(third.page.get_by_role("combobox")).to_be_focused()
    for name in ("Mara Direct", "Jonas Direct"):
        third.page.keyboard.type(name)
        expect(third.page.get_by_role("option").first).to_contain_text(name)
        third.page.keyboard.press("Enter")
        expect(third.button(f"Remove {name}")).to_be_visible()
    third.button("Open direct message").click()
    third.expect_said("To both of you")
    assert third.path == tab.path


def test_a_direct_message_on_a_phone_to_somebody_who_is_not_there_yet(meet: Meet) -> None:
    mara = meet("Mara Pocket", **PHONE, color_scheme="dark")
    tab = mara.open("")
    tab.button("Open the side bar").click()
    tab.button("New direct message").click()
    dialog = tab.page.get_by_role("dialog", name="New direct message")
    dialog.get_by_role("combobox", name="Person").fill("Ben Nowhere")
    dialog.get_by_role("option", name="Invite Ben Nowhere").click()
    expect(dialog.get_by_role("listitem")).to_contain_text("will be invited")
    expect_no_fault(tab)
    dialog.get_by_role("button", name="Open direct message").click()
    expect(dialog).to_have_count(0)
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("Ben Nowhere")
    tab.button("Room details").click()
    expect(tab.page.get_by_text("has not joined yet")).to_be_visible()
    ben = meet("Ben Nowhere").open("")
    expect(tab.page.get_by_text("here, not added yet")).to_be_visible()
    tab.button("About Ben Nowhere").click()
    tab.page.get_by_role("menuitem", name="Add now").click()
    expect(tab.page.get_by_text("not added yet")).to_have_count(0)
    tab.button("Close room details").click()
    tab.writing.fill("Welcome")
    tab.button("Send").click()
    expect(listed(ben).locator(".badge.mine")).to_have_text("1")
