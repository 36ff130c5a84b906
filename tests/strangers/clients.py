"""The clients that are tried: readers of event streams from PyPI, npm and Go's modules, and ours."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Browser, async_playwright

from .follower import ROOT, Follower, process

HERE = Path(__file__).parent
MODULES = ROOT / "node_modules"
BUILT = MODULES / ".strangers"
"""The folder of what is built from the sources here. Git ignores it."""

Client = Callable[[str, str], AbstractAsyncContextManager[Follower]]
"""Follows a URL, under the name of the client."""

PYTHON = [
    "httpx-sse",
    "sseclient-py",
    "requests-sse",
    "requests",
    "aiohttp-sse-client2",
    "launchdarkly-eventsource",
    "launchdarkly-eventsource, continuing",
]
NODE = ["eventsource", "eventsource-client"]
GO = ["r3labs/sse", "tmaxmax/go-sse"]
PAGE = [
    "browser’s own",
    "event-source-polyfill",
    "reconnecting-eventsource",
    "@microsoft/fetch-event-source",
    "htmx 2",
    "htmx 4",
    "htmx 4, hx-sse:close",
]
FLAGS = ["--no-sandbox", "--disable-gpu"]


def in_python(name: str, url: str) -> AbstractAsyncContextManager[Follower]:
    return process(name, [sys.executable, "-m", "tests.strangers.python_client", name, url])


def in_node(name: str, url: str) -> AbstractAsyncContextManager[Follower]:
    return process(name, ["node", str(HERE / "node_client.mjs"), name, url])


def in_go(name: str, url: str) -> AbstractAsyncContextManager[Follower]:
    return process(name, [str(BUILT / "go"), name, url])


async def build(*command: str, **env: str) -> None:
    """Run a command that builds something from the sources here. Raises AssertionError with what it prints."""
    pipe = asyncio.subprocess.PIPE
    made = await asyncio.create_subprocess_exec(
        *command, cwd=HERE / "go", env={**os.environ, **env}, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await made.communicate()
    assert made.returncode == 0, said.decode()


async def build_go() -> None:
    await build("go", "build", "-o", str(BUILT / "go"), ".")


async def build_page() -> None:
    entry, out = HERE / "page_client.js", BUILT / "page.js"
    await build(str(MODULES / ".bin" / "esbuild"), str(entry), "--bundle", "--format=iife", f"--outfile={out}")


SCRIPTS: Mapping[str, list[str]] = {
    "htmx 2": ["htmx-2/dist/htmx.min.js", "htmx-ext-sse/dist/sse.min.js"],
    "htmx 4": ["htmx-4/dist/htmx.min.js", "htmx-4/dist/ext/hx-sse.min.js"],
}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


def in_page(browser: Browser) -> Client:
    @asynccontextmanager
    async def follow(name: str, url: str) -> AsyncIterator[Follower]:
        """A follower in a page of the URL's origin. Each has a context, whose connections are its own."""
        follower = Follower(name)
        context = await browser.new_context(bypass_csp=True)
        page = await context.new_page()
        await page.expose_function("tell", follower.told)
        parts = urlsplit(url)
        await page.goto(f"{parts.scheme}://{parts.netloc}/health/live")
        for script in SCRIPTS.get(name.partition(",")[0], []):
            await page.add_script_tag(path=MODULES / script)
        await page.add_script_tag(path=BUILT / "page.js")
        await page.evaluate("([name, url]) => void window.strangers[name](url, window.tell)", [name, url])
        yield follower
        await context.close()

    return follow


@asynccontextmanager
async def all_clients() -> AsyncIterator[dict[str, Client]]:
    """Every client that is tried, by its name, in the order of the table. What must be built is built first."""
    async with asyncio.TaskGroup() as group:
        group.create_task(build_go())
        group.create_task(build_page())
    async with chromium() as browser:
        yield {
            "tidings (Python)": lambda _, url: in_python("tidings", url),
            "tidings (JavaScript)": lambda _, url: in_node("tidings", url),
            **dict.fromkeys(PAGE, in_page(browser)),
            **dict.fromkeys(NODE, in_node),
            **dict.fromkeys(GO, in_go),
            **dict.fromkeys(PYTHON, in_python),
        }
