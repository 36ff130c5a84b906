"""Moving the logs of one store to another while both are in use.

The move copies what has changed, round after round, until a round is short. Then it seals the source, so that no
process can change it, copies the rest, and only then lets everybody read and change the logs at the target. All that a
move knows is in the two stores, so that a move which was killed is repeated and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from math import inf
from time import monotonic
from typing import NamedTuple

import msgspec

from tidings.errors import Conflict, InvalidRequest
from tidings.log.head import Change, Head, Known
from tidings.log.holding import holding
from tidings.log.port import Extras, MovableStore, Seal

EVENTS = 5_000
"""Events of a topic that are read at once, at most."""

TOPICS = 1_000
"""Topics that are listed at once."""

AT_ONCE = 64
"""Topics that are copied at the same time. The target writes what waits together."""

SHORT = 0.5
"""Seconds within which a round must end for the source to be sealed after it."""

LEASE = 10.0
"""Seconds after which a run that was under way at the source ends as interrupted at the target."""

LEASES = 1_000_000
"""Leases that are looked at, at most."""

Tell = Callable[[str], None]


class Moved(NamedTuple):
    """The outcome: the topics and the events that this move has copied, and the seconds without a store for changes."""

    topics: int
    events: int
    refused: float


class Move:
    """The move from one open store to another. `tell` gets a sentence about each step."""

    def __init__(self, source: MovableStore, target: MovableStore, tell: Tell = lambda sentence: None) -> None:
        self._source = source
        self._target = target
        self._tell = tell
        self._events = 0
        self._sealed = 0.0

    async def run(self) -> Moved:
        """Move everything, and return the outcome.

        If it fails before the source is sealed for good, the source takes changes as before, and the target keeps what
        was copied for the next attempt. Raises InvalidRequest if the source is empty, Conflict if a topic is in both
        stores or the target was moved away itself, Unavailable if a store is away.
        """
        if await self._target.seal() is not Seal.OPEN:
            raise Conflict("The store to move to was moved to another one itself.")
        if await self._source.seal() is not Seal.MOVED:
            if not await self._source.topics(limit=1):
                raise InvalidRequest("The store to move from holds no topics.")
            await self._copy()
        self._sealed = self._sealed or monotonic()
        opened = await self._open()
        return Moved(opened, self._events, monotonic() - self._sealed)

    async def _copy(self) -> None:
        before = inf
        while True:
            began = monotonic()
            topics, events = await self._round(), self._events
            took = monotonic() - began
            self._tell(f"Looked at all topics in {took:.1f} s; {topics:,} had changed. {events:,} events copied.")
            if took < SHORT or took > before / 2:
                break
            before = took
        self._sealed = monotonic()
        await self._source.seal(Seal.SEALED)
        try:
            self._tell("The store to move from refuses changes from now on.")
            while await self._round():
                pass
            await self._source.seal(Seal.MOVED)
        except BaseException:
            await self._source.seal(Seal.OPEN)
            raise

    async def _round(self) -> int:
        """Copy the topics that differ, and return their number. Zero: the stores hold the same."""
        differing = 0

        async def work() -> AsyncIterator[Coroutine[None, None, None]]:
            nonlocal differing
            async for topic, here, there in _pairs(self._source, self._target):
                if there and not there.arriving:
                    if here:
                        raise _in_both(topic)
                elif not here or _arriving(here, here.tail) != there:
                    differing += 1
                    yield self._bring(topic)

        await _together(work())
        return differing

    async def _bring(self, topic: str) -> None:
        """Copy a topic until the target has what the source had a moment before."""
        there = await self._target.load(topic)
        while True:
            if there and not there.arriving:
                raise _in_both(topic)
            head, records = await self._source.read(topic, there.tail if there else 0, EVENTS)
            if there and (not head or not _goes_on(there, head)):
                there = await self._put(topic, there, Change(None))
                continue
            if not head:
                return
            start = there.tail if there else 0
            if there:
                await self._replace(topic, there, head)
            records = [record for record in records if record.last <= head.tail]
            last = records[-1].last if records else max(start, head.start)
            extras = await self._source.extras(topic, start, last)
            labels = await self._labels(topic, extras) if last == head.tail else {}
            after = _arriving(head, last)
            keys = [key[:3] for key in extras.keys]
            times = {key: time for key, _, _, time in extras.keys}
            there = await self._put(topic, there, Change(after, records, keys, labels=labels, times=times))
            if there == after:
                self._events += sum(record.last - record.base for record in records)
                if last == head.tail:
                    return

    async def _labels(self, topic: str, wanted: Extras) -> dict[str, bool]:
        """Return the labels that a topic gets and loses at the target."""
        had = await self._target.extras(topic, 1, 0)
        return {**dict.fromkeys(had.labels, False), **dict.fromkeys(wanted.labels, True)}

    async def _replace(self, topic: str, there: Head, head: Head) -> None:
        """Copy the records again in which an event was redacted since they were copied."""
        count = head.redactions - there.redactions
        named = head.redacted[len(head.redacted) - count :]
        numbers = sorted({n for n, _ in named if head.start < n <= there.tail})
        _, records = await holding(self._source, topic, there.epoch, numbers, 0.0)
        if records:
            await self._put(topic, there, Change(there, replaced=records))

    async def _put(self, topic: str, there: Head | None, change: Change) -> Head | None:
        """Write a change of a topic if it still is as it was, and return the head as it is now."""

        def plan(known: Known) -> Change | None:
            return change if known.head == there else None

        return (await self._target.update(topic, (), plan)).head

    async def _open(self) -> int:
        """Let everybody use what has arrived, and return the number of topics."""
        opened = 0

        async def work() -> AsyncIterator[Coroutine[None, None, None]]:
            nonlocal opened
            async for topic, head in _heads(self._target):
                if head.arriving:
                    opened += 1
                    yield self._admit(topic)

        await _together(work())
        for topic in await self._source.lapsed(LEASES, inf):
            head = await self._target.load(topic)
            if head and not head.closed:
                await self._target.lease(topic, LEASE, renew=False)
        return opened

    async def _admit(self, topic: str) -> None:
        def plan(known: Known) -> Change | None:
            if not known.head or not known.head.arriving:
                return None
            return Change(msgspec.structs.replace(known.head, arriving=False))

        await self._target.update(topic, (), plan)


def _arriving(head: Head, tail: int) -> Head:
    """Return a head of the source as the target keeps it while it has the events up to `tail`."""
    return msgspec.structs.replace(head, tail=tail, arriving=True)


def _goes_on(there: Head, head: Head) -> bool:
    """Tell whether the target's log is the beginning of the source's; if not, it is copied anew."""
    redactions = head.redactions - there.redactions
    return there.epoch == head.epoch and there.tail <= head.tail and 0 <= redactions <= len(head.redacted)


def _in_both(topic: str) -> Conflict:
    return Conflict(f"The topic {topic} is in both stores. Delete it in one of them.", topic=topic)


async def _heads(store: MovableStore) -> AsyncIterator[tuple[str, Head]]:
    after = ""
    while heads := await store.topics("", after, TOPICS):
        for each in heads:
            yield each
        after = heads[-1][0]


async def _pairs(source: MovableStore, target: MovableStore) -> AsyncIterator[tuple[str, Head | None, Head | None]]:
    """Iterate over the topics of both stores, in their common order."""
    left, right = _heads(source), _heads(target)
    a, b = await anext(left, None), await anext(right, None)
    while a or b:
        name = min(each[0] for each in (a, b) if each)
        here = there = None
        if a and a[0] == name:
            here, a = a[1], await anext(left, None)
        if b and b[0] == name:
            there, b = b[1], await anext(right, None)
        yield name, here, there


async def _together(work: AsyncIterator[Coroutine[None, None, None]]) -> None:
    """Await coroutines, a number of them at the same time. The first error ends the others, and is raised."""
    free = asyncio.Semaphore(AT_ONCE)
    try:
        async with asyncio.TaskGroup() as group:
            async for each in work:
                await free.acquire()
                group.create_task(each).add_done_callback(lambda _: free.release())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
