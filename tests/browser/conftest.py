"""Tabs of a real browser over a real server whose model is scripted, each watched for what must never happen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.model import ScriptedModel
from tests.browser.sources import SourcesServer
from tests.browser.tab import Tab
from tests.serving import ServerProcess

FLAGS = """
--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update
--disable-sync
"""

LAN = "--host-resolver-rules=MAP lan.test 127.0.0.1"
"""A name that is not loopback's, so that its pages are no secure context."""

NO_CACHE = "--disable-back-forward-cache"
"""A flag of Playwright's that would take away what people's browsers have."""

# Milliseconds. A machine that runs everything else at the same time is slow; nothing here measures how slow.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)

WITHOUT = {
    "SharedWorker": "delete window.SharedWorker",
    "locks": "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})",
}

# "Back online" is shown for four seconds, which a busy machine may take to look again.
BANNERS = """
    window.banners = [];
    new MutationObserver(() => {
        const text = document.querySelector(".banner")?.textContent ?? "";
        if (text !== banners.at(-1)) banners.push(text);
    }).observe(document, {subtree: true, childList: true, characterData: true});
"""

OpenTab = Callable[..., Tab]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@contextmanager
def browsing(path: str) -> Iterator[Browser]:
    """Run the browser at `path`. Meanwhile Playwright's event loop runs, and no asynchronous test can."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS.split(), LAN], ignore_default_args=[NO_CACHE]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(headless_shell: str) -> Iterator[Browser]:
    """A browser for each module, without a window. A module that needs a whole Chromium has a fixture of its own."""
    with browsing(headless_shell) as browser:
        yield browser


@pytest.fixture(scope="session")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def scripted(model: ScriptedModel) -> dict[str, str]:
    """The environment of a server whose default assistant is the scripted model."""
    return {"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted"}


@pytest.fixture(scope="session")
def server(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for all tests that do it no harm. Tests share its conversations, so each asks questions of its own."""
    store = f"sqlite:///{tmp_path_factory.mktemp('browser')}/tidings.db"
    with ServerProcess(store, env={"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted"}) as server:
        yield server


@pytest.fixture(scope="session")
def sources(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The same, but its page is served from its sources, so that a test can import a module of the page."""
    store = f"sqlite:///{tmp_path_factory.mktemp('sources')}/tidings.db"
    with SourcesServer(store, env={"TIDINGS_MODEL_URL": model.url, "TIDINGS_MODEL": "scripted"}) as server:
        yield server


@pytest.fixture
def open_tab(browser: Browser, server: ServerProcess) -> Iterator[OpenTab]:
    """`open_tab(path, url=…, context=…, without=…, **options of a new context)`.

    `without` names what its browser lacks: `SharedWorker`, `locks`. There is no service worker unless `service_workers`
    is "allow": Playwright cannot hold back the requests of a page that has one.

    When the test is over: no request left the origin, no policy was violated, and no script failed.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open(
        path: str = "/",
        *,
        url: str = "",
        context: BrowserContext | None = None,
        without: tuple[str, ...] = (),
        **options: Any,
    ) -> Tab:
        base = url or server.url
        if context is None:
            options = {
                "viewport": {"width": 1440, "height": 900},
                "reduced_motion": "reduce",
                "service_workers": "block",
            } | options
            context = browser.new_context(**options)
            context.set_default_timeout(PATIENCE)
            contexts.append(context)
            for name in without:
                context.add_init_script(WITHOUT[name])
        page = context.new_page()
        watch(page, base, faults)
        page.add_init_script(BANNERS)
        page.goto(base + path)
        # The page hears of keys only after its first frame, with which it also gets its title. JSON has none.
        if page.evaluate("document.contentType") == "text/html":
            expect(page).to_have_title(re.compile(" \N{MIDDLE DOT} Tidings$"))
        return Tab(page)

    yield open
    for context in contexts:
        context.close()
    assert faults == []


def watch(page: Page, base: str, faults: list[str]) -> None:
    """Write down whatever a page must never do."""

    def requested(request: Request) -> None:
        if not request.url.startswith((f"{base}/", "blob:", "data:")):
            faults.append(f"a request left the origin: {request.url}")

    def told(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            faults.append(message.text)

    page.on("request", requested)
    page.on("console", told)
    page.on("pageerror", lambda error: faults.append(f"a script failed: {error}"))
