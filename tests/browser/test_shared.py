"""All tabs share one connection, and whoever holds it may go at any time: by a click, by a crash, by falling asleep."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.conftest import OpenTab, browsing
from tests.browser.model import Hold, ScriptedModel
from tests.browser.sources import SourcesServer
from tests.browser.tab import Tab, until
from tests.serving import ServerProcess
from tidings.access.tokens import sign

SECRET = "a secret of the tests, which is at least 32 bytes long"
Serve = Callable[..., ServerProcess]

FOLLOW = """async ([topic, tokens]) => {
    const base = document.querySelector('script[src$="/ui/main.js"]').src.replace("/ui/main.js", "");
    const { Tidings } = await import(`${base}/client/index.js`);
    window.got = [];
    window.asked = 0;
    window.tidings = new Tidings("", tokens ? { token: () => tokens[Math.min(asked++, tokens.length - 1)] } : {});
    tidings.subscribe(topic, {
        after: "earliest",
        onEvents: (events) => got.push(...events.map((event) => event.data)),
        onReset: () => got.push("reset"),
    });
}"""
GOT = "(n) => got.length >= n"
OPEN = "async () => (await (await fetch('/metrics')).text()).includes('\\ntidings_streams_open %d.0\\n')"
ASLEEP = "async () => (await navigator.locks.query()).held.length === %d"

HOLDERS = pytest.mark.parametrize(
    ("by", "without"), [("worker", ()), ("tab", ("SharedWorker",))], ids=["shared worker", "web locks"]
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A whole Chromium: its headless shell has no cache of pages to go back to."""
    with browsing(chromium) as browser:
        yield browser


