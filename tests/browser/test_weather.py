"""Rough weather over a room: networks that are cut and stall, a server that dies, pages that sleep. Whatever happens,
nothing is lost, doubled or out of order on any screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from tests.browser.conftest import OpenTab
from tests.browser.lid import Laptop, Wall
from tests.browser.model import Hold, ScriptedModel
from tests.browser.people import Meet, Person, RoomTab, at_end, meeting
from tests.browser.tab import until
from tests.proxy import Proxy
from tests.serving import ServerProcess

Serve = Callable[..., ServerProcess]
OPEN = "async () => (await (await fetch('/metrics')).text()).includes('\\ntidings_streams_open %d.0\\n')"


@pytest.fixture
def own(serve_process: Serve, scripted: dict[str, str]) -> ServerProcess:
    """A server of this test alone, which may be harmed."""
    return serve_process(env=scripted)


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, own: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, own.url)


@pytest.fixture
def way(own: ServerProcess) -> Iterator[Callable[[], Proxy]]:
    """`way()`: a way to the server that can be cut, each person's own."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Proxy(own.port))


def logged(person: Person, room: str) -> list[str]:
    """Return the texts of a room's messages, as its log has them."""
    events = person.request.get(f"{person.url}/topics/rooms.{room}/events?limit=1000").json()["events"]
    return [event["data"]["text"] for event in events if event["type"] == "message.posted"]


def expect_same(person: Person, room: str, count: int, *tabs: RoomTab) -> list[str]:
    """Wait until all of them show `count` messages; they show the log."""
    for tab in tabs:
        expect(tab.page.locator("article.said:not(.pale)")).to_have_count(count)
        expect(tab.page.locator("article.said.pale")).to_have_count(0)
    said = logged(person, room)
    for tab in tabs:
        assert tab.texts() == said
    return said


def test_two_people_and_an_assistant_talk_through_cuts_stalls_and_a_killed_server(
    meet: Meet, way: Callable[[], Proxy], own: ServerProcess, model: ScriptedModel
) -> None:
    words = [f"w{n}" for n in range(300)]
    first, second = Hold(), Hold()
    model.script("tell me all", " ".join(words[:100]), first, " " + " ".join(words[100:200]), second, " never")
    near, far = way(), way()
    mara, jonas = meet("Mara Lindqvist", url=near.url), meet("Jonas Weber", url=far.url)
    mara.make("storm", jonas)
    tab, other = mara.open("storm"), jonas.open("storm")
    tab.say("@assistant tell me all")
    for one in (tab, other):
        expect(one.text).to_have_text(" ".join(words[:100]))

    near.cut()
    expect(tab.banner).to_contain_text("Reconnecting")
    for n in range(3):
        tab.say(f"from the dark {n}")
        other.say(f"in the light {n}")
    expect(tab.log.get_by_text("Waiting for connection (2nd in line)")).to_be_visible()
    first.go()
    expect(other.text).to_have_text(" ".join(words[:200]))
    near.mend()
    tab.reconnect()
    said = expect_same(jonas, "storm", 7, tab, other)
    assert [text for text in said if "dark" in text] == [f"from the dark {n}" for n in range(3)]
    expect(tab.text).to_have_text(" ".join(words[:200]))

    far.tell("now stall 300")
    far.tell("cut")
    mara.say("storm", *(f"while it stalls {n}" for n in range(20)))
    far.tell("now pass")
    far.tell("cut")
    expect_same(mara, "storm", 27, tab, other)

    own.kill()
    expect(other.banner).to_contain_text("Reconnecting")
    other.say("to a server that is dead")
    own.start()
    for one in (tab, other):
        one.expect_state("interrupted")
        expect(one.text).to_have_text(" ".join(words[:200]))
        expect(one.answers).to_have_count(1)
        expect(one.banner).to_have_count(0)
    said = expect_same(mara, "storm", 28, tab, other)
    assert len(set(said)) == len(said)
    assert said[-1] == "to a server that is dead"


def keys_posted(tab: RoomTab) -> list[str]:
    """The Idempotency-Key of every message the page sends from now on, as often as it sends it."""
    keys: list[str] = []

    def posted(request: Request) -> None:
        if request.method == "POST" and "/topics/rooms." in request.url and "idempotency-key" in request.headers:
            keys.append(request.headers["idempotency-key"])

    tab.page.on("request", posted)
    return keys


