"""Our clients and the browser's own `EventSource` over networks that misbehave, killed servers, deploys and cuts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests.browser.sources import SourcesServer
from tests.client.scripted import Answer, script
from tests.engines.engines import Engine
from tests.engines.tab import Tab
from tests.proxy import Proxy
from tests.serving import PATIENCE, ServerProcess
from tests.web.test_eventsource import MISBEHAVIOURS, NUMBERS, App, app  # noqa: F401 a fixture

TOPIC = "engines.numbers"

IMPORT = (
    "const module = async (name) => import(document.querySelector('script[type=module]').src.replace('ui/main', name));"
)
"""The client's modules beside those of the page, whose folder is named by its content."""

OWN = "data:text/javascript,export const EventSource = globalThis.EventSource"
"""A module that exports the browser's own `EventSource` as ours is exported."""


@pytest.fixture(scope="module")
def proxy(app: App) -> Iterator[Proxy]:  # noqa: F811
    with Proxy(app.port) as proxy:
        yield proxy


@pytest.fixture
def tab(browser: Tab, proxy: Proxy) -> Tab:
    proxy.fresh()
    return browser.open(f"{proxy.url}/files/blank.html")


def follow(tab: Tab, proxy: Proxy, client: str, behaviours: Sequence[str], **options: Any) -> Sequence[str]:
    """Follow the numbers to the last through a network that behaves so, and return their texts."""
    load = "async (...names) => { for (const name of names) await import(name); }"
    tab.call(load, "/files/tests/follow.js", client)
    for behaviour in behaviours:
        proxy.tell(f"next {behaviour}")
    before = proxy.count()
    url = "/events?topic=numbers&after=earliest"
    asked = {"client": client, "url": url, "last": NUMBERS[-1], "options": options}
    followed = tab.call("async (asked) => (await import('/files/tests/follow.js')).follow(asked)", asked)
    assert proxy.count() - before >= len(behaviours)
    texts: list[str] = followed["data"]
    return texts


@pytest.mark.parametrize("case", MISBEHAVIOURS, ids=lambda case: case["name"])
def test_our_eventsource_gets_every_event_once(tab: Tab, proxy: Proxy, case: dict[str, Any]) -> None:
    client = "/files/client/eventsource.js"
    assert follow(tab, proxy, client, case["behaviours"], patient=True, silence=500) == NUMBERS


def test_the_browser_s_own_eventsource_gets_every_event_once_over_cuts_within_events(tab: Tab, proxy: Proxy) -> None:
    # An event is some 50 bytes long, and each of these cuts is at another place in it.
    cuts = [f"cut {n}{end}" for n in range(400, 470, 10) for end in ("", " fin")]
    assert follow(tab, proxy, OWN, cuts) == NUMBERS


HALF = b"retry: 1\nid: 1\ndata: one\n\nid: 2\ndata: t"
CUT = b":\nid: 1\nevent: tidings.cut\n\n"
REST = b"id: 2\ndata: two\n\nid: 3\ndata: three\n\n"


@pytest.mark.parametrize("opening", [b":\n", CUT], ids=["without tidings.cut", "with tidings.cut"])
def test_a_half_event_is_fused_in_webkit_unless_the_next_stream_ends_it(
    browser: Tab, engine: Engine, opening: bytes
) -> None:
    page = Answer(b"<!doctype html><link rel=icon href='data:,'>", headers={"Content-Type": "text/html"})
    with script(page, Answer(HALF, end="dirty"), Answer(opening + REST, end="hold")) as server:
        browser.open(server.url)
        read: Sequence[str] = browser.call(
            """() => new Promise((resolve) => {
                const source = new EventSource("/events"), read = [];
                source.onmessage = ({ data, lastEventId }) => {
                    read.push(`${lastEventId} ${data}`);
                    if (lastEventId === "3") (source.close(), resolve(read));
                };
            })"""
        )
        assert [asked.headers.get("last-event-id") for asked in server.asked[1:]] == [None, "1"]
    fused = engine.name == "webkit" and opening != CUT
    assert read == ["1 one", "2 t:\ntwo" if fused else "2 two", "3 three"]


def publish(server: ServerProcess, texts: Sequence[str], *, close: bool = False) -> None:
    lines = "\n".join(json.dumps({"data": text}) for text in texts)
    query = "?close=true" if close else ""
    headers = {"content-type": "application/x-ndjson"}
    url = f"{server.url}/topics/{TOPIC}/events{query}"
    assert httpx.post(url, content=lines, headers=headers, timeout=PATIENCE).status_code == 201


