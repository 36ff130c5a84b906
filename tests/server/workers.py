"""`tidings serve --workers N`, with a way to its workers one by one."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

from tests.serving import PATIENCE, ServerProcess
from tests.streams import KeptConnection

PATIENT = 150.0
"""Seconds that several starts one after another may take: each is 1.7 s of CPU, on a machine that may be busy."""

Connections = dict[int, KeptConnection]
"""A connection to each worker, by the worker's number."""


class Workers(ServerProcess):
    """A server with workers, over a new file in a folder or over the store with a URL.

    `hasty`: it waits a short time for a hung worker, and before it replaces a dead one.
    """

    def __init__(self, store: Path | str, count: int = 2, *, hasty: bool = False, **settings: str) -> None:
        self.hasty = hasty
        self.connected: list[KeptConnection] = []
        url = store if isinstance(store, str) else f"sqlite:///{store}/tidings.db"
        super().__init__(url, env=settings, args=("--workers", str(count)))

    def command(self) -> list[str]:
        words = super().command()
        return [sys.executable, "-m", "tests.server.hasty", *words[3:]] if self.hasty else words

    def ready(self, printed: threading.Event) -> bool:
        return printed.wait(PATIENT)

    def workers(self) -> dict[int, int]:
        """The process IDs of the workers by their numbers, leaving workers included."""
        found: dict[int, int] = {}
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.Error):  # it has just ended
                words = child.cmdline()
                if "tidings.server.worker" in words:
                    found[int(words[words.index("tidings.server.worker") + 3])] = child.pid
        return found

    def hang_up(self) -> None:
        """Send SIGHUP, by which a deploy has all workers replaced."""
        os.kill(self.pid, signal.SIGHUP)

    def signal(self, worker: int, number: signal.Signals) -> None:
        os.kill(self.workers()[worker], number)

    async def said(self, pattern: str) -> re.Match[str]:
        """Wait until the log holds a line with this pattern."""
        return await until(lambda: re.search(pattern, "".join(self.output)), f"{pattern} in the log")

    async def connections(self, *workers: int) -> Connections:
        """Connect to each of these workers, which accept connections as they come."""
        found: Connections = {}
        async with asyncio.timeout(PATIENCE):
            while not found.keys() >= set(workers):
                tried = [await KeptConnection.open(self.url) for _ in range(8)]
                self.connected += tried
                answers = await asyncio.gather(*[connection.request("/health/live") for connection in tried])
                for connection, answer in zip(tried, answers, strict=True):
                    worker = answer.json()["worker"]
                    if worker in workers and worker not in found:
                        found[worker] = connection
                    else:
                        connection.close()
        return found


T = TypeVar("T")


async def until(look: Callable[[], T | None], what: str) -> T:
    """Wait until `look` returns something that is true, and return it."""
    try:
        async with asyncio.timeout(PATIENT):
            while True:
                if value := look():
                    return value
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not seen: {what}") from None


@asynccontextmanager
async def serving(store: Path | str, count: int = 2, **options: Any) -> AsyncIterator[Workers]:
    """A server with workers, which is killed in the end."""
    server = await asyncio.to_thread(Workers, store, count, **options)
    try:
        yield server
    finally:
        for connection in server.connected:
            connection.close()
        await asyncio.to_thread(server.kill)
