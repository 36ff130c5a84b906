"""Tests that no request holds the event loop for long, whatever it contains: all streams wait for the longest turn."""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.attack.conftest import SECRET, dial
from tests.attack.worst import ACCEPTED, BEFORE, READ, REFUSED
from tests.raw import ask, request
from tests.serving import PATIENCE, ServerProcess

READERS = 10

LONGEST = 50.0
"""Milliseconds of CPU time that one turn may take. The turns that this test is for took from 65 ms to 30 s."""


class TimedServer(ServerProcess):
    """The server with a stopwatch: see turns.py."""

    def command(self) -> list[str]:
        words = super().command()
        return [*words[:2], "tests.attack.turns", *words[3:]]

    def start(self) -> None:
        # A server whose coverage is measured takes ten times the time.
        self.env = {name: value for name, value in self.env.items() if not name.startswith("COVERAGE_")}
        super().start()

    def longest_turn(self) -> float:
        """Return the milliseconds of the longest turn since this was asked last."""
        said = len(self.output)
        os.kill(self.pid, signal.SIGUSR1)
        waiting = threading.Event()
        for _ in range(int(PATIENCE / 0.01)):
            for line in self.output[said:]:
                if found := re.fullmatch(r"longest turn: ([0-9.]+) ms\n", line):
                    return float(found[1])
            waiting.wait(0.01)
        raise AssertionError("the server does not answer the signal")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimedServer]:
    """Serve some readers beside the requests."""
    folder = tmp_path_factory.mktemp("turns")
    with TimedServer(f"sqlite:///{folder}/tidings.db", env={"TIDINGS_SECRET": SECRET}) as made:
        assert [ask(made, before).status for before in BEFORE] == [201] * len(BEFORE)
        readers = [dial(made) for _ in range(READERS)]
        for reader in readers:
            reader.sendall(READ)
            assert reader.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
            threading.Thread(target=take, args=(reader,), daemon=True).start()
        made.longest_turn()
        yield made
        for reader in readers:
            reader.close()


def take(reader: socket.socket) -> None:
    """Read a stream to its end, whichever side ends it."""
    with suppress(OSError):
        while reader.recv(1 << 16):
            pass


@pytest.mark.parametrize("what", {**REFUSED, **ACCEPTED})
def test_no_turn_is_long(server: TimedServer, what: str) -> None:
    sent, status = {**REFUSED, **ACCEPTED}[what]
    answer = ask(server, sent)
    assert answer.status == status, answer.body
    turns = [longest_turn(server)]
    while turns[-1] >= LONGEST and len(turns) < 3:  # a turn in which the garbage collector ran is no measure
        ask(server, sent)
        turns.append(longest_turn(server))
    print(f"{what}: {turns} ms")
    assert min(turns) < LONGEST


def longest_turn(server: TimedServer) -> float:
    """Return the milliseconds of the longest turn, once the turns that follow an answer are over."""
    ask(server, request("GET", "/health"))
    return server.longest_turn()
