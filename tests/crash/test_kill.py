"""Kill servers at random moments, again and again: acknowledged events are there once, in order, and every run ends."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import time
from collections import Counter
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from tests.crash.world import Asker, Numbered, Publisher, Reader, World, number, text_of, whole_log
from tests.model_server import FINISH, StandIn, Write, delta, stand_in
from tests.serving import ServerProcess
from tests.streams import request

TOPICS = ("chat.a", "chat.b", "chat.c")
WORDS = [f"word{n} " for n in range(40)]
TERMINAL = {"run.finished", "run.failed"}
QUIET = 120.0
"""Seconds for which everybody may still be busy after the last kill. Never a measure of speed."""


class Model:
    """A model whose answers take about half a second, and stand still while `flowing` is clear."""

    def __init__(self) -> None:
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def answer(self, write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        for word in WORDS:
            await self.flowing.wait()
            await write(b"data: " + json.dumps(delta(content=word)).encode() + b"\n\n")
            await asyncio.sleep(0.01)
        await write(b"data: " + json.dumps(FINISH).encode() + b"\n\ndata: [DONE]\n\n")


async def kill_again_and_again(world: World, times: int) -> list[float]:
    """Kill a server after a random number of moves, or while it starts. Return the seconds that each start took."""
    took = []
    for turn in range(times):
        if turn % 3 == 0:
            # Or few would die in the middle of an answer, and none would live to its end: LangChain loads for a while.
            await world.until(words=world.random.randrange(100))
        await world.until(moves=world.random.randrange(200))
        await asyncio.sleep(world.random.random() * 0.02)  # between two moves, too
        server = world.random.choice(world.servers)
        await asyncio.to_thread(server.kill)
        if turn % 5 == 4:
            await kill_while_starting(server, world.random)
        began = time.monotonic()
        await asyncio.to_thread(server.start)
        took.append(time.monotonic() - began)
    return took


async def kill_while_starting(server: ServerProcess, random: Random) -> None:
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    while server.process is None:  # noqa: ASYNC110 (it is set in another thread)
        await asyncio.sleep(0.001)
    pid = server.pid
    await asyncio.sleep(random.random() * 1.5)
    os.killpg(pid, signal.SIGKILL)
    with suppress(AssertionError):  # it had not started yet
        await starting
    await asyncio.to_thread(server.kill)


async def kill_in_an_answer(world: World, model: Model) -> str:
    """Kill every server while a run is under way, and return the run, which can only be interrupted."""
    model.flowing.clear()
    body = json.dumps({"assistant": "model", "input": "What is a topic? (the one that is interrupted)"})
    headers = {"content-type": "application/json", "idempotency-key": "interrupted"}
    run = (await world.ask("/runs", "POST", body, headers)).json()["run"]
    for server in world.servers:
        await asyncio.to_thread(server.kill)
    model.flowing.set()
    for server in world.servers:
        await asyncio.to_thread(server.start)
    return str(run)


@pytest.mark.slow
@pytest.mark.timeout(900)  # 50 kills take 190 s on a quiet machine of two cores
@pytest.mark.parametrize(("store", "processes", "times"), [("sqlite", 1, 50), ("sqlite", 2, 10), ("postgres", 2, 6)])
async def test_no_event_is_lost_doubled_or_left_hanging(
    store: str, processes: int, times: int, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"{store}_url")
    seed = os.environ.get("TIDINGS_SEED") or secrets.token_hex(8)
    print(f"TIDINGS_SEED={seed} draws the same moments again")
    model = Model()
    async with stand_in(model.answer) as asked:
        env = {"TIDINGS_MODEL_URL": asked.url, "TIDINGS_MODEL": "slow"}
        servers = [await asyncio.to_thread(ServerProcess, url, env=env) for _ in range(processes)]
        try:
            await everything(World(servers, seed), times, model, asked)
        finally:
            for server in servers:
                await asyncio.to_thread(server.kill)


async def everything(world: World, times: int, model: Model, asked: StandIn) -> None:
    publishers = [Publisher(world, topic, f"{topic}/{n}") for topic in TOPICS for n in range(2)]
    one = [Reader(world, f"/events?topic={topic}&envelope=true&from=earliest") for topic in TOPICS]
    path = "/events?envelope=true&from=earliest&topic=" + "&topic=".join(TOPICS)
    three = [Reader(world, path) for _ in range(2)]
    askers = [Asker(world, "a", "model"), Asker(world, "b", "model"), Asker(world, "c", "docs")]
    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(reader.run()) for reader in one + three]
        working = [group.create_task(worker.run()) for worker in [*publishers, *askers]]
        took = await kill_again_and_again(world, times)
        interrupted = await kill_in_an_answer(world, model)
        viewer = Reader(world, f"/runs/{interrupted}/events")
        world.stopping = True
        try:
            async with asyncio.timeout(QUIET):
                await asyncio.gather(*working, viewer.run())
                for topic in TOPICS:
                    await world.ask(f"/topics/{topic}/close", "POST", "", {})
                await asyncio.gather(*readers)
        except TimeoutError:
            raise AssertionError(await who_hangs(world, askers, one + three)) from None
    print(f"starts took {min(took):.2f} to {max(took):.2f} s; {world.moves} moves; {dict(world.met)}")

    logs = {topic: await numbered(world, topic) for topic in TOPICS}
    acknowledged = check_publishers(publishers, logs)
    for reader, topics in [*((r, (t,)) for r, t in zip(one, TOPICS, strict=True)), *((r, TOPICS) for r in three)]:
        assert reader.events() == {topic: logs[topic] for topic in topics}
        assert len(reader.of("message")) + len(reader.of("tidings.end")) == len(reader.seen)
        assert {json.loads(event.data)["topic"] for event in reader.of("tidings.end")} == set(topics)
    outcomes = [await check_run(world, run, viewers) for asker in askers for run, viewers in asker.viewers.items()]
    questions = Counter(body["messages"][-1]["content"] for _, _, body in asked.requests)
    assert max(questions.values()) == 1, "a model was called twice for one question"
    print(f"{acknowledged} events acknowledged; runs: {Counter(outcomes)}")
    assert acknowledged
    # The last answers of each asker come when nobody is killed any more, so some of them succeed.
    assert "success" in outcomes
    assert set(outcomes) <= {"success", "interrupted"}
    assert await check_run(world, interrupted, [viewer]) == "interrupted"


async def who_hangs(world: World, askers: list[Asker], readers: list[Reader]) -> str:
    """Describe the streams that have not ended."""
    waiting = [(reader.path, reader.seen[-3:]) for reader in readers if not reader.done]
    for asker in askers:
        for run, viewers in asker.viewers.items():
            if not all(viewer.done for viewer in viewers):
                state = (await request(f"{world.url}/runs/{run}")).json()
                waiting += [(state, viewer.done, viewer.seen[-2:]) for viewer in viewers]
    return f"these wait for something: {waiting}"


async def numbered(world: World, topic: str) -> list[Numbered]:
    """The whole log of a closed topic, whose numbers have no gap."""
    events, closed = await whole_log(world, topic)
    assert closed
    assert [number(event["offset"]) for event in events] == list(range(1, len(events) + 1))
    return [(number(event["offset"]), event["data"]) for event in events]


def check_publishers(publishers: list[Publisher], logs: dict[str, list[Numbered]]) -> int:
    """Every event was acknowledged in the end, so each log holds exactly those; how many."""
    for topic, log in logs.items():
        acknowledged: dict[int, str] = {}
        for publisher in publishers:
            if publisher.topic == topic:
                assert not acknowledged.keys() & publisher.acknowledged.keys()
                acknowledged |= publisher.acknowledged
        assert sorted(acknowledged.items()) == log
    return sum(map(len, logs.values()))


async def check_run(world: World, run: str, viewers: list[Reader]) -> str:
    """Check that a run ends once, with its last event, and that all viewers saw that end and the same text.

    Return the run's outcome."""
    events, closed = await whole_log(world, f"runs.{run}")
    ends = [event["type"] for event in events if event["type"] in TERMINAL]
    assert closed
    assert len(ends) == 1
    assert events[-1]["type"] in TERMINAL
    text = text_of((event["type"], event["data"]) for event in events)
    for viewer in viewers:
        # A viewer that was cut off between the last event and the end's own came back to a 204, which says the same.
        told = [event for event in viewer.seen if event.type != "tidings.end"]
        assert viewer.seen[: len(told)] == told
        seen: list[tuple[str, Any]] = [(event.type, json.loads(event.data)) for event in told]
        assert seen[-1][0] == events[-1]["type"]
        assert sum(type in TERMINAL for type, _ in seen) == 1
        assert text_of(seen) == text
        numbers = [number(event.id) for event in told]
        assert numbers == sorted(set(numbers))
    assert (await request(f"{world.url}/runs/{run}")).json()["state"] != "running"
    end = events[-1]["data"]
    return str(end.get("outcome") or f"failed: {end}")
