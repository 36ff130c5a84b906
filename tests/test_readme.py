"""The README's examples, run as they stand there."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import langchain.chat_models
import pytest
import uvicorn
from langchain_core.language_models import FakeListChatModel
from playwright.async_api import async_playwright, expect

from tests.serving import ServerProcess
from tidings.wire.sse import Decoder, ServerSentEvent

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, heading: str) -> list[str]:
    """The code blocks of that language under that heading."""
    section = re.search(rf"^## {heading}$(.*?)^## ", README, re.DOTALL | re.MULTILINE)
    assert section is not None
    return re.findall(rf"^```{language}\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE)


@pytest.fixture
async def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The README's app on a real server, with a model that needs no key and says a character every 20 ms."""
    model = FakeListChatModel(responses=["It is two\nlines."], sleep=0.02)
    monkeypatch.setattr(langchain.chat_models, "init_chat_model", lambda name: model)
    monkeypatch.chdir(tmp_path)
    app: dict[str, object] = {}
    for source in blocks("python", "In your own app"):
        exec(compile(source, "README.md", "exec"), app)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app["app"], log_level="warning"))  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve([listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving
    listening.close()


async def follow(client: httpx.AsyncClient, path: str, last: str = "") -> AsyncIterator[ServerSentEvent]:
    async with client.stream("GET", path, headers={"last-event-id": last} if last else {}) as response:
        assert response.status_code == 200
        decoder = Decoder()
        async for chunk in response.aiter_bytes():
            for event in decoder.feed(chunk):
                yield event


def text(events: list[ServerSentEvent]) -> str:
    return "".join(json.loads(event.data)["delta"] for event in events if event.type == "block.delta")


def test_the_app_is_short() -> None:
    app, alerts = blocks("python", "In your own app")
    script = re.search(r"<script>\n(.*?)\n *</script>", app, re.DOTALL)
    assert script is not None
    assert script[1].count("\n") + 1 < 10
    assert app.replace(script[1], "").count("\n") + alerts.count("\n") < 35


def test_the_app_needs_what_the_readme_installs() -> None:
    """`tidings[langchain]` holds every package that the app imports, besides FastAPI."""
    (app, _), project = blocks("python", "In your own app"), tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "needs `tidings[langchain]`" in README
    assert "pip install '.[langchain]' fastapi uvicorn" in README
    extras = [*project["project"]["optional-dependencies"]["langchain"], "tidings", "fastapi"]
    imported = {name.partition(".")[0] for name in re.findall(r"^from (\S+) import", app, re.MULTILINE)}
    assert imported <= {re.split(r"\W", extra)[0] for extra in extras}


@pytest.mark.browser
async def test_the_page_shows_the_answer_as_it_comes_and_again_after_a_reload(url: str, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(60_000)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(url)
        await page.evaluate(
            "window.texts = []; new MutationObserver(() => texts.push(document.body.innerText))"
            ".observe(document.querySelector('p'), { childList: true })"
        )
        await page.fill("input", "How long?")
        await page.press("input", "Enter")
        await expect(page.locator("p")).to_have_text("It is two lines.", timeout=60_000)
        assert len(await page.evaluate("texts")) > 5, "the answer is shown token by token"
        await page.reload()
        await expect(page.locator("p")).to_have_text("It is two lines.", timeout=60_000)
        assert errors == []
        await browser.close()


async def test_the_app_answers_and_resumes(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        run = (await client.post("/ask", params={"question": "How long?"})).json()
        events = [event async for event in follow(client, f"/answers/{run}")]
        kinds = [event.type for event in events]
        assert kinds[0] == "run.started"
        assert kinds[-2:] == ["run.finished", "tidings.end"]
        stored = events[:-1]
        middle = len(stored) // 2
        again = [event async for event in follow(client, f"/answers/{run}", stored[middle].id)]
        assert [(event.type, event.id) for event in again if "delta" not in event.type] == [
            (event.type, event.id) for event in events[middle + 1 :] if "delta" not in event.type
        ]
        # A reader who comes late gets neighbouring deltas as one.
        assert text(events[: middle + 1]) + text(again) == text(events) == "It is two\nlines."
        assert (await client.get(f"/answers/{run}", headers={"last-event-id": stored[-1].id})).status_code == 204


async def test_the_app_tells_whoever_listens(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        (await client.post("/alerts", params={"text": "before"})).raise_for_status()
        stream = client.stream("GET", "/alerts")
        async with stream as response:  # it follows from the tail on once the headers are here
            (await client.post("/alerts", params={"text": "after"})).raise_for_status()
            decoder = Decoder()
            async for chunk in response.aiter_bytes():
                if events := decoder.feed(chunk):
                    break
        assert [event.data for event in events] == ['{"text":"after"}']


def test_the_http_commands_work(serve_process: Callable[..., ServerProcess], monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    server = serve_process()
    monkeypatch.setenv("TIDINGS_URL", server.url)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    post, stream, read = blocks("sh", "Over HTTP")[0].replace("http://127.0.0.1:8000", server.url).splitlines()
    assert '"offset"' in subprocess.check_output(["sh", "-c", post], text=True, stderr=subprocess.DEVNULL)
    shown = subprocess.run(["sh", "-c", stream], capture_output=True, text=True, check=False).stdout
    assert "data: Hello, all\n" in shown
    assert '"data":"Hello, all"' in subprocess.check_output(["sh", "-c", read], text=True)


def test_the_first_commands_are_targets_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"^make (\w+)", README, re.MULTILINE) + re.findall(r"`make (\w+)", README)
    assert commands[:2] == ["serve", "test"]
    for target in commands:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
