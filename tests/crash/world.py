"""Publishers, readers, askers and viewers that go on whatever happens to their server, and remember what they saw."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.serving import ServerProcess
from tests.streams import PATIENCE, Answer, request, streaming
from tidings.wire.sse import ServerSentEvent

PAUSE = 0.2
"""Seconds until a client that found nobody tries again."""

Numbered = tuple[int, str]
"""An event's number and its data."""


@dataclass
class World:
    """The servers, and the progress of their clients: `moves` counts acknowledgements and deliveries, `words` the
    deliveries of an answer's text."""

    servers: list[ServerProcess]
    seed: str
    stopping: bool = False
    moves: int = 0
    words: int = 0
    moved: asyncio.Event = field(default_factory=asyncio.Event)
    met: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.random = self.dice("the moments of kills")
        self._servers = self.dice("the server of each request")

    def dice(self, name: str) -> Random:
        """Return dice of one's own: what they show does not depend on when the others throw theirs."""
        return Random(f"{self.seed} {name}")

    def move(self) -> None:
        self.moves += 1
        self.moved.set()

    async def until(self, *, moves: int = 0, words: int = 0) -> None:
        """Wait until so much more has happened. Raises TimeoutError when nothing does for PATIENCE seconds."""
        moves, words = self.moves + moves, self.words + words
        while self.moves < moves or self.words < words:
            self.moved.clear()
            async with asyncio.timeout(PATIENCE):
                await self.moved.wait()

    @property
    def url(self) -> str:
        return self._servers.choice(self.servers).url

    async def ask(self, path: str, method: str, body: str, headers: dict[str, str]) -> Answer:
        """Repeat one request, the same to the byte, until it is answered with success. A cut one may have been heard,
        so its key decides whether it counts twice."""
        while True:
            try:
                answer = await request(self.url + path, method, body, headers)
            except TimeoutError:
                raise
            except (OSError, EOFError) as error:
                self.met[type(error).__name__] += 1
            else:
                if answer.status < 300:
                    self.move()
                    return answer
                self.met[f"{method} {answer.status}"] += 1
                assert answer.status == 503, answer
            await asyncio.sleep(PAUSE)

    async def follow(self, path: str, last: str, seen: Callable[[ServerSentEvent], None]) -> int:
        """Follow a stream until it ends, however; its status, 0 if nobody was there."""
        try:
            async with streaming(self.url + path, last) as stream:
                async for event in stream:
                    self.words += event.type == "block.delta"
                    self.move()
                    seen(event)
                return stream.status
        except TimeoutError:
            raise
        except (OSError, EOFError) as error:
            self.met[type(error).__name__] += 1
            return 0


class Publisher:
    """Publishes to one topic until the world stops: single events and batches, each with a key of its own."""

    def __init__(self, world: World, topic: str, name: str) -> None:
        self.world, self.topic, self.name = world, topic, name
        self.dice = world.dice(name)
        self.acknowledged: dict[int, str] = {}

    async def run(self) -> None:
        count = 0
        while not self.world.stopping:
            count += 1
            texts = [f"{self.name} {count}.{part}" for part in range(self.dice.choice([1, 1, 3, 40]))]
            await self._publish(texts, f"{self.name}-{count}")

    async def _publish(self, texts: list[str], key: str) -> None:
        body = "\n".join(json.dumps({"data": text}) for text in texts)
        headers = {"content-type": "application/x-ndjson", "idempotency-key": key}
        answer = (await self.world.ask(f"/topics/{self.topic}/events", "POST", body, headers)).json()
        first = number(answer["first"])
        assert number(answer["last"]) == first + len(texts) - 1
        self.acknowledged.update(enumerate(texts, first))


class Reader:
    """Follows topics to their end as an EventSource does: it comes back with the last id until it is told not to."""

    def __init__(self, world: World, path: str) -> None:
        self.world, self.path = world, path
        self.seen: list[ServerSentEvent] = []
        self.done = False
        self.last = ""

    async def run(self) -> None:
        while (status := await self.world.follow(self.path, self.last, self._take)) != 204:
            assert status in (0, 200, 503), status
            await asyncio.sleep(PAUSE)
        self.done = True

    def _take(self, event: ServerSentEvent) -> None:
        self.seen.append(event)
        self.last = event.id

    def of(self, type: str) -> list[ServerSentEvent]:
        return [event for event in self.seen if event.type == type]

    def events(self) -> dict[str, list[Numbered]]:
        """Return the events of each topic that a reader of envelopes has seen."""
        found = defaultdict(list)
        for event in self.of("message"):
            said = json.loads(event.data)
            found[said["topic"]].append((number(said["offset"]), said["data"]))
        return dict(found)


class Asker:
    """Starts one run after another, the last one when the world has stopped, and views each to its end, twice."""

    def __init__(self, world: World, name: str, assistant: str) -> None:
        self.world, self.name, self.assistant = world, name, assistant
        self.viewers: dict[str, list[Reader]] = {}

    async def run(self) -> None:
        count, stopped = 0, False
        while not stopped:
            count, stopped = count + 1, self.world.stopping
            body = json.dumps({"assistant": self.assistant, "input": f"What is a topic? ({self.name} {count})"})
            headers = {"content-type": "application/json", "idempotency-key": f"{self.name}-{count}"}
            run = (await self.world.ask("/runs", "POST", body, headers)).json()["run"]
            viewers = self.viewers[run] = [Reader(self.world, f"/runs/{run}/events") for _ in range(2)]
            async with asyncio.TaskGroup() as group:
                for viewer in viewers:
                    group.create_task(viewer.run())


async def whole_log(world: World, topic: str) -> tuple[list[dict[str, Any]], bool]:
    """Every event of a topic, from pages, and whether it is closed."""
    events: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = await request(f"{world.url}/topics/{topic}/events?limit=1000{after}")
        assert answer.status == 200, answer
        page = answer.json()
        events += page["events"]
        after = f"&after={page['next']}"
        if page["up_to_date"]:
            return events, page["closed"]


def number(offset: str) -> int:
    return int(offset.partition("-")[2])


def text_of(events: Iterable[tuple[str, Any]]) -> str:
    """The text in a run's events `(type, data)`, however its deltas were merged."""
    return "".join(data["delta"] for type, data in events if type == "block.delta")
