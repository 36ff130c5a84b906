"""The page without a network: the service worker shows it, with what this device holds of one person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, meeting
from tests.browser.tab import Tab, until
from tests.proxy import Proxy
from tests.serving import ServerProcess

READY = """async () => {
    const { active } = await navigator.serviceWorker.ready;
    const cache = await caches.open("tidings.page /");
    return active.state === "activated" && !!navigator.serviceWorker.controller && !!(await cache.match("/"));
}"""

HELD = """async () => {
    const found = [];
    for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) found.push(`${name} ${new URL(url).pathname}`);
    return found;
}"""


HELD_WITHOUT_SLIP = """async () => {
    const answer = await (await caches.open("tidings.held /")).match("/held/Mara/rooms/deck");
    const text = (await answer?.text()) ?? "";
    return text.includes("a word") && !text.includes("a slip");
}"""
"""True once the room is held without the message that was deleted: a moment after the server's announcement."""


@pytest.fixture
def way(server: ServerProcess) -> Iterator[Proxy]:
    with Proxy(server.port) as way:
        yield way


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, way: Proxy) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, way.url)


def lose(way: Proxy, page: Page) -> None:
    """Take the network away: from the page, and from its workers."""
    way.cut()
    page.context.set_offline(True)


def mend(way: Proxy, page: Page) -> None:
    way.mend()
    page.context.set_offline(False)


def test_without_a_network_the_page_shows_what_is_held_and_sends_later(meet: Meet, way: Proxy) -> None:
    mara = meet("Mara", service_workers="allow")
    mara.make("harbour")
    mara.say("harbour", "said before")
    room = mara.open("harbour")
    room.expect_said("said before")
    room.say("said live")
    room.expect_said("said before", "said live")
    tab = mara.open("")
    tab.answered("What is held?")
    until(tab.page, READY)

    lose(way, tab.page)
    for one in (tab, room):
        expect(one.banner).to_contain_text("You are offline.")
        one.page.reload()
        expect(one.banner).to_contain_text("You are offline. This is what was here at ")
        expect(one.page.locator(".connection")).to_have_text("Offline")
        expect(one.page.locator(".me .name")).to_have_text("Mara")
        expect(one.page.locator('.side a[href="/r/harbour"]')).to_be_visible()
        expect(one.page.get_by_role("link", name="What is held?")).to_be_visible()
    expect(tab.text).to_have_text("You asked: What is held?")
    room.expect_said("said before", "said live")
    room.say("written offline")
    expect(room.said("written offline")).to_be_visible()

    mend(way, tab.page)
    for one in (tab, room):
        expect(one.page.locator(".connection")).to_contain_text("Live")
    room.expect_said("said before", "said live", "written offline")
    tab.answered("And now?")


def test_the_next_person_to_sign_in_finds_nothing_of_the_previous_person(meet: Meet, way: Proxy) -> None:
    mara = meet("Mara", service_workers="allow")
    mara.make("cabin", private=True)
    mara.say("cabin", "a secret")
    room = mara.open("cabin")
    room.expect_said("a secret")
    until(room.page, READY)
    until(room.page, f"async () => (await ({HELD})()).some((name) => name.endsWith('/held/Mara/rooms/cabin'))")
    held = room.page.evaluate(HELD)
    page = [name.removeprefix("tidings.page / ") for name in held if name.startswith("tidings.page ")]
    assert all(path == "/" or path.startswith("/web/") for path in page), "the service worker holds the page alone"

    room.page.get_by_role("button", name="Settings").click()
    room.button("Sign out").click()
    expect(room.page.locator(".me .name")).to_have_text("You")
    assert not any("Mara" in name for name in room.page.evaluate(HELD))
    lose(way, room.page)
    room.page.goto(f"{way.url}/r/cabin")
    expect(room.banner).to_contain_text("You are offline.")
    expect(room.page.get_by_text("a secret")).to_have_count(0)
    expect(room.page.locator(".me .name")).to_have_text("You")
    mend(way, room.page)


def test_deleted_messages_are_not_held_offline(meet: Meet, way: Proxy) -> None:
    mara = meet("Mara", service_workers="allow")
    mara.make("deck")
    room = mara.open("deck")
    mara.say("deck", "a slip", "a word")
    room.expect_said("a slip", "a word")
    until(room.page, READY)
    room.menu(room.said("a slip"), "Delete")
    room.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(room.said("a slip")).to_have_count(0)
    until(room.page, HELD_WITHOUT_SLIP)
    lose(way, room.page)
    expect(room.banner).to_contain_text("You are offline.")
    room.page.reload()
    expect(room.said("a word")).to_be_visible()
    expect(room.page.get_by_text("a slip")).to_have_count(0)
    mend(way, room.page)


def test_a_page_without_anything_held_says_that_it_is_offline(open_tab: OpenTab, way: Proxy) -> None:
    tab = open_tab(url=way.url, service_workers="allow")
    until(tab.page, READY)
    tab.page.evaluate("caches.delete('tidings.held /')")
    tab.page.evaluate("localStorage.clear()")
    lose(way, tab.page)
    tab.page.goto(f"{way.url}/r/unknown")
    expect(Tab(tab.page).banner).to_contain_text("You are offline.")
    mend(way, tab.page)
