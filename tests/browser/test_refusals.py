"""Requests that the server refuses, or cannot serve now: the page shows the reason and keeps what was typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import OpenTab
from tests.browser.people import Meet, RoomTab, meeting
from tests.serving import ServerProcess
from tidings.access.tokens import sign

SECRET = "a secret of the tests, which is at least 32 bytes long"
SLOWLY = "You may publish 5 events in 10 seconds."


@pytest.fixture
def slow(
    browser: Browser, open_tab: OpenTab, serve_process: Callable[..., ServerProcess], scripted: dict[str, str]
) -> Iterator[Meet]:
    """People of a server where one publishes an event every two seconds, after a burst of five."""
    server = serve_process(env={**scripted, "TIDINGS_LIMIT_PUBLISHES": "5"})
    yield from meeting(browser, open_tab, server.url)


def test_a_fast_writer_waits_and_every_message_arrives(slow: Meet) -> None:
    mara = slow("Mara")
    mara.make("fast")
    tab = mara.open("fast")
    expect(tab.writing).to_be_visible()
    waits = tab.page.locator(".toast", has_text="Waiting")

    @contextmanager
    def refused(topic: str, type: str = "") -> Iterator[None]:
        """Answer the page's next publish to `topic` with the server's own 429, and hold every repetition until the end.

        So the page is seen to wait, however slow this machine is. `type`: only events of that type, since a page also
        tells what has been read."""
        while (answer := mara.request.post(f"{mara.url}/topics/spent.by/events", data={})).ok:
            pass
        assert answer.status == 429, answer.text()
        refusal = {"status": 429, "headers": answer.headers, "body": answer.body()}
        answered: list[Route] = []
        held: list[Route] = []

        def refuse(route: Route) -> None:
            if type not in (route.request.post_data or ""):
                route.continue_()
                return
            if answered:
                held.append(route)
                return
            answered.append(route)
            route.fulfill(**refusal)

        tab.page.route(f"**/topics/{topic}/events", refuse)
        yield
        for route in held:
            route.continue_()
        tab.page.unroute(f"**/topics/{topic}/events", refuse)

    with refused("rooms.fast"):
        tab.say("held back")
        expect(tab.messages.last).to_contain_text(f"Waiting: {SLOWLY}")
    tab.expect_said("held back")

    with refused("users.Mara", "topic.muted"):
        tab.more("Mute")
        expect(waits).to_contain_text(SLOWLY)
    tab.page.mouse.move(600, 600)  # a toast stays while the pointer is on it, and the menu was there
    expect(tab.button("Unmute").first).to_be_visible()
    expect(waits).to_have_count(0)

    with refused("rooms.slower"):
        tab.button("Browse or create rooms").click()
        tab.button("New room").click()
        tab.page.get_by_label("Name").fill("slower")
        tab.button("Create room").click()
        expect(tab.page.get_by_role("dialog").get_by_role("status")).to_contain_text("The server has not answered yet.")
        expect(tab.page.get_by_label("Name")).to_have_value("slower")
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("slower")

    with refused("users.Mara.conversations"):
        tab.button("New conversation").click()
        tab.ask("How fast?")
        expect(waits).to_contain_text(SLOWLY)
    tab.expect_state("finished")


def signed_in(open_tab: OpenTab, server: ServerProcess, path: str, *publish: str) -> RoomTab:
    """A page of ada, whose token lets her publish to some topics alone."""
    tab = open_tab("/", url=server.url)
    token = sign(SECRET, "ada", publish=[*publish], subscribe=["*"], seconds=3600)
    assert tab.page.request.post(f"{server.url}/session", data={"token": token}).ok
    with tab.page.expect_response("**/notifications"):  # what comes from now on is news
        tab.page.goto(server.url + path)
    return RoomTab(tab.page)


def test_a_forbidden_action_is_explained_at_its_place(
    open_tab: OpenTab, serve_process: Callable[..., ServerProcess], scripted: dict[str, str]
) -> None:
    server = serve_process(env={**scripted, "TIDINGS_SECRET": SECRET, "TIDINGS_MAX_BODY": "20000"})
    tab = signed_in(open_tab, server, "/", "users.*")
    tab.button("Browse or create rooms").click()
    tab.button("New room").click()
    tab.page.get_by_label("Name").fill("not mine to make")
    tab.button("Create room").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Your token does not allow")
    expect(tab.page.get_by_label("Name")).to_have_value("not mine to make")
    tab.button("Cancel").click()
    tab.ask("May I ask?")
    expect(tab.log).to_contain_text("Not sent: Your token does not allow")
    tab.button("Delete").click()

    tab = signed_in(open_tab, server, "/", "*")
    tab.ask("x" * 20_001)
    expect(tab.log).to_contain_text("Not sent: A body is at most 20,000 bytes.")
    expect(tab.button("Copy text")).to_be_visible()
    tab.button("Delete").click()

    tab = signed_in(open_tab, server, "/", "rooms.*", "other.*")
    tell = json.dumps({"title": "For ada", "topic": "rooms.x"})
    whoever = sign(SECRET, "program", publish=["users.ada"], subscribe=[], seconds=3600)
    told = tab.page.request.post(
        f"{server.url}/topics/users.ada/events?type=notification.created",
        data=tell,
        headers={"authorization": f"Bearer {whoever}"},
    )
    assert told.ok, told.text()
    tab.page.locator(".toast").get_by_role("button", name="Mark as read").click()
    expect(tab.page.locator(".toast")).to_contain_text(["Not saved"])
    expect(tab.page.locator(".toast")).to_contain_text(["Your token does not allow"])
    expect(tab.page.locator(".bell .badge")).to_have_text("1")


def test_a_message_that_is_too_long_stays_in_the_composer(meet: Meet) -> None:
    mara = meet("Mara Long")
    mara.make("lengthy")
    tab = mara.open("lengthy")
    tab.say("short")
    tab.expect_said("short")
    tab.writing.press("ArrowUp")
    tab.say("x" * 16_001)
    expect(tab.page.get_by_role("alert")).to_contain_text("A message has at most 16,000 characters")
    expect(tab.writing).to_have_value("x" * 16_001)
    expect(tab.page.get_by_text("Editing message")).to_be_visible()
    tab.say("still short")
    tab.expect_said("still short")


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def test_a_dialog_waits_for_a_server_that_is_away(
    meet: Meet, serve_process: Callable[..., ServerProcess], scripted: dict[str, str]
) -> None:
    server = serve_process(env=scripted)
    mara = meet("Mara Waits", url=server.url)
    mara.make("here")
    tab = mara.open("here")
    expect(tab.page.get_by_text("Live")).to_be_visible()
    tab.button("Browse or create rooms").click()
    tab.button("New room").click()
    tab.page.get_by_label("Name").fill("waited for")
    server.kill()
    tab.button("Create room").click()
    told = tab.page.get_by_role("dialog").get_by_role("status")
    expect(told).to_have_text("Not connected. Your change is saved when the server answers. You can close this dialog.")
    expect(tab.page.get_by_label("Name")).to_have_value("waited for")
    server.start()
    expect(tab.page.get_by_role("heading", level=1)).to_have_text("waited for")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
