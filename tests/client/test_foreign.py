"""Event sources of both kinds over servers that are not ours: FastAPI's own event streams, and sse-starlette."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.client.conftest import Make
from tests.client.foreign_app import HOLD, TOTAL
from tests.mounted.foreign import ForeignServer
from tests.proxy import Proxy

PATHS = ["/fastapi", "/sse-starlette"]
NUMBERS = [("n", str(n), str(n)) for n in range(1, TOTAL + 1)]

pytestmark = pytest.mark.usefixtures("soon")


@pytest.fixture(scope="module")
def foreign() -> Iterator[ForeignServer]:
    with ForeignServer("uvicorn", "foreign_app:app", env={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        yield server


def read(events: Any, count: int) -> list[tuple[str, str, str]]:
    return [(event.type, event.data, event.id) for event in islice(events, count)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("end", ["", " fin"])
def test_cuts_at_any_byte_lose_and_double_nothing(source: Make, foreign: ForeignServer, path: str, end: str) -> None:
    with Proxy(foreign.port) as proxy:
        for n in range(0, 1500, 97):
            proxy.tell(f"next cut {n}{end}")
        proxy.tell("next html")
        proxy.tell("next cut 700")
        events = source(f"{proxy.url}{path}", method="POST", body="n")
        got = read(events, HOLD)
        for _ in range(HOLD, TOTAL, HOLD):
            proxy.tell("cut fin")
            got += read(events, HOLD)
        assert got == NUMBERS
        proxy.tell("cut")
        assert list(events) == [], "the server answers 204"
        assert proxy.count() > 10


def test_a_server_that_is_killed_is_waited_for(source: Make, foreign: ForeignServer) -> None:
    both = [source(f"{foreign.url}{path}", method="POST", body="n") for path in PATHS]
    got: list[list[tuple[str, str, str]]] = [[], []]
    for _ in range(0, TOTAL, HOLD):
        for events, numbers in zip(both, got, strict=True):
            numbers += read(events, HOLD)
        foreign.kill()
        foreign.start()
    assert got == [NUMBERS, NUMBERS]
    assert [list(events) for events in both] == [[], []]