@pytest.fixture
def serve_process(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers whose page is served from its sources, since these tests import the client into the page."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(SourcesServer(f"sqlite:///{tmp_path}/tidings.db", **options))


@pytest.fixture
def own(serve_process: Serve, scripted: dict[str, str]) -> ServerProcess:
    """A server of this test alone, whose connections can be counted."""
    return serve_process(env=scripted)


def publish(server: ServerProcess, topic: str, numbers: range) -> None:
    for n in numbers:
        request = urllib.request.Request(f"{server.url}/topics/{topic}/events", data=str(n).encode())
        urllib.request.urlopen(request).close()


def follow(tab: Tab, topic: str) -> Page:
    tab.page.evaluate(FOLLOW, [topic, None])
    return tab.page


def expect_once(pages: list[Page], count: int) -> None:
    """Each page has every number once, in order."""
    for page in pages:
        page.wait_for_function(GOT, arg=count)
        assert page.evaluate("got") == list(range(count))


def kill_worker(page: Page) -> None:
    """End the shared worker, as when its process dies."""
    session = page.context.browser.new_browser_cdp_session()
    targets = session.send("Target.getTargets", {"filter": [{"type": "shared_worker"}]})["targetInfos"]
    ours = [target for target in targets if target["url"].startswith(page.evaluate("location.origin"))]
    assert len(ours) == 1
    session.send("Target.closeTarget", {"targetId": ours[0]["targetId"]})


@HOLDERS
def test_nine_tabs_are_one_connection(
    open_tab: OpenTab, own: ServerProcess, model: ScriptedModel, by: str, without: tuple[str, ...]
) -> None:
    words = [f"w{n}" for n in range(200)]
    hold = Hold()
    model.script(f"nine tabs by {by}", " ".join(words[:100]), hold, " " + " ".join(words[100:]))
    first = open_tab(url=own.url, without=without)
    first.ask(f"For nine tabs by {by}")
    expect(first.text).to_have_text(" ".join(words[:100]))
    tabs = [first, *(open_tab(first.path, url=own.url, context=first.context) for _ in range(8))]
    for tab in tabs:
        expect(tab.text).to_have_text(" ".join(words[:100]))
        expect(tab.page.get_by_title("4 topics on 1 connection")).to_be_visible()
    expect(first.page.get_by_text("1 connection, 9 tabs")).to_be_visible()
    until(first.page, OPEN % 1)

    tabs.pop(0).page.close()  # where the tabs hold the connection, it was the first that did
    hold.go()
    for tab in tabs:
        expect(tab.text).to_have_text(" ".join(words))
        tab.expect_state("finished")
        expect(tab.banner).to_have_count(0)
    until(tabs[0].page, OPEN % 1)


@pytest.mark.parametrize(
    ("by", "without", "tab_too"),
    [("worker", (), False), ("worker", (), True), ("tab", ("SharedWorker",), True)],
    ids=["shared worker", "the process of worker and tab", "web locks"],
)
def test_a_holder_of_the_connection_dies_and_no_tab_loses_or_doubles_an_event(
    open_tab: OpenTab, own: ServerProcess, by: str, without: tuple[str, ...], tab_too: bool
) -> None:
    first = open_tab(url=own.url, without=without)
    tabs = [first, *(open_tab(url=own.url, context=first.context) for _ in range(3))]
    pages = [follow(tab, "numbers") for tab in tabs]
    publish(own, "numbers", range(100))
    expect_once(pages, 100)
    assert {page.evaluate("tidings.connection.by") for page in pages} == {by}
    until(pages[0], OPEN % 1)

    if tab_too:
        with suppress(Error):  # it has crashed, it says; its process is the worker's, too
            first.page.goto("chrome://crash")
        pages.remove(first.page)
    else:
        kill_worker(first.page)
    publish(own, "numbers", range(100, 200))
    late = follow(open_tab(url=own.url, context=first.context), "numbers")
    publish(own, "numbers", range(200, 300))
    expect_once([*pages, late], 300)
    assert {page.evaluate("tidings.connection.by") for page in pages} == {"tab"}
    until(late, OPEN % 1)


@HOLDERS
def test_a_tab_that_slept_gets_what_it_missed(
    open_tab: OpenTab, own: ServerProcess, by: str, without: tuple[str, ...]
) -> None:
    sleeper = open_tab(url=own.url, without=without)
    other = open_tab(url=own.url, context=sleeper.context)
    pages = [follow(sleeper, "numbers"), follow(other, "numbers")]
    publish(own, "numbers", range(10))
    expect_once(pages, 10)
    # Chromium freezes no page that is seen, and here all are: it is told what it would be told.
    sleeper.page.evaluate("document.dispatchEvent(new Event('freeze'))")
    # Two clients in each page: the UI and ours. The locks of the sleeper's are free; the connection's has one holder.
    until(other.page, ASLEEP % 3)
    publish(own, "numbers", range(10, 20))
    expect_once([other.page], 20)
    assert len(sleeper.page.evaluate("got")) == 10
    sleeper.page.evaluate("document.dispatchEvent(new Event('resume'))")
    publish(own, "numbers", range(20, 30))
    expect_once(pages, 30)
    until(other.page, OPEN % 1)


@HOLDERS
def test_the_holder_asks_a_tab_for_tokens_and_users_share_nothing(
    open_tab: OpenTab, serve_process: Serve, by: str, without: tuple[str, ...]
) -> None:
    server = serve_process(env={"TIDINGS_SECRET": SECRET})

    def token(name: str, seconds: float) -> str:
        return sign(SECRET, name, publish=["*"], subscribe=["*"], seconds=seconds)

    first = open_tab(url=server.url, without=without)
    tabs = [first, *(open_tab(url=server.url, context=first.context) for _ in range(2))]
    for tab, name in zip(tabs, ("ada", "ada", "mara"), strict=True):
        # The first is asked for again after a second and a half or so, long before the server would end the stream.
        tab.page.evaluate(FOLLOW, ["numbers", [token(name, 2), token(name, 3600)]])
    pages = [tab.page for tab in tabs]
    pages[0].evaluate("tidings.publish('numbers', 0)")
    expect_once(pages, 1)
    assert [page.evaluate("tidings.connection.by") for page in pages] == [by] * 3
    assert [page.evaluate("tidings.connection.tabs") for page in pages] == [2, 2, 1]
    for page in pages:
        page.wait_for_function("() => asked >= 1")
    until(pages[0], OPEN % 2)
    # One of the two that share, and the one that is alone, were asked for the second token.
    pages[2].wait_for_function("() => asked === 2")
    pages[2].evaluate("tidings.publish('numbers', 1)")
    expect_once(pages, 2)


def test_without_a_way_to_share_each_tab_that_is_looked_at_has_its_own(open_tab: OpenTab, own: ServerProcess) -> None:
    tab = open_tab(url=own.url, without=("SharedWorker", "locks"))
    expect(tab.page.get_by_title("2 topics on 1 connection")).to_be_visible()
    expect(tab.page.get_by_text("1 connection of this tab")).to_be_visible()
    page = follow(tab, "numbers")
    publish(own, "numbers", range(5))
    expect_once([page], 5)
    assert page.evaluate("tidings.connection.by") == "self"

    hide = "Object.defineProperty(Document.prototype, 'hidden', {configurable: true, get: () => %s});"
    turn = hide + "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(turn % "true")
    until(page, OPEN % 0)
    publish(own, "numbers", range(5, 10))
    page.evaluate(turn % "false")
    expect_once([page], 10)


def test_a_name_of_the_local_network_without_https_still_has_shared_workers(
    open_tab: OpenTab, serve_process: Serve, scripted: dict[str, str]
) -> None:
    server = serve_process(env={**scripted, "TIDINGS_HOSTS": "lan.test"})
    url = f"http://lan.test:{server.port}"
    first = open_tab(url=url)
    pages = [follow(tab, "numbers") for tab in (first, open_tab(url=url, context=first.context))]
    assert pages[0].evaluate("[isSecureContext, navigator.locks === undefined]") == [False, True]
    publish(server, "numbers", range(5))
    expect_once(pages, 5)
    assert pages[0].evaluate("tidings.connection.by") == "worker"
    expect(first.page.get_by_text("1 connection, 4 tabs")).to_be_visible()
    until(pages[0], OPEN % 1)
    pages[1].close()
    expect(first.page.get_by_text("1 connection, 2 tabs")).to_be_visible()


def test_a_page_that_comes_back_from_the_browser_s_cache_goes_on(open_tab: OpenTab, own: ServerProcess) -> None:
    tab = open_tab(url=own.url, without=("SharedWorker",))
    page = follow(tab, "numbers")
    publish(own, "numbers", range(5))
    expect_once([page], 5)
    page.evaluate("addEventListener('pageshow', (event) => (window.persisted = event.persisted))")
    page.goto(f"{own.url}/health")
    publish(own, "numbers", range(5, 10))
    page.evaluate("history.back()")
    page.wait_for_function("() => window.persisted === true")
    publish(own, "numbers", range(10, 15))
    expect_once([page], 15)