WAYS = {"kill": ServerProcess.kill, "SIGTERM": ServerProcess.terminate}


@pytest.mark.parametrize("client", ["own", "ours"])
@pytest.mark.parametrize("way", WAYS)
def test_an_eventsource_misses_nothing_when_its_server_ends(
    browser: Tab, serve_process: Callable[..., ServerProcess], client: str, way: str
) -> None:
    server = serve_process(kind=SourcesServer)  # a test imports modules of the page
    browser.open(server.url)
    browser.call(
        f"""async (client, topic) => {{
            {IMPORT}
            const Source = client === "own" ? EventSource : (await module("client/eventsource")).EventSource;
            const source = new Source(`/events?topic=${{topic}}&after=earliest`);
            window.read = [];
            source.onmessage = ({{ data }}) => window.read.push(data);
            await new Promise((resolve) => (source.onopen = resolve));
        }}""",
        client,
        TOPIC,
    )
    publish(server, ["1 €", "2 €", "3 €"])
    browser.until(lambda: len(browser.evaluate("window.read")) >= 3)
    WAYS[way](server)
    server.start()
    publish(server, ["4 €", "5 €"])
    browser.until(lambda: browser.evaluate("window.read.at(-1)") == "5 €")
    assert browser.evaluate("window.read") == ["1 €", "2 €", "3 €", "4 €", "5 €"]


FETCH = f"""async (topic) => {{
    {IMPORT}
    const {{ resumableFetch }} = await module("client/resumable");
    const read = async (name, fetch) => {{
        window[name] = {{ text: "" }};
        // Firefox holds a second request for an address back for 20 s, unless no cache may answer it.
        const response = await fetch(`/events?topic=${{topic}}&after=earliest`, {{ cache: "no-store" }});
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        const rest = async () => {{
            for (let part; !(part = await reader.read()).done; ) window[name].text += part.value;
            window[name].end = "clean";
        }};
        void rest().catch(() => (window[name].end = "error"));
    }};
    await read("plain", window.fetch.bind(window));
    await read("resumed", resumableFetch(window.fetch.bind(window)));
}}"""


@pytest.mark.parametrize("way", WAYS)
def test_a_fetch_that_a_server_s_end_cuts_between_two_chunks_is_resumed(
    browser: Tab, engine: Engine, serve_process: Callable[..., ServerProcess], way: str
) -> None:
    server = serve_process(kind=SourcesServer)  # a test imports modules of the page
    browser.open(server.url)
    browser.call(FETCH, TOPIC)
    publish(server, ["1 €", "2 €", "3 €"])
    for name in ("plain", "resumed"):
        browser.until(lambda name=name: "data: 3 €" in browser.evaluate(f"window.{name}.text"))
    WAYS[way](server)
    # A killed server says nothing. WebKit takes that for the end of a whole body.
    expected = "clean" if (engine.name, way) == ("webkit", "kill") else "error"
    assert browser.until(lambda: browser.evaluate("window.plain.end")) == expected
    server.start()
    publish(server, ["4 €", "5 €"], close=True)
    assert browser.until(lambda: browser.evaluate("window.resumed.end")) == "clean"
    lines = browser.evaluate("window.resumed.text").splitlines()
    assert [line for line in lines if line.startswith("data: ") and "€" in line] == [
        f"data: {n} €" for n in range(1, 6)
    ]
    assert lines.count("event: tidings.end") == 1


def test_an_answer_that_is_cut_often_is_resumed_whole(tab: Tab, app: App, proxy: Proxy) -> None:  # noqa: F811
    tab.call("async () => { window.client = await import('/files/client/resumable.js') }")
    for behaviour in ("cut 100", "cut 5000", "html", "cut 3000 fin", "stall 2000"):
        proxy.tell(f"next {behaviour}")
    text = tab.call(
        """async () => {
            const fetch = client.resumableFetch(window.fetch.bind(window), { retry: 1, silence: 2000, failures: 50 });
            return (await fetch("/v1/chat/completions", { method: "POST", body: "?" })).text();
        }"""
    )
    pieces = [json.loads(line[6:]) for line in text.splitlines() if line.startswith('data: {"id')]
    said = "".join(piece["choices"][0]["delta"].get("content", "") for piece in pieces)
    assert said == httpx.get(f"{app.url}/answer", timeout=PATIENCE).json()
