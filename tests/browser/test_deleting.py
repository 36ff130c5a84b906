"""Deleting deletes: a text is gone from every page, tab, bell and log at once, and after a reload."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Response, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, Person, RoomTab, meeting
from tests.serving import ServerProcess

SECRET = "the launch code is xylophone"


REDACT = """
import asyncio, sys
from tidings import Hub

async def redact(store, topic, offset):
    async with Hub(store) as hub:
        await hub.redact(topic, offset)

asyncio.run(redact(*sys.argv[1:]))
"""
"""The program of an operator: another process on the same store."""


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def published(answer: Response, room: str) -> bool:
    """Check if the server answers that an event of the room is stored."""
    return f"/topics/rooms.{room}/events" in answer.url and answer.status == 201


def holds(person: Person, room: str) -> bool:
    """Return whether the log of the room, the inbox or its log hold the word for this person."""
    paths = (f"topics/rooms.{room}/events", f"rooms/{room}", f"topics/{person.topic}/events", "notifications")
    answers = [person.request.get(f"{person.url}/{path}") for path in paths]
    assert all(answer.ok for answer in answers)
    return any("xylophone" in answer.text() for answer in answers)


def expect_forgotten(tab: RoomTab) -> None:
    """Wait until the word is nowhere in the page, its bell included."""
    tab.page.locator(".bell:visible").click()
    expect(tab.page.locator("#centre")).to_be_visible()
    expect(tab.page.locator("html")).not_to_contain_text("xylophone")
    assert "xylophone" not in tab.page.content()
    tab.button("Close notifications").click()


@pytest.mark.parametrize("how", ["deleted", "edited"])
def test_a_removed_text_is_nowhere(meet: Meet, how: str) -> None:
    mara, jonas = meet(f"Mara {how}"), meet(f"Jonas {how}")
    room = f"forgets-{how}"
    mara.make(room, jonas)
    elsewhere = f"elsewhere-{how}"
    jonas.make(elsewhere)
    tab, other = mara.open(room), jonas.open(room)
    away = jonas.open(elsewhere)
    tab.say(f"@Jonas {SECRET}")
    for one in (tab, other):
        expect(one.said("xylophone")).to_be_visible()
    other.said("xylophone").hover()
    other.said("xylophone").get_by_role("button", name="Reply").click()
    other.say("Thank you")
    expect(tab.said("Thank you").locator(".quote")).to_contain_text("xylophone")
    assert holds(jonas, room)

    tab.menu(tab.messages.first, "Delete" if how == "deleted" else "Edit")
    with tab.page.expect_response(lambda answer: published(answer, room)):  # the server answers when all is erased
        if how == "deleted":
            tab.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        else:
            tab.say("the launch code is secret")
    left = "This message was deleted." if how == "deleted" else "the launch code is secret"
    for one in (tab, other):
        expect(one.messages.first).to_contain_text(left)
    assert not any(holds(person, room) for person in (mara, jonas))
    for reloaded in (False, True):
        for one in (tab, other, away):
            if reloaded:
                one.page.reload()
            if one is not away:
                expect(one.messages.first).to_contain_text(left)
                expect(one.said("Thank you")).to_be_visible()
            expect_forgotten(one)


def test_an_event_that_an_operator_redacts_is_gone_from_open_pages(meet: Meet, server: ServerProcess) -> None:
    mara, jonas = meet("Mara Operator"), meet("Jonas Operator")
    mara.make("redacts", jonas)
    offset = mara.say("redacts", SECRET)
    tabs = [mara.open("redacts"), jonas.open("redacts"), jonas.open("redacts")]
    for tab in tabs:
        expect(tab.said("xylophone")).to_be_visible()
    subprocess.run([sys.executable, "-c", REDACT, server.store, "rooms.redacts", offset], check=True, timeout=120)
    for reloaded in (False, True):
        for tab in tabs:
            if reloaded:
                tab.page.reload()
            expect(tab.messages).to_have_count(1)
            expect(tab.messages).to_contain_text("This message was deleted.")
            expect(tab.page.locator("html")).not_to_contain_text("xylophone")
