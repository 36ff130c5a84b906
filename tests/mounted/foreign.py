"""Servers that are not ours, each with an app of these tests in it."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import randrange

from tests.serving import PATIENCE, ServerProcess

SERVERS: Mapping[str, list[str]] = {
    "uvicorn": ["uvicorn", "--port", "PORT", "APP"],
    "uvicorn-asyncio": ["uvicorn", "--loop", "asyncio", "--http", "h11", "--port", "PORT", "APP"],
    "uvicorn-workers": ["uvicorn", "--workers", "2", "--port", "PORT", "APP"],
    "hypercorn": ["hypercorn", "--bind", "127.0.0.1:PORT", "--graceful-timeout", "3", "APP"],
    "hypercorn-inline": ["hypercorn", "--workers", "0", "--bind", "127.0.0.1:PORT", "APP"],
    "granian": ["granian", "--interface", "asgi", "--port", "PORT", "APP"],
}


class ForeignServer(ServerProcess):
    """`uvicorn APP` and the like, on a port of its own; `app` is `module:name` in this folder."""

    def __init__(self, server: str, app: str, store: str = "memory:", env: Mapping[str, str] | None = None):
        self.name, self.words, self.app = server, SERVERS[server], app
        path = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
        here = {"PYTHONPATH": path, "STORE": store}
        super().__init__(store, port=free_port(), env={**here, **(env or {})})

    def command(self) -> list[str]:
        words = [word.replace("PORT", str(self.port)).replace("APP", self.app) for word in self.words]
        return [sys.executable, "-m", *words]

    def ready(self, printed: threading.Event) -> bool:
        """Wait for a connection: another server prints its URL as it likes, or not at all."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)) as trial:
                trial.settimeout(PATIENCE)
                trial.sendall(b"GET /open HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                if trial.recv(1):
                    return True
            time.sleep(0.02)
        return False


def free_port() -> int:
    """A port that nothing listens on, below those that the kernel gives to outgoing connections."""
    while True:
        port = randrange(20_000, 32_000)
        with suppress(OSError), socket.socket() as trial:
            trial.bind(("127.0.0.1", port))
            return port
