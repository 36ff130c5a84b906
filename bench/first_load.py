"""The first load of the page in Chromium over slow networks, bundled and from its sources.

`python -m bench.first_load` prints the table. Chromium emulates the networks: each request waits for the latency, and
all share the rate. Nothing is cached, and nobody is signed in.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench.servers.launch import TIDINGS, Server

NETWORKS = {"40 ms, 10 Mbit/s": (40, 10_000_000), "150 ms, 1.6 Mbit/s": (150, 1_600_000)}
ROUNDS = 3

SHELL = shutil.which("chromium-headless-shell")
"""Chromium without its windows. Chromium 156 with windows ends none of the 217 requests of the unbundled page while a
network is emulated."""

# Milliseconds from the beginning of the navigation until a person can write, and until the first paint.
_SEEN = """
async () => {
  while (!document.querySelector("textarea#composer")) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return [performance.now(), paint?.startTime ?? performance.now()];
}
"""


def _loaded(browser: Browser, url: str, latency: int, rate: int) -> tuple[float, float, int, int]:
    """Load the page once: milliseconds to the composer and to the first paint, requests and bytes until then."""
    with browser.new_context(service_workers="block") as context:
        page = context.new_page()
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        sent, got = [], []
        network.on("Network.requestWillBeSent", lambda _: sent.append(1))
        network.on("Network.loadingFinished", lambda event: got.append(event["encodedDataLength"]))
        speed = {"offline": False, "latency": latency, "downloadThroughput": rate / 8, "uploadThroughput": rate / 8}
        network.send("Network.emulateNetworkConditions", speed)
        page.goto(url, wait_until="commit")
        composer, painted = page.evaluate(_SEEN)
        page.wait_for_timeout(1500)
        return composer, painted, len(sent), round(sum(got))


def _served(command: Callable[[int, Path], list[str]]) -> dict[str, list[tuple[float, float, int, int]]]:
    found = {}
    with (
        tempfile.TemporaryDirectory() as work,
        Server(replace(TIDINGS, command=command), Path(work)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=SHELL, args=["--no-sandbox", "--disable-gpu"])
        for name, (latency, rate) in NETWORKS.items():
            url = f"http://127.0.0.1:{server.port}/"
            found[name] = [_loaded(browser, url, latency, rate) for _ in range(ROUNDS)]
        browser.close()
    return found


def main() -> None:
    sources = [sys.executable, "-m", "tests.browser.sources", "serve", "--store", "memory:", "--port"]
    ways = {"its sources": _served(lambda port, _: [*sources, str(port)]), "the bundle": _served(TIDINGS.command)}
    print("| network | served | composer, s | first paint, s | requests of the page | KB |\n|---|---|---|---|---|---|")
    for network in NETWORKS:
        for way, found in ways.items():
            composer, paint, requests, size = (
                statistics.median(values) for values in zip(*found[network], strict=True)
            )
            times = f"{composer / 1000:.2f} | {paint / 1000:.2f}"
            print(f"| {network} | {way} | {times} | {requests:.0f} | {size / 1000:.0f} |")


if __name__ == "__main__":
    main()
