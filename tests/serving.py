"""A server in a process of its own, to be killed and started again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Self

PATIENCE = 60.0
"""Seconds after which a server that has not started, or not gone, counts as broken. Never a measure of speed."""


class ServerProcess:
    """`python -m tidings serve` on a free port of loopback, up when the constructor or `start` returns.

    A context manager that leaves no process behind. The port stays the same over `kill` and `start`. The methods
    block: an async test calls them through `asyncio.to_thread` if something else must run on meanwhile.
    """

    def __init__(self, store: str, *, port: int = 0, env: Mapping[str, str] | None = None, args: tuple[str, ...] = ()):
        self.store, self.port, self.args = store, port, args
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("TIDINGS_")}
        self.env |= {"PYTHONUNBUFFERED": "1", **(env or {})}
        self.process: subprocess.Popen[str] | None = None
        self.output: list[str] = []
        self.start()

    @property
    def url(self) -> str:
        """The server's address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start the server and wait until it prints its URL, which it does once it accepts connections."""
        assert self.process is None, "it runs already"
        self.process = process = subprocess.Popen(
            self.command(),
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.output = []
        printed = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(process, printed), daemon=True)
        self._reader.start()
        if not self.ready(printed) or process.poll() is not None:
            self.kill()
            raise AssertionError("the server did not start:\n" + "".join(self.output))

    def command(self) -> list[str]:
        """Return the command that starts the server."""
        serve = [sys.executable, "-m", "tidings", "serve"]
        return [*serve, "--port", str(self.port), "--store", self.store, *self.args]

    def ready(self, printed: threading.Event) -> bool:
        """Wait until the server accepts connections; return False when it does not within PATIENCE seconds."""
        return printed.wait(PATIENCE)

    def kill(self) -> None:
        """Send SIGKILL to the server and all that it started: no clean-up runs, as when the power fails."""
        self._end(signal.SIGKILL)

    def terminate(self) -> int:
        """Send SIGTERM, as a deploy does, and return the exit status."""
        return self._end(signal.SIGTERM)

    def interrupt(self) -> int:
        """Send SIGINT, as Ctrl-C does, and return the exit status."""
        return self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if process.poll() is None:
            # A SIGKILL reaches the whole session, which `start_new_session` made the server the leader of.
            (os.killpg if number == signal.SIGKILL else os.kill)(process.pid, number)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError("the server did not go:\n" + "".join(self.output)) from None
        self._reader.join(PATIENCE)
        return status

    def _read(self, process: subprocess.Popen[str], printed: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.output.append(line)
                if not printed.is_set() and (found := re.search(r"http://127\.0\.0\.1:(\d+)", line)):
                    self.port = int(found[1])
                    printed.set()
        printed.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
