"""The benchmark of rooms measures what people get: with few of them, on a server that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import rooms, screen
from bench.client import BenchError
from bench.people import Person
from tests.serving import ServerProcess


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("memory:") as server:
        yield server


@pytest.fixture
def port(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of a server, with few people and short times set for the measurement."""
    for name, value in {"WATCHERS": 4, "TYPISTS": 4, "EVERY": 0.2}.items():
        monkeypatch.setattr(rooms, name, value)
    return server.port


def test_every_message_is_heard_by_everybody_else(port: int) -> None:
    async def talk() -> rooms.Figures:
        return await (await rooms._talk(port, 1))()

    figures = rooms._run(talk())
    assert 0 < figures["p50"] <= figures["p99"]


def test_typing_reaches_the_other_members(port: int) -> None:
    async def typing() -> rooms.Figures:
        return await (await rooms._typing(port, 1))()

    assert rooms._run(typing())["told"] > 0


def test_an_old_room_is_opened_with_its_last_message(port: int) -> None:
    rooms._run(rooms._fill(port, (501,)))
    assert set(rooms._run(rooms._open(port, 501))) == {"opened", "again"}
    with pytest.raises(BenchError, match="Not found"):
        rooms._run(rooms._open(port, 7))


def test_a_message_is_seen_on_another_s_screen(port: int, chromium: str) -> None:
    rooms._run(rooms._pair(port, "screens"))
    late = screen.talked(f"http://127.0.0.1:{port}", "screens", 5, 10)
    assert len(late) == 5
    assert min(late) > 0


def test_frames_are_counted_while_messages_come(port: int, chromium: str) -> None:
    rooms._run(rooms._pair(port, "frames"))
    each = screen.frames(f"http://127.0.0.1:{port}", "frames", 2, 5)
    assert each
    assert max(each) > 1


def test_a_refusal_by_the_server_stops_the_benchmark(port: int) -> None:
    async def post() -> None:
        await Person(port, "Eve").say("nowhere", [("message.posted", {"text": "x"})])

    with pytest.raises(BenchError, match="answered"):
        rooms._run(post())


def test_the_table_says_what_is_reached_and_what_is_missed() -> None:
    results = {
        "opened": {"1000": [{"opened": 10.0, "again": 2.0}], "100000": [{"opened": 300.0, "again": 2.0}]},
        "talk": [{"p50": 5.0, "p99": 20.0, "cores": 0.1, "client": 0.1, "others": 0.0, "waited": 0.012}],
        "screens": [],
        "frames": [],
        "typing": [{"told": 80_000.0, "cores": 0.5, "client": 0.2, "others": 1.5, "waited": 0.0}],
    }
    rows = {figure.title: (figure.target, values) for figure, values in rooms.rows(results)}
    assert rows["a room of 100,000 events: `GET /rooms/ID` of a fresh process"] == (200, [300.0])
    assert not any("Chromium" in title for title in rows), "there was none"
    assert rows["… the server's CPU"] == (1, [0.5])
    assert "everybody else on the machine 1.50 cores" in rooms.beside(results)
    assert "in each second the server's threads waited 12 ms for one; while many typed" in rooms.beside(results)
