"""Calling everyone, levels of notifications, links to messages, and rooms that are marked unread."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, RoomTab, meeting
from tests.browser.test_direct import expect_no_fault
from tests.serving import ServerProcess


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def level(tab: RoomTab) -> str:
    """The level of notifications that the room's menu shows."""
    tab.page.locator(".page-header").get_by_role("button", name="More", exact=True).click()
    chosen = tab.page.locator("[role=menuitemradio][aria-checked=true]").inner_text()
    tab.page.keyboard.press("Escape")
    return chosen.strip()


def test_a_person_chooses_which_messages_of_a_room_notify(meet: Meet) -> None:
    mara, jonas, ada = meet("Mara Calls"), meet("Jonas Called"), meet("Ada Called")
    mara.make("calls", jonas, ada)
    jonas.make("calls-quiet")
    tab, other = mara.open("calls"), jonas.open("calls")
    assert level(other) == "Notify of mentions"
    other.more("Notify of all messages")
    assert level(other) == "Notify of all messages"
    expect(other.aside).to_contain_text("All messages")
    expect_no_fault(other)
    other.item("calls-quiet").click()
    tab.say("Nothing much")
    toast = other.page.locator(".toast")
    expect(toast.filter(has_text="Mara Calls wrote in #calls")).to_contain_text("Nothing much")

    tab.writing.focus()
    tab.page.keyboard.type("@roo")
    expect(tab.page.get_by_role("option")).to_have_text(re.compile("Everyone"))
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.type("lunch")
    tab.send()
    expect(toast.filter(has_text="Mara Calls mentioned everyone in #calls")).to_contain_text("@room lunch")
    expect(other.item("calls").locator(".badge.mine")).to_have_text("2")
    third = ada.open("calls")
    expect(third.messages.filter(has_text="lunch")).to_have_class(re.compile("for-me"))
    expect(third.said("lunch").locator(".mention")).to_have_text("@room")

    other.item("calls").click()
    other.more("Mute")
    assert level(other) == "Mute"
    device = jonas.open("calls")
    expect(device.aside).to_contain_text("Mentions only")
    device.more("Notify of mentions")
    expect(other.aside).to_contain_text("Mentions and replies")


def test_a_link_leads_to_a_message_however_old_and_a_room_stays_unread(meet: Meet) -> None:
    mara, jonas = meet("Mara Links"), meet("Jonas Links", permissions=["clipboard-read", "clipboard-write"])
    mara.make("links", jonas)
    mara.make("links-other", jonas)
    mara.say("links", "The needle")
    for _ in range(2):
        mara.say("links", *(f"hay {n}" for n in range(450)))
    deleted = mara.say("links", "A regret")
    mara.publish("rooms.links", "message.deleted", message=deleted)
    mara.say("links", "The end")
    tab = jonas.open("links")
    needle = tab.page.request.get(f"{jonas.url}/search?q=needle&room=links").json()["hits"][0]["offset"]
    tab.page.goto(f"{jonas.url}/r/links?at={needle}")
    found = tab.page.locator("article.found")
    expect(found).to_contain_text("The needle")
    expect(found).to_be_in_viewport()
    expect(found).to_be_focused()
    tab.menu(found, "Copy link")
    assert tab.page.evaluate("navigator.clipboard.readText()") == f"{jonas.url}/r/links?at={needle}"
    tab.page.goto(f"{jonas.url}/r/links?at={deleted}")
    expect(found).to_contain_text("This message was deleted.")
    epoch = needle.rpartition("-")[0]
    for unknown in (f"{epoch}-99999", "zzzzzz-5", "nonsense"):
        tab.page.goto(f"{jonas.url}/r/links?at={unknown}")
        expect(tab.page.get_by_role("alert")).to_contain_text("Message not found.")
        expect(tab.said("The end")).to_be_in_viewport()

    device = jonas.open("links-other")
    expect(device.item("links").locator(".badge")).to_have_count(0)
    tab.menu(tab.said("hay 448").last, "Mark unread")
    expect(tab.since).to_be_visible()
    expect(device.item("links").locator(".badge")).to_have_text("3")
    mara.say("links", "One more")  # which this tab shows, and does not mark read
    expect(tab.said("One more")).to_be_visible()
    expect(device.item("links").locator(".badge")).to_have_text("4")
    tab.item("links-other").click()
    expect(tab.item("links").locator(".badge")).to_have_text("4")
    tab.item("links").click()
    expect(tab.since).to_be_visible()
    expect(device.item("links").locator(".badge")).to_have_count(0)
