"""Our EventSource in a real Chromium, over a network that misbehaves: in a page, a worker and a shared worker.

There, too: resumableFetch over cuts, and every vector of the standard in its decoder.
And that the code on its page, and on that of resumableFetch, runs in Node.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from tests.proxy import Proxy
from tests.serving import PATIENCE, ServerProcess

REPOSITORY = Path(__file__).parents[2]
MISBEHAVIOURS = json.loads((Path(__file__).parent / "misbehaviours.json").read_text())
VECTORS = json.loads((REPOSITORY / "tests" / "wire" / "vectors" / "sse.json").read_text(encoding="utf-8"))
NUMBERS = [f"{n} €豆腐" for n in range(300)]

# Each makes `ask`, and is done when all modules are loaded: it is not they that are to be cut off.
PLACES = {
    "page": """async (client) => {
        await import(client);
        const { follow } = await import("/files/tests/follow.js");
        window.ask = follow;
    }""",
    "worker": """(client) => new Promise((resolve, reject) => {
        const worker = new Worker("/files/tests/follow.worker.js", { type: "module" });
        worker.onerror = (error) => reject(new Error(error.message));
        worker.onmessage = resolve;
        window.ask = (asked) => new Promise((resolve) => {
            worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
            worker.postMessage(asked);
        });
    })""",
    "shared worker": """(client) => new Promise((resolve, reject) => {
        const worker = new SharedWorker("/files/tests/follow.worker.js", { type: "module" });
        worker.onerror = (error) => reject(new Error(error.message));
        worker.port.onmessage = resolve;
        window.ask = (asked) => new Promise((resolve) => {
            worker.port.onmessage = ({ data }) => resolve(data);
            worker.port.postMessage(asked);
        });
    })""",
}


class App(ServerProcess):
    """tests/web/app.py."""

    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.web.app"]


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with App("memory:") as app:
        events = "\n".join(json.dumps({"data": text}) for text in NUMBERS)
        headers = {"content-type": "application/x-ndjson"}
        answer = httpx.post(f"{app.url}/topics/numbers/events", content=events, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 201
        yield app


@pytest.fixture(scope="module")
def proxy(app: App) -> Iterator[Proxy]:
    with Proxy(app.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def page(headless_shell: str, proxy: Proxy) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=headless_shell, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(f"{proxy.url}/files/blank.html")
        yield page
        browser.close()


@pytest.mark.browser
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", MISBEHAVIOURS, ids=lambda case: case["name"])
def test_every_event_arrives_once_and_in_order(page: Page, proxy: Proxy, place: str, case: dict[str, Any]) -> None:
    client = f"{proxy.url}/files/client/eventsource.js"
    proxy.tell("now pass")
    page.evaluate(PLACES[place], client)
    for behaviour in case["behaviours"]:
        proxy.tell(f"next {behaviour}")
    followed = page.evaluate(
        "(asked) => ask(asked)",
        {
            "client": client,
            "url": "/events?topic=numbers&from=earliest",
            "last": NUMBERS[-1],
            "options": {"patient": True, "silence": 500},
        },
    )
    assert followed["data"] == NUMBERS
    assert followed["origin"] == proxy.url
    assert followed["errors"] >= case["errors"]


@pytest.mark.browser
def test_a_fetch_that_is_cut_is_resumed(page: Page, proxy: Proxy) -> None:
    proxy.tell("now pass")
    page.evaluate("async () => { window.client = await import('/files/client/resumable.js') }")
    started = httpx.get(f"{proxy.url}/models", timeout=PATIENCE).json()
    for behaviour in ("cut 100", "cut 5000", "html", "cut 3000 fin", "stall 2000"):
        proxy.tell(f"next {behaviour}")
    text = page.evaluate(
        """async () => {
            const fetch = client.resumableFetch(window.fetch.bind(window), { retry: 1, silence: 2000, failures: 50 });
            return (await fetch("/v1/chat/completions", { method: "POST", body: "?" })).text();
        }"""
    )
    chunks = [json.loads(data) for data in re.findall(r"^data: (\{\"id.*)$", text, re.M)]
    said = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
    assert said == httpx.get(f"{proxy.url}/answer", timeout=PATIENCE).json()
    assert httpx.get(f"{proxy.url}/models", timeout=PATIENCE).json() == started + 1


@pytest.mark.browser
def test_every_vector_is_decoded(page: Page) -> None:
    decoded = page.evaluate(
        """async (vectors) => {
            const { Decoder } = await import("/files/client/decoder.js");
            return vectors.map((bytes) => [bytes.length, 1, 2].map((size) => {
                const decoder = new Decoder();
                const events = [];
                for (let at = 0; at < bytes.length; at += size) {
                    events.push(...decoder.feed(new Uint8Array(bytes.slice(at, at + size))));
                }
                return { events, last_event_id: decoder.lastEventId, retry: decoder.retry };
            }));
        }""",
        [list(b64decode(v["base64"]) if "base64" in v else v["text"].encode()) for v in VECTORS],
    )
    for vector, results in zip(VECTORS, decoded, strict=True):
        expected = {name: vector[name] for name in ("events", "last_event_id", "retry")}
        assert results == [expected] * 3, vector["name"]


@pytest.mark.skipif(shutil.which("node") is None, reason="no Node (Debian: apt-get install nodejs)")
@pytest.mark.parametrize("name", ["eventsource", "resumable-fetch"])
def test_the_page_s_code_runs(app: App, name: str, tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "clients" / f"{name}.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"^```js\n(.*?)^```$", text, re.S | re.M)
    modules = tmp_path / "node_modules"
    modules.mkdir()
    (modules / "tidings-client").symlink_to(REPOSITORY / "src" / "tidings" / "web" / "client")
    (modules / "openai").symlink_to(REPOSITORY / "node_modules" / "openai")
    (tmp_path / "page.mjs").write_text(snippet.replace("https://tidings.example", app.url), encoding="utf-8")
    done = subprocess.run(["node", "page.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout
