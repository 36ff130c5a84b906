"""Rooms, as people meet them: one that is old is opened, a message comes to another's stream, many type at once.

The server is as it is shipped, over SQLite with `synchronous=FULL`; people are Python clients (bench/people.py) and,
where there is a Chromium, its page. Each is measured on a server of its own, just started.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from bench import screen
from bench.client import BenchError
from bench.machine import busy
from bench.people import Heard, Person
from bench.scenarios import Figure, Unit
from bench.servers.launch import TIDINGS, Server

SIZES = (1_000, 10_000, 100_000)
WATCHERS, PACE = 100, 20
"""People in the room where two talk, and how many messages a second these say."""

WRITTEN, TEMPO = 300, 5
"""Messages that one person writes to another, each in a page, and how many a second."""

FLOOD = 20
"""Messages a second that come into the room which a page shows."""

TYPISTS, EVERY = 500, 3.0
"""People who type in one room, and the seconds after which the page says so again."""

Figures = dict[str, float]
T = TypeVar("T")


def measure(work: Path, rounds: int, quick: bool) -> dict[str, Any]:
    """All of it: `opened` by the number of events; `talk`, `screens`, `frames` and `typing` with a list of figures, one
    for each round."""
    sizes = SIZES[:2] if quick else SIZES
    with Server(_kept(work / "rooms.db"), work) as server:
        _run(_fill(server.port, sizes))
    opened: dict[str, list[Figures]] = {str(size): [] for size in sizes}
    talk, screens, frames, typing = [], [], [], []
    for _ in range(rounds):
        for size in sizes:
            opened[str(size)].append(_opened(work, size))
            _say(f"a room of {size:,}", opened[str(size)][-1])
        with Server(TIDINGS, work) as server:
            talk.append(_costs(server, _talk(server.port, 4 if quick else 30)))
        _say("two who talk", talk[-1])
        if screen.CHROMIUM is not None:
            with Server(TIDINGS, work) as server:
                screens.append(_screens(server, 20 if quick else WRITTEN))
            _say("two in Chromium", screens[-1])
            with Server(TIDINGS, work) as server:
                frames.append(_frames(server, 3 if quick else 15))
            _say("a page that is flooded", frames[-1])
        with Server(TIDINGS, work) as server:
            typing.append(_costs(server, _typing(server.port, 6 if quick else 20)))
        _say("many who type", typing[-1])
    return {"opened": opened, "talk": talk, "screens": screens, "frames": frames, "typing": typing}


def rows(results: dict[str, Any]) -> list[tuple[Figure, list[float]]]:
    """The rows of the table: what it is, and its values."""
    found = []
    for size, runs in results["opened"].items():
        room = f"a room of {int(size):,} events"
        found += [
            (_figure("opened", f"{room}: `GET /rooms/ID` of a fresh process", "ms", 200), runs),
            (_figure("again", "… and again", "ms"), runs),
            (_figure("shown", "… in Chromium: from a click in the side bar to its last message seen", "ms", 200), runs),
            (_figure("entered", "… from entering its address, page and all", "ms"), runs),
        ]
    two = f"two say {PACE} messages a second among {WATCHERS}: on another's stream"
    many = f"{TYPISTS} people type in one room and see it of each other"
    page = f"two people in Chromium, {TEMPO} messages a second: from the Enter key to the other's screen"
    flood = f"frames/s of a page in Chromium while {FLOOD} messages/s come into its room"
    talk, screens, frames, typing = (results[name] for name in ("talk", "screens", "frames", "typing"))
    found += [
        (_figure("p50", f"p50 latency, {two}", "ms"), talk),
        (_figure("p99", "p99 latency, the same", "ms", 50), talk),
        (_figure("p50", f"p50 latency, {page}", "ms"), screens),
        (_figure("p99", "p99 latency, the same", "ms", 50), screens),
        (_figure("mean", flood, "number", 50, more=True), frames),
        (_figure("worst", "… in the worst second", "number"), frames),
    ]
    found += [(_figure("told", f"deliveries, {many}", "events/s"), typing)]
    found += [(_figure("cores", "… the server's CPU", "cores", 1), typing)]
    return [(figure, [run[figure.key] for run in runs]) for figure, runs in found if runs and figure.key in runs[0]]


def beside(results: dict[str, Any]) -> str:
    """Describe the other load on the machine, by which the figures can be trusted or not."""
    parts = [
        f"while {what}, the clients used {max(run['client'] for run in runs):.2f} and everybody else on the machine "
        f"{max(run['others'] for run in runs):.2f} cores, and in each second the server's threads waited "
        f"{max(run['waited'] for run in runs) * 1000:.0f} ms for one"
        for what, runs in (
            ("two talked", results["talk"]),
            ("two talked in Chromium", results["screens"]),
            ("messages came into a page", results["frames"]),
            ("many typed", results["typing"]),
        )
        if runs
    ]
    return f"At most: {'; '.join(parts)}."


def _figure(key: str, title: str, unit: Unit, target: float | None = None, *, more: bool = False) -> Figure:
    return Figure(key, title, unit, lambda _: 0.0, target, more)


def _say(what: str, figures: Figures) -> None:
    print(f"{what:20} {', '.join(f'{name} {value:.3g}' for name, value in figures.items())}", flush=True)


def _kept(store: Path) -> Any:
    """The server with a store that outlives it."""
    serve = [sys.executable, "-m", "tidings", "serve", "--store", f"sqlite:///{store}", "--port"]
    return replace(TIDINGS, command=lambda port, _: [*serve, str(port)])


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return uvloop.run(work)
    except (OSError, asyncio.IncompleteReadError) as error:
        raise BenchError(f"The server went away: {error!r}") from error


# Opening a room.


def _text(n: int) -> str:
    return f"Message {n}: what people say to each other in a room is about as long as this."


def _facts(size: int) -> list[tuple[str, dict[str, Any]]]:
    """`size` events, of which the last is the message `_text(size)`."""
    facts: list[tuple[str, dict[str, Any]]] = [("room.created", {"name": f"Room {size}", "private": False})]
    facts += [("message.posted", {"text": _text(n)}) for n in range(2, size + 1)]
    return facts


async def _fill(port: int, sizes: Sequence[int]) -> None:
    ada = Person(port, "Ada")
    for size in sizes:
        facts = _facts(size)
        for at in range(0, size, 500):
            await ada.say(f"old-{size}", facts[at : at + 500])
    ada.leave()


def _opened(work: Path, size: int) -> Figures:
    """A fresh process: `opened` the first time, `again` the median of twenty more; and what Chromium shows of it."""
    with Server(_kept(work / "rooms.db"), work) as server:
        figures = _run(_open(server.port, size))
    if screen.CHROMIUM is not None:
        with Server(_kept(work / "rooms.db"), work) as server:
            url, last = f"http://127.0.0.1:{server.port}", _text(size)
            figures |= screen.shown(url, "Ada", f"old-{size}", last)
    return figures


async def _open(port: int, size: int) -> Figures:
    ada = Person(port, "Ada")
    await ada.ask("GET", "/session")  # the connection and the name, but nothing of the room
    times = []
    for _ in range(21):
        began = time.perf_counter()
        answer = await ada.ask("GET", f"/rooms/old-{size}")
        times.append((time.perf_counter() - began) * 1000)
        if _text(size).encode() not in answer:
            raise BenchError(f"The room of {size} events was opened without its last message.")
    ada.leave()
    return {"opened": times[0], "again": statistics.median(times[1:])}


# People in a room.


def _costs(server: Server, work: Coroutine[Any, Any, Callable[[], Coroutine[Any, Any, Figures]]]) -> Figures:
    """The figures of what `work` prepares and then does; the cores that server, clients and others used."""

    async def run() -> Figures:
        act = await work
        await asyncio.sleep(1)  # what those who came just now are still told is no part of it
        account = _account(server)
        figures = await act()
        return figures | account()

    return _run(run())


def _account(server: Server) -> Callable[[], Figures]:
    """Call it, and call what it returns at the end: the cores that server, clients and others used between, and the
    seconds in each second for which the server's threads were ready and had none."""

    def now() -> list[float]:
        clients = sum(os.times()[:4])  # the children's are those of Chromium, once it has ended
        return [time.monotonic(), server.cpu(), clients, busy(), server.waited()]

    before = now()

    def account() -> Figures:
        elapsed, cores, client, used, waited = (after - was for after, was in zip(now(), before, strict=True))
        others = max(0.0, used - cores - client)
        costs = {"cores": cores, "client": client, "others": others, "waited": waited}
        return {name: cost / elapsed for name, cost in costs.items()}

    return account


def _screens(server: Server, count: int) -> Figures:
    """Two people in a room, each with a page: how late is a message on the other's screen?"""
    _run(_pair(server.port, "screens"))
    account = _account(server)
    late = screen.talked(f"http://127.0.0.1:{server.port}", "screens", count, TEMPO)
    return _cuts(late) | account()


def _frames(server: Server, seconds: int) -> Figures:
    """A page shows a room into which many messages come: how smoothly is it drawn?"""
    _run(_pair(server.port, "frames"))
    account = _account(server)
    each = screen.frames(f"http://127.0.0.1:{server.port}", "frames", seconds, FLOOD)
    return {"mean": statistics.mean(each), "worst": min(each)} | account()


async def _pair(port: int, room: str) -> None:
    """A room of two people."""
    ada, ben = Person(port, "Ada"), ("member.joined", {"member": "Ben", "role": "member"})
    await ada.say(room, [("room.created", {"name": room, "private": False}), ben])
    ada.leave()


def _cuts(late: list[float]) -> Figures:
    cuts = statistics.quantiles(late, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


async def _gathering(port: int, room: str, count: int, heard: Callable[[int], Heard]) -> list[Person]:
    """A room of this many people, who all follow it."""
    people = [Person(port, f"Person {i}") for i in range(count)]
    await people[0].say(room, [("room.created", {"name": room, "private": False})])
    for person in people[1:]:
        await person.say(room, [("member.joined", {"member": person.name, "role": "member"})])
    for i, person in enumerate(people):
        await person.follow(room, heard(i))
    return people


async def _talk(port: int, seconds: int) -> Callable[[], Coroutine[Any, Any, Figures]]:
    """Two of the room's people say something by turns: how late is it on each other's stream, from when it was due?"""
    due: list[float] = []
    late: list[float] = []
    count, everybody = seconds * PACE, asyncio.Event()
    expected = count * (WATCHERS - 1)
    said = re.compile(rb'"text":"said ([0-9]+) ')

    def heard(i: int) -> Heard:
        def hear(data: bytes) -> None:
            now = time.perf_counter()
            # An event is written whole, and this one is short: it does not come in two parts.
            late.extend(now - due[n] for n in map(int, said.findall(data)) if n % 2 != i)
            if len(late) == expected:
                everybody.set()

        return hear

    people = await _gathering(port, "talk", WATCHERS, heard)

    async def act() -> Figures:
        began = time.perf_counter() + 0.1
        due.extend(began + n / PACE for n in range(count))

        async def talk(speaker: int) -> None:
            for n in range(speaker, count, 2):
                await asyncio.sleep(max(0.0, due[n] - time.perf_counter()))
                await people[speaker].say("talk", [("message.posted", {"text": f"said {n} and heard"})])

        await asyncio.gather(talk(0), talk(1))
        await _all(everybody)
        for person in people:
            person.leave()
        return _cuts([seconds * 1000 for seconds in late])

    return act


async def _typing(port: int, seconds: int) -> Callable[[], Coroutine[Any, Any, Figures]]:
    """Everybody types: each says so every 3 s, and is told of all others."""
    told, turns, everybody = 0, int(seconds / EVERY), asyncio.Event()

    def heard(_: int) -> Heard:
        def hear(data: bytes) -> None:
            nonlocal told
            told += data.count(b"event: typing\n")
            if told == TYPISTS * turns * TYPISTS:
                everybody.set()

        return hear

    people = await _gathering(port, "typing", TYPISTS, heard)

    async def act() -> Figures:
        began = time.perf_counter()

        async def type(person: Person, phase: float) -> None:
            for turn in range(turns):
                await asyncio.sleep(max(0.0, began + phase + turn * EVERY - time.perf_counter()))
                await person.cast_typing("typing")

        draw = random.Random(4)
        await asyncio.gather(*(type(person, draw.random() * EVERY) for person in people))
        await _all(everybody)
        for person in people:
            person.leave()
        return {"told": told / (time.perf_counter() - began)}

    return act


async def _all(everybody: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(everybody.wait(), 10)
    except TimeoutError:
        raise BenchError("Ten seconds after the last was sent, not everything had come on every stream.") from None
