"""Parts that the tests of the stores share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from tidings.errors import OutcomeUnknown, Unavailable
from tidings.events import Event, Offset, Page
from tidings.log.head import Change, Head, Known
from tidings.log.journal import Journal
from tidings.log.port import News, Plan, Store
from tidings.log.records import Record

Connect = Callable[[], Awaitable[Store]]
Logs = Callable[..., Awaitable[Journal]]
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


class Clock:
    """A time that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def items(*data: str) -> list[tuple[str, str]]:
    return [("message", each) for each in data]


def put(n: int = 1, *, size: int = 10, keys: Sequence[str] = (), **head: object) -> Plan:
    """A plan: one more record of `n` events."""

    def plan(known: Known) -> Change:
        at = known.head or Head("epoch1")
        record = Record(at.tail, at.tail + n, b"id" + at.tail.to_bytes(4), bytes(size))
        after = Head(**{"epoch": at.epoch, "start": at.start, "tail": record.last, **head})  # type: ignore[arg-type]
        return Change(after, [record], [(key, at.tail + 1, record.last) for key in keys])

    return plan


def labelled(**labels: bool) -> Plan:
    """A plan: one more record, with labels that the log gets and loses."""
    more = put()

    def plan(known: Known) -> Change:
        change = more(known)
        assert change
        return change._replace(labels=labels)

    return plan


async def line(worker: asyncio.subprocess.Process) -> str:
    """Return the next line that a process of `worker.py` says."""
    assert worker.stdout
    read = await asyncio.wait_for(worker.stdout.readline(), 30)
    assert read.endswith(b"\n"), "the worker died"
    return read.decode().strip()


async def everything(log: Journal, topic: str, after: Offset | None = None, limit: int = 7) -> list[Event]:
    found: list[Event] = []
    while True:
        page = await log.read(topic, after, limit)
        assert page.lost is None
        found += page.events
        after = page.next
        if page.up_to_date:
            return found


def data_of(page: Page | list[Event]) -> list[str]:
    return [event.data for event in (page.events if isinstance(page, Page) else page)]


async def until(changes: AsyncIterator[News], topic: str, tail: Offset | None) -> None:
    """Follows a feed until it has said that `topic` has `tail`. A "look at all" is not taken for an answer."""
    async with asyncio.timeout(10):
        async for news in changes:
            if isinstance(news, dict) and news.get(topic, "other") == tail:
                return
    raise AssertionError("the feed ended")


async def quiet(log: Journal) -> None:
    """Wait until a log does nothing in the background, such as trimming after an append."""
    await asyncio.sleep(0)
    while tasks := log._queues._tasks:
        # A `gather` of finished tasks gives no turn to their callbacks from Python 3.12 on, so this would never end.
        done, _ = await asyncio.wait(tasks)
        for task in done:
            task.result()


class Flaky:
    """A store whose connection dies in every third update: before it is written, after, or so that it comes late."""

    def __init__(self, store: Store, how: str) -> None:
        self._store = store
        self._how = how
        self._calls = 0
        self.died = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def load(self, topic: str) -> Head | None:
        if self._how == "away":
            raise Unavailable("away")
        return await self._store.load(topic)

    async def update(self, topic: str, keys: Sequence[str], plan: Plan) -> Known:
        self._calls += 1
        if self._how == "away":
            raise OutcomeUnknown("died")
        if self._how == "after, then deleted":
            known = await self._store.update(topic, keys, plan)
            if self._calls == 2:
                await self._store.update(topic, (), lambda known: Change(None))
                raise OutcomeUnknown("died")
            return known
        if self._calls % 3:
            return await self._store.update(topic, keys, plan)
        self.died += 1
        if self._how == "after":
            await self._store.update(topic, keys, plan)
        elif self._how == "before":
            plan(Known(await self._store.load(topic)))
        else:
            before = await self._store.load(topic)
            change = plan(Known(before))
            # A revision is compared where the change arrives: it is stored only upon what it was decided on.
            asyncio.get_running_loop().call_soon(
                asyncio.ensure_future,
                self._store.update(topic, keys, lambda known: change if known.head == before else None),
            )
        raise OutcomeUnknown("died")
