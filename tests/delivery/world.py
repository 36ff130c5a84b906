"""A world for readers to live in: servers, publishers, and somebody who trims and deletes."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random

import msgspec

from tests.delivery.client import PATIENCE, Caller
from tests.delivery.reader import Reader
from tests.delivery.target import Setup
from tests.delivery.truth import Broken, Topic

NDJSON = "application/x-ndjson"


@asynccontextmanager
async def target(setup: Setup) -> AsyncIterator[int]:
    """The port of a server that runs meanwhile. Raises Broken if it has written anything to be looked at."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.delivery.target",
        msgspec.json.encode(setup).decode(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    assert process.stderr
    said = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(PATIENCE):
            line = await process.stdout.readline()
        if not line:
            raise Broken(f"the server did not start: {(await said).decode()}")
        yield int(line)
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()
        if text := (await said).decode():
            raise Broken(f"the server wrote:\n{text}")


class World:
    """Topics a, b and c are stable; d is trimmed, deleted and made again. `budget`: how many events to publish."""

    def __init__(self, setup: Setup, rng: Random, ports: Sequence[int], budget: int, tally: Counter[str]) -> None:
        self.setup = setup
        self.rng = rng
        self.ports = ports
        self.budget = budget
        self.tally = tally
        self.topics = [Topic(name, stable=name != "d") for name in "abcd"]
        self.published = 0
        self.moved = asyncio.Event()
        self.done = False

    async def live(self, readers: int) -> None:
        """Returns when all is published, closed and read by all. Raises Broken."""
        async with asyncio.TaskGroup() as group:
            publishers = [group.create_task(self._publish(str(i), Random(self.rng.random()))) for i in range(4)]
            for i in range(readers):
                rng = Random(self.rng.random())
                topics = rng.sample(self.topics, 1 if i % 2 else 3)
                reader = Reader(f"reader {i}", rng, self.ports, topics, self.tally)
                group.create_task(reader.run())
                await self._until(partial(self._reached, self.budget * i // (2 * readers)))
            churn = group.create_task(self._churn(Random(self.rng.random())))
            await asyncio.wait(publishers)
            self.done = True
            self.moved.set()
            await churn
            await self._close()
        for topic in self.topics:
            assert topic.tail is not None
            topic.finish(*topic.tail)

    def _reached(self, published: int) -> bool:
        return self.published >= published

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait for something to have been published, or for all to be."""
        while not reached() and not self.done:
            self.moved.clear()
            await self.moved.wait()

    async def _publish(self, name: str, rng: Random) -> None:
        caller = Caller(rng.choice(self.ports))
        number = 0
        try:
            while self.published < self.budget:
                topic = rng.choice(self.topics)
                number += 1
                count = rng.choice([1, 1, rng.randint(2, 30), rng.randint(30, 30 + 3 * self.setup.window)])
                await self.send(caller, topic, self._texts(topic, f"{name}.{number}", count, rng), rng)
                if rng.random() < 0.1:
                    await self._cast(caller, topic, rng)
                if rng.random() < 0.2:
                    await asyncio.sleep(rng.random() * 0.01)
        finally:
            caller.close()

    def _texts(self, topic: Topic, name: str, count: int, rng: Random) -> list[tuple[str, str]]:
        type = rng.choice(["message", "message", "tick"])
        most = rng.choice([20, 20, 20, 200]) if rng.random() < 0.98 else rng.choice([4000, 50000])
        filler = rng.choice(["x", "x", "x", "é", "\x00\x01", "a\nb"]) * (most // 3)
        if most > 1000:
            count = min(count, 3)
        return [(type, f"{topic.name}|{type}|{name}.{i}|{filler[: rng.randrange(most)]}") for i in range(count)]

    async def send(self, caller: Caller, topic: Topic, items: list[tuple[str, str]], rng: Random) -> None:
        """Publish, and take note of what is true from now on."""
        path = f"/topics/{topic.name}/events"
        if len(items) == 1 and rng.random() < 0.7:
            status, answer = await caller.call("POST", f"{path}?type={items[0][0]}", items[0][1].encode())
        else:
            lines = [msgspec.json.encode({"type": type, "data": data}) for type, data in items]
            status, answer = await caller.call("POST", path, b"\n".join(lines), NDJSON)
        if status != 201:
            raise Broken(f"publishing was answered with {status}: {answer!r}")
        stored = msgspec.json.decode(answer)
        topic.acknowledge(stored["first"], stored["last"], [data for _, data in items])
        topic.published += len(items)
        self.published += len(items)
        self.moved.set()

    async def _cast(self, caller: Caller, topic: Topic, rng: Random) -> None:
        path = f"/topics/{topic.name}/events?transient=true&type=cast"
        status, answer = await caller.call("POST", path, f"cast|{rng.random()}".encode())
        if status != 202:
            raise Broken(f"a transient event was answered with {status}: {answer!r}")

    async def _churn(self, rng: Random) -> None:
        """Trims and deletes the last topic, each time a random number of events were published to it."""
        topic = self.topics[-1]
        caller = Caller(rng.choice(self.ports))
        try:
            while not self.done:
                until = topic.published + rng.randint(20, 60 + self.budget // 40)
                await self._until(partial(topic.reached, until))
                if rng.random() < 0.5:
                    topic.deletes += 1
                    status, _ = await caller.call("DELETE", f"/topics/{topic.name}")
                    self.tally["deletes"] += 1
                else:
                    limit = b'{"max_events": %d}' % rng.randint(1, 4 * self.setup.window)
                    status, _ = await caller.call("PUT", f"/topics/{topic.name}", limit, "application/json")
                    self.tally["trims"] += 1
                if status not in (200, 204):
                    raise Broken(f"trimming or deleting was answered with {status}")
        finally:
            caller.close()

    async def _close(self) -> None:
        """The end of every topic, which its readers may see before the answer."""
        for topic in self.topics:
            caller = Caller(self.rng.choice(self.ports))
            last = [("message", f"{topic.name}|message|last|")]
            await self.send(caller, topic, last, self.rng)
            _, answer = await caller.call("GET", f"/topics/{topic.name}")
            epoch, _, n = msgspec.json.decode(answer)["tail"].rpartition("-")
            topic.tail = epoch, int(n)
            status, answer = await caller.call("POST", f"/topics/{topic.name}/close")
            caller.close()
            if status != 200:
                raise Broken(f"closing was answered with {status}: {answer!r}")


async def check(setup: Setup, seed: str, *, budget: int, readers: int = 24) -> Counter[str]:
    """Run a world from its first event to its last, and return its counts. Raises Broken, with the seed."""
    tally: Counter[str] = Counter()
    try:
        async with AsyncExitStack() as stack:
            ports = [await stack.enter_async_context(target(setup)) for _ in range(setup.processes)]
            world = World(setup, Random(seed), ports, budget, tally)
            await world.live(readers)
            tally["published"] = world.published
    except Exception as error:
        raise Broken(f"seed {seed}, {setup}: {_reason(error)}") from error
    return tally


def _reason(error: BaseException | None) -> str:
    """Return the first error."""
    if isinstance(error, BaseExceptionGroup):
        return " & ".join(map(_reason, error.exceptions))
    if isinstance(error, Broken) and error.__context__ and not error.__cause__:
        return f"{error} after {_reason(error.__context__)}"
    return f"{type(error).__name__}: {error}"