def test_silence_is_noticed_by_the_page_itself_and_costs_nothing(
    meet: Meet, way: Callable[[], Proxy], model: ScriptedModel
) -> None:
    words = [f"w{n}" for n in range(200)]
    hold = Hold()
    model.script("through the silence", " ".join(words[:100]), hold, " " + " ".join(words[100:]))
    near, far = way(), way()
    mara, jonas, ada = meet("Mara Lindqvist", url=near.url), meet("Jonas Weber", url=far.url), meet("Ada Okafor")
    ada.make("silence", mara, jonas)
    tab, other, third = mara.open("silence"), jonas.open("silence"), ada.open("silence")
    tab.say("@assistant through the silence")
    for one in (tab, other, third):
        expect(one.text).to_have_text(" ".join(words[:100]))

    # Nothing gets through to Mara or from her; Jonas gets no answers. No connection ends.
    near.tell("now silent")
    far.tell("now mute")
    sent = [keys_posted(tab), keys_posted(other)]
    for n in range(3):
        tab.say(f"from the silence {n}")
        other.say(f"said and not answered {n}")
    third.expect_said("@assistant through the silence", "said and not answered 0")
    ada.say("silence", *(f"meanwhile {n}" for n in range(20)))
    hold.go()
    expect(third.text).to_have_text(" ".join(words))
    for one in (tab, other):
        expect(one.text).to_have_text(" ".join(words[:100]))

    # Nobody has cut anything: 40 s without a byte are what ends it, and these are real ones.
    for one in (tab, other):
        expect(one.banner).to_contain_text("Reconnecting")
        expect(one.banner).to_contain_text("3 waiting")
    assert [len(keys) for keys in sent] == [1, 1]
    near.mend()
    far.mend()
    said = expect_same(ada, "silence", 27, tab, other, third)
    for what in ("from the silence", "said and not answered", "meanwhile"):
        assert [text for text in said if what in text] == [
            f"{what} {n}" for n in range(20 if what == "meanwhile" else 3)
        ]
    for one in (tab, other):
        expect(one.text).to_have_text(" ".join(words))
        expect(one.banner).to_have_count(0)
    # The first of each was sent twice, under one key: its first copy has arrived as well, early or late.
    for keys in sent:
        assert keys == [keys[0], keys[0], *keys[2:]]
        assert len(set(keys)) == 3


def test_messages_written_offline_are_sent_once_in_order_and_survive_the_tab(
    meet: Meet, way: Callable[[], Proxy]
) -> None:
    proxy = way()
    mara = meet("Mara Lindqvist", url=proxy.url)
    mara.make("later")
    tab = mara.open("later")
    lost: list[str] = []

    def lose(route: Route) -> None:
        """The server gets the message, and its answer never arrives."""
        lost.append(route.fetch().text())
        route.abort()

    tab.page.route("**/topics/rooms.later/events*", lose, times=1)
    tab.say("before")
    tab.expect_said("before")
    assert lost
    proxy.cut()
    expect(tab.banner).to_contain_text("Reconnecting")
    for n in range(4):
        tab.say(f"later {n}")
    expect(tab.banner).to_contain_text("4 waiting")
    tab.messages.filter(has_text="later 2").get_by_role("button", name="Delete").click()
    tab.page.close()
    proxy.mend()
    tab = mara.open("later")
    tab.expect_said("before", "later 0", "later 1", "later 3")
    assert logged(mara, "later") == ["before", "later 0", "later 1", "later 3"]


