"""The pages of docs/how-to/hypermedia.md, with npm's libraries as they are, over kills, deploys, resets and ends."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.mounted.foreign import ForeignServer

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "how-to" / "hypermedia.md").read_text("utf-8")
PYTHON = dict(re.findall(r"^```python\n# (.+?)\n(.*?)^```$", DOCS, re.S | re.M))
HTML = dict(re.findall(r"^```html\n<!-- (.+?) -->\n(.*?)^```$", DOCS, re.S | re.M))
PATIENCE = 60_000
"""Milliseconds in which a page that works shows what it shall. Never a measure of speed."""

HARD = 'A <b>bold</b> & "quoted" note\n豆腐 on its second line'


class Library(NamedTuple):
    """The packages of node_modules under the names that the page's reader installs, and a script that says `over`."""

    packages: dict[str, str]
    over: str


def once(event: str, condition: str) -> str:
    """Return a script that sets `over` when the page sees an event that fulfils a condition."""
    return f"document.addEventListener({event!r}, ({{ detail }}) => {condition} && (window.over = true))"


LIBRARIES = {
    "htmx 4": Library({"htmx.org": "htmx-4"}, once("htmx:sse:close", "detail.reason === 'message'")),
    "htmx 2": Library(
        {"htmx.org": "htmx-2", "htmx-ext-sse": "htmx-ext-sse"}, once("htmx:sseClose", "detail.type === 'message'")
    ),
    "Turbo": Library(
        {"@hotwired/turbo": "@hotwired/turbo"},
        "Object.defineProperty(window, 'over', {get: () => "
        "document.querySelector('turbo-stream-source')?.streamSource?.readyState === EventSource.CLOSED})",
    ),
    "Datastar": Library(
        {"@starfederation/datastar": "@starfederation/datastar"}, once("datastar-sse", "detail.type === 'finished'")
    ),
}

pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules" / "htmx-4").is_dir(), reason="no node_modules (scripts/node-modules)"
)

Serve = Callable[[str], ForeignServer]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves the page's app with the page of a library, and with the library's packages as npm installs them."""
    servers: list[ForeignServer] = []

    def start(name: str) -> ForeignServer:
        for installed, package in LIBRARIES[name].packages.items():
            shutil.copytree(ROOT / "node_modules" / package, tmp_path / "node_modules" / installed)
        (tmp_path / "page.html").write_text(HTML[name], "utf-8")
        source = "\n".join([PYTHON["board.py"], PYTHON["full"], PYTHON.get(name, "")])
        for relative in ("node_modules", "page.html"):
            source = source.replace(f'"{relative}"', f'"{tmp_path / relative}"')
        # Short reconnection times make the test quick.
        store = f'"sqlite:///{tmp_path}/board.db", retry=(0.05, 0.1)'
        (tmp_path / "board.py").write_text(source.replace('"sqlite:///board.db"', store), "utf-8")
        servers.append(ForeignServer("uvicorn", "board:app", env={"PYTHONPATH": str(tmp_path)}))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    yield page
    context.close()


def send(server: ForeignServer, method: str, path: str = "", body: str = "") -> None:
    with urlopen(Request(f"{server.url}/board{path}", body.encode() or None, method=method), timeout=60) as answer:
        assert answer.status == 200


def shows(page: Page, *notes: str) -> None:
    """Wait until the page shows these notes and no others, in this order."""
    expect(page.locator("li")).to_have_text(list(notes), timeout=PATIENCE)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_page_has_each_note_once_over_all_that_happens(serve: Serve, page: Page, name: str) -> None:
    server = serve(name)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/board" in request.url else None)
    page.add_init_script(LIBRARIES[name].over)
    page.goto(server.url)
    send(server, "POST", body=HARD)
    send(server, "POST", body="two")
    shows(page, HARD, "two")
    assert page.locator("li b").count() == 0

    server.kill()
    server.start()
    send(server, "POST", body="three")
    shows(page, HARD, "two", "three")
    server.terminate()
    server.start()
    send(server, "POST", body="four")
    shows(page, HARD, "two", "three", "four")

    send(server, "DELETE")
    shows(page)
    send(server, "POST", body="anew")
    shows(page, "anew")
    assert not page.evaluate("window.over ?? false")

    send(server, "POST", "/close")
    page.wait_for_function("window.over")
    before = len(asked)
    page.wait_for_timeout(500)  # five times the longest reconnection time: a client that asks again has asked by then
    assert asked[before:] == []
    shows(page, "anew")


@pytest.mark.parametrize("name", ["htmx 4", "htmx 2"])
def test_a_full_page_goes_on_after_its_notes(serve: Serve, page: Page, name: str) -> None:
    server = serve(name)
    page.goto(f"{server.url}/full")
    send(server, "POST", body="one")
    shows(page, "one")
    page.goto(f"{server.url}/full")
    assert page.locator("li").all_text_contents() == ["one"]
    send(server, "POST", body="two")
    shows(page, "one", "two")
    server.kill()
    server.start()
    send(server, "POST", body="three")
    shows(page, "one", "two", "three")


def test_turbo_shows_each_note_once_when_the_reader_goes_back(serve: Serve, page: Page) -> None:
    server = serve("Turbo")
    page.goto(server.url)
    send(server, "POST", body="one")
    shows(page, "one")
    loaded = "new Promise((loaded) => document.addEventListener('turbo:load', loaded, {once: true}))"
    page.evaluate(f"() => {{ Turbo.visit('/?elsewhere'); return {loaded}.then(() => undefined); }}")
    shows(page, "one")
    page.go_back()
    send(server, "POST", body="two")
    shows(page, "one", "two")


@pytest.mark.parametrize(
    ("name", "notes"),
    [("htmx 4", ["one", "two"]), ("htmx 2", ["one", "one", "two"]), ("Turbo", None), ("Datastar", None)],
)
def test_pages_recover_from_a_gateway_that_answers_for_the_server(
    serve: Serve, page: Page, name: str, notes: list[str] | None
) -> None:
    """The page says so of each library. `notes`: None where it stops for good."""
    server = serve(name)
    page.add_init_script(LIBRARIES[name].over)
    page.goto(server.url)
    send(server, "POST", body="one")
    shows(page, "one")
    # Until the server is there again, whoever asks is answered in its place.
    page.route("**/board*", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>502</h1>"))
    with page.expect_response(lambda response: response.status == 502):
        server.kill()
    if notes is None:
        page.wait_for_function("window.over")
        shows(page, "one")
    else:
        server.start()
        page.unroute("**/board*")
        send(server, "POST", body="two")
        shows(page, *notes)


def test_every_example_of_the_page_is_tried() -> None:
    assert list(HTML) == list(LIBRARIES)
    assert set(PYTHON) == {"board.py", "Turbo", "Datastar", "full"}
