"""The first load of the page: what it costs, and what is seen before any script has run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import OpenTab
from tests.browser.model import ScriptedModel
from tests.browser.people import Meet, meeting
from tests.browser.sources import SourcesServer
from tests.browser.tab import Held, Tab
from tests.proxy import Proxy
from tests.serving import ServerProcess
from tidings import web

MOST_REQUESTS, MOST_BYTES = 15, 130_000

pytestmark = pytest.mark.skipif(not web.bundled, reason="no bundle of the page: scripts/bundle makes it, with Node")

SHIFTED = """() => new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0)))
        .observe({ type: "layout-shift", buffered: true });
    setTimeout(() => resolve(0), 200);
})"""

PLACES = """() => Object.fromEntries(
    [".brand a", ".search", ".foot", ".page-header", ".composer", ".tools .primary"].map((name) => [
        name, JSON.stringify(document.querySelector(name)?.getBoundingClientRect()),
    ]))"""


@pytest.fixture
def way(server: ServerProcess) -> Iterator[Proxy]:
    """A way to the server that counts."""
    with Proxy(server.port) as way:
        yield way


@pytest.fixture
def meet(browser: Browser, open_tab: OpenTab, server: ServerProcess) -> Iterator[Meet]:
    yield from meeting(browser, open_tab, server.url)


def expect_live(page: Page) -> None:
    """Wait until the page is connected and shows what it has asked for."""
    expect(page.locator(".connection")).to_contain_text("Live")
    expect(page.locator(".sections")).not_to_contain_text("Loading")


@pytest.mark.parametrize(("place", "most"), [("", MOST_REQUESTS), ("light", MOST_REQUESTS + 2)])
def test_the_page_takes_fifteen_requests_and_130_kilobytes(
    browser: Browser, open_tab: OpenTab, serve_process: Callable[..., ServerProcess], place: str, most: int
) -> None:
    """The proxy counts the requests of workers, too. A room is two more: the page reads it, and marks it read.

    The stream counts once. The page opens it again for each topic of which it learns over 10 ms after the others: not
    at all, or three times on a busy machine.

    The server is this test's own: the rooms that other tests have made in theirs would be counted, since the page lists
    them.
    """
    server = serve_process()
    with Proxy(server.port) as way, contextmanager(meeting)(browser, open_tab, server.url) as meet:
        mara = meet("Mara", url=way.url)
        if place:
            mara.make(place)
            mara.say(place, "Hello")
        way.fresh()
        tab = mara.open(place)
        expect_live(tab.page)
        tab.page.wait_for_timeout(1000)  # what the page still asks for only makes this stricter
        again = way.count("/events?") - 1
        assert again >= 0
        assert 8 <= way.count() - again <= most
        assert way.bytes() <= MOST_BYTES


@pytest.mark.parametrize(
    ("scheme", "chosen", "canvas"),
    [("light", None, "rgb(255, 255, 255)"), ("dark", None, "rgb(18, 27, 27)"), ("light", "dark", "rgb(18, 27, 27)")],
    ids=["light", "dark", "dark by choice"],
)
@pytest.mark.parametrize("width", [1440, 390], ids=["desktop", "phone"])
def test_the_first_paint_stays_in_place_when_scripts_run(
    browser: Browser, server: ServerProcess, scheme: Any, chosen: str | None, canvas: str, width: int
) -> None:
    options = {"service_workers": "block", "viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with browser.new_context(**options) as context:
        page = context.new_page()
        if chosen:
            page.goto(f"{server.url}/health")
            page.evaluate("chosen => localStorage.setItem('tidings.theme', JSON.stringify(chosen))", chosen)
        scripts = Held(page, re.compile(r"/web/main-\w+\.js$"))
        page.goto(server.url, wait_until="commit")
        expect(page.locator(".composer")).to_be_visible()
        assert page.locator("textarea#composer").count() == 0, "no script has run"
        expect(page.locator("body")).to_have_css("background-color", canvas)  # once its style sheet has come
        before = page.evaluate(PLACES)
        scripts.let_go()
        expect(page.locator("textarea#composer")).to_be_visible()
        expect_live(page)
        assert page.evaluate(PLACES) == before
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == canvas
        assert page.evaluate(SHIFTED) < 0.01


def test_a_page_that_is_open_over_a_deploy_offers_the_new_version(
    open_tab: OpenTab, model: ScriptedModel, scripted: dict[str, str], tmp_path: Path
) -> None:
    """The page's files are others after the deploy, so that what it has not loaded cannot be had any more."""
    store = f"sqlite:///{tmp_path}/tidings.db"
    with ServerProcess(store, env=scripted) as before:
        tab = open_tab(url=before.url)
        tab.answered("Before the deploy")
        tab.composer.fill("half a thought")
        before.kill()
        with SourcesServer(store, env=scripted, port=before.port):
            tab.reconnect()
            tab.expect_back()
            note = tab.page.locator(".toast", has_text="Tidings was updated")
            expect(note).to_be_visible()
            note.hover()
            old = build(tab)
            note.get_by_role("button", name="Reload").click()
            expect(tab.page.locator(f'meta[name=build]:not([content="{old}"])')).to_be_attached()
            expect(tab.composer).to_have_value("half a thought")
            expect(tab.text).to_have_text("You asked: Before the deploy")


def build(tab: Tab) -> str:
    """Return the version of the page that a tab shows."""
    return str(tab.page.locator("meta[name=build]").get_attribute("content"))