def test_nine_tabs_in_a_room_are_one_connection(meet: Meet) -> None:
    mara, jonas = meet("Mara Lindqvist"), meet("Jonas Weber")
    mara.make("many", jonas)
    tabs = [mara.open("many") for _ in range(9)]
    # The people, oneself, one's conversations, the room.
    expect(tabs[-1].page.get_by_title("4 topics on 1 connection")).to_have_text("Live· 1 connection, 9 tabs")
    until(tabs[0].page, OPEN % 1)
    jonas.say("many", *(f"m{n}" for n in range(20)))
    tabs[3].say("from one of nine")
    for tab in tabs:
        tab.expect_said(*(f"m{n}" for n in range(20)), "from one of nine")


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler on this machine (Debian: apt-get install gcc)")
def test_a_laptop_that_slept_for_an_hour_begins_with_what_is_now(
    browser: Browser,
    chromium: str,
    open_tab: OpenTab,
    serve_process: Serve,
    tmp_path: Path,
    scripted: dict[str, str],
    model: ScriptedModel,
) -> None:
    """Its processes stop, its connections are cut, an hour passes on the wall, and it wakes without a network."""
    model.script("what was the night like", "Long, and full of dreams.")
    wall = Wall(tmp_path)
    # One person says 3,000 things at once, which is more than a person may by default.
    server = serve_process(env=scripted | wall.env | {"TIDINGS_LIMIT_PUBLISHES": "0"})
    with ExitStack() as stack:
        way = stack.enter_context(Proxy(server.port))
        laptop = stack.enter_context(Laptop(browser.browser_type, chromium, wall))
        own = stack.enter_context(contextmanager(meeting)(laptop.browser, open_tab, way.url))
        meet = stack.enter_context(contextmanager(meeting)(browser, open_tab, server.url))
        mara, jonas, ada = own("Mara Lindqvist"), meet("Jonas Weber"), meet("Ada Okafor")
        for room in ("night", "hall"):
            jonas.make(room, mara, ada)
        tab, hall, other = mara.open("night"), mara.open("hall"), jonas.open("night")
        for room, one in (("night", tab), ("hall", hall)):
            jonas.say(room, "good night")
            one.expect_said("good night")
            expect(tab.item(room).locator(".badge")).to_have_count(0)
        other.writing.press_sequentially("Hm")
        expect(tab.page.get_by_text("Jonas is typing")).to_be_visible()
        expect(tab.member("Jonas Weber")).to_contain_text("here")

        laptop.close_lid()
        way.cut()
        other.page.close()
        for part in range(3):
            jonas.say("night", *(f"dream {part * 1000 + n}." for n in range(1000)))
            wall.move(1200)
        jonas.say("night", "@assistant what was the night like")
        jonas.say("hall", "steps", "and a light")
        other = ada.open("night")
        expect(other.text).to_have_text("Long, and full of dreams.")
        before = way.events()

        laptop.open_lid()
        expect(tab.banner).to_contain_text("Reconnecting")
        asked: list[str] = []
        tab.page.on("request", lambda request: asked.append(request.url.removeprefix(way.url)))
        way.mend()
        expect(tab.text).to_have_text("Long, and full of dreams.")
        expect(tab.page.get_by_text("is typing")).to_have_count(0)
        expect(tab.member("Ada Okafor")).to_contain_text("here")
        expect(tab.member("Jonas Weber")).to_contain_text("away")
        expect(tab.banner).to_have_count(0)
        assert at_end(tab.page)
        hall.expect_said("good night", "steps", "and a light")
        expect(hall.since).to_contain_text("New since")
        assert "/rooms/night" in asked
        assert not [path for path in asked if path.startswith("/topics/rooms.")]
        assert way.events() - before < 100, "the night was replayed"

        jonas.say("night", "good morning")
        expect(tab.messages.last).to_contain_text("good morning")
        shown = tab.texts()
        dreams = [f"dream {n}." for n in range(3000 - len(shown) + 2, 3000)]
        assert shown == [*dreams, "@assistant what was the night like", "good morning"]
        assert 10 < len(shown) <= 100


def test_a_tab_that_was_frozen_begins_with_what_is_now(meet: Meet, way: Callable[[], Proxy]) -> None:
    own = way()  # Jonas's page is given every event of the night, and events on this way are Mara's alone
    mara, jonas = meet("Mara Lindqvist", url=own.url), meet("Jonas Weber")
    mara.make("frozen", jonas)
    tab = mara.open("frozen")
    jonas.say("frozen", "good night")
    tab.expect_said("good night")
    other = jonas.open("").page
    until(other, OPEN % 2)
    tab.page.evaluate("document.dispatchEvent(new Event('freeze'))")  # as a browser tells a page that it freezes
    until(other, OPEN % 1)
    jonas.say("frozen", *(f"dream {n}." for n in range(1000)))
    before = own.events()
    tab.page.evaluate("document.dispatchEvent(new Event('resume'))")
    expect(tab.messages.last).to_contain_text("dream 999.")
    expect(tab.messages.first).not_to_contain_text("good night")
    assert own.events() - before < 100, "the night was replayed"
    assert at_end(tab.page)
