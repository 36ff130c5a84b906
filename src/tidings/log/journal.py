"""`Journal`: appending to, reading and trimming the logs of any store. The one append loop, written once.

Appends to one topic that wait while a change of it is under way go as ONE record: group commit for every engine.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Literal

from tidings.clock import unix_time
from tidings.errors import Closed, Conflict, InvalidRequest, NotFound, OutcomeUnknown, TidingsError, Unavailable
from tidings.events import ORIGIN, Event, Offset, Page, Retention

from . import names, rules
from .commit import Commit, Job, Trim, delete
from .port import Cast, News, Plan, Store
from .rules import NEW, Append, Appended, Change, Expected, Head, Known, Record
from .uncertain import resolve

__all__ = [
    "NEW",
    "Appended",
    "Cast",
    "Change",
    "Expected",
    "Head",
    "Journal",
    "Known",
    "News",
    "Plan",
    "Record",
    "Store",
]

GROUP_EVENTS, GROUP_BYTES = 5_000, 1 << 20
"""What is merged into one record at most; a larger append goes alone."""

WAITING = 16 << 20
"""Bytes of appends that may be under way, over all topics. Further publishers wait for their turn."""

CLOSING = 15.0
"""Seconds for which `close` waits for what is under way, should the store hang."""

logger = logging.getLogger("tidings")


class Journal:
    """The logs of a store, for one event loop.

    `on_commit(topic, head, base, events)` is called on the loop's thread after each change this process made, in log
    order per topic, after the callers of that commit got their answers: with the events that follow the offset `base`,
    or without any when only the head changed. `on_delete(topic)`: this process deleted the topic.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = unix_time) -> None:
        self.store = store
        self.on_commit: Callable[[str, Head, Offset, Sequence[Event]], None] | None = None
        self.on_delete: Callable[[str], None] | None = None
        self._clock = clock
        self._lanes: dict[str, deque[Job]] = {}  # a topic is in it exactly while a change of it is under way
        self._bytes = 0
        self._blocked: deque[tuple[str, Job]] = deque()
        self._ids = _record_ids()
        self._news: list[Commit] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._trimming: set[str] = set()
        self._idle: asyncio.Future[None] | None = None  # set: closing

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        """Refuses new appends, waits for those under way, closes the store. Idempotent."""
        await self._finish()
        await self.store.close()

    async def _finish(self) -> None:
        if self._idle is None:
            self._idle = asyncio.get_running_loop().create_future()
            self._rest()
        await asyncio.wait((self._idle,), timeout=CLOSING)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ writing

    async def append(
        self,
        topic: str,
        items: Sequence[tuple[str, str]],
        *,
        expected: Literal[Expected.NEW] | str | Offset | None = None,
        key: str | None = None,
        close: bool = False,
        retention: Retention | None = None,
        ttl: float | None = None,
    ) -> Appended:
        """Appends (type, data) `items` as one unit, creating the log if there is none; durable on return.

        `expected`: NEW, an epoch, or the exact tail. `key`: the same key again within 24 h answers the first offsets.
        Calls for one topic are stored in the order in which they were made. Cancelled, it is stored whole or not at
        all. Raises Conflict, Closed, InvalidRequest, TooLarge, Unavailable (not stored) or OutcomeUnknown.
        """
        if not items and not close:
            raise InvalidRequest("There is nothing to append.")
        return await self._append(topic, Append(tuple(items), expected, key, close, retention, ttl))

    async def configure(
        self, topic: str, *, retention: Retention | None, ttl: float | None, expected: str | None = None
    ) -> Head:
        """Sets both, as they are (None: unlimited, for ever), creating the log if there is none. Also when closed.

        `expected`: only in this epoch; raises Conflict in another, and where there is no log.
        """
        await self._append(topic, Append(expected=expected, retention=retention, ttl=ttl, configure=True))
        return await self._described(topic)

    async def close_topic(self, topic: str) -> Head:
        """No event will ever follow. Idempotent; raises NotFound if there is no such topic."""
        head = await self._described(topic)
        try:
            await self._append(topic, Append(expected=head.epoch, close=True))
        except Closed:
            return head
        except Conflict:
            raise _no_topic(topic) from None
        return await self._described(topic)

    async def trim(self, topic: str) -> None:
        """Drops what is over the topic's retention."""
        names.valid_topic(topic)
        while True:
            head, records = await self.store.read(topic, 0, 1000)
            trimmed = head and rules.trim_point(head, records, self._clock())
            if not head or not trimmed:
                return
            await self._change(topic, Trim(head, trimmed))

    async def delete(self, topic: str) -> None:
        """The log, its keys and its lease are gone. Idempotent."""
        names.valid_topic(topic)
        await self._change(topic, delete)

    async def sweep(self) -> None:
        """Deletes every expired log and trims every log over its retention. To be called now and then."""
        after, heads = "", await self.store.topics()
        while heads:
            for after, head in heads:
                if not rules.living(head, self._clock()):
                    await self._change(after, self._delete_expired)
                elif rules.excessive(head, self._clock()):
                    await self.trim(after)
            heads = await self.store.topics(after=after)

    # ------------------------------------------------------------ reading

    async def read(self, topic: str, after: Offset | None, limit: int = 1000) -> Page:
        """The events after an offset; None: from the earliest. See Page.

        Raises NotFound if there is no such topic, unless `after` is an offset that an event had: then `lost` is
        "deleted" and the tail is ORIGIN.
        """
        names.valid_topic(topic)
        if limit < 1:
            raise InvalidRequest("A limit is at least 1.")
        read_from = after.n if after else 0
        looks = 0
        while True:
            head, records = await self.store.read(topic, read_from, limit)
            head = rules.living(head, self._clock())
            if head is None:
                if after in (None, ORIGIN):
                    raise _no_topic(topic)
                return Page((), ORIGIN, ORIGIN, ORIGIN, True, False, "deleted")
            n, lost = rules.position(head, after)
            looks += 1
            # Read again where the records do not begin at the position, and once where a store's replica lags its head.
            if n < read_from or (not records and n < head.tail and looks < 3):
                read_from = n
                continue
            return rules.page(head, records, n, lost, limit)

    async def read_before(self, topic: str, before: Offset | None, limit: int = 1000) -> Page:
        """The events that end at the position `before`, None being the tail; fewer where they are large.

        To go further back, ask for what is before the position before the first of them. `lost`: the position is of
        another life of the log, or was trimmed, and there are no events. Raises NotFound as `read` does.
        """
        page = await self.read(topic, before, 1)
        if page.lost is not None:
            return page._replace(events=())
        n, epoch = (before or page.tail).n, page.tail.epoch
        at = Offset(epoch, max(page.earliest.n - 1, n - limit))
        while at.n < n:
            page = await self.read(topic, at, n - at.n)
            if page.next.epoch != epoch or page.earliest.n > n:
                return page._replace(events=())
            if page.next.n == n:
                return page._replace(lost=None)
            # Of what is large the store gives a part: the one next to the position is wanted.
            at = page.next
        return page._replace(events=(), next=at, up_to_date=at == page.tail)

    async def describe(self, topic: str) -> Head | None:
        """The head of a log, freshly loaded; None if there is no such topic."""
        return rules.living(await self.store.load(names.valid_topic(topic)), self._clock())

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """The names that `heads` gives."""
        return [name for name, _ in await self.heads(prefix, after, limit)]

    async def heads(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[tuple[str, Head]]:
        """The next topics in byte order, at most `limit`; the last of them is the next `after`. Empty: no more."""
        while heads := await self.store.topics(prefix, after, limit):
            found = [(name, head) for name, head in heads if rules.living(head, self._clock())]
            if found or len(heads) < limit:
                return found
            after = heads[-1][0]
        return []

    async def _described(self, topic: str) -> Head:
        head = await self.describe(topic)
        if head is None:
            raise _no_topic(topic)
        return head

    # ------------------------------------------------------------ the append loop

    async def _append(self, topic: str, append: Append) -> Appended:
        names.valid_topic(topic)
        size = rules.valid_append(append)
        answer = await self._submit(topic, Job(append, None, size + 64 * len(append.items)))
        assert isinstance(answer, Appended)
        return answer

    async def _change(self, topic: str, plan: Plan) -> None:
        await self._submit(topic, Job(None, plan, 0))

    def _submit(self, topic: str, job: Job) -> Awaitable[Appended | None]:
        if self._idle is not None:
            raise Unavailable("This process is going away.")
        if self._blocked or (self._bytes and self._bytes + job.size > WAITING):
            self._blocked.append((topic, job))
        else:
            self._admit(topic, job)
        return job.answer

    def _admit(self, topic: str, job: Job) -> None:
        self._bytes += job.size
        lane = self._lanes.get(topic)
        if lane is None:
            self._lanes[topic] = lane = deque((job,))
            self._begin(topic, lane)
        else:
            lane.append(job)

    def _begin(self, topic: str, lane: deque[Job]) -> None:
        """Starts one change with what waits in a lane that holds at least one job."""
        jobs = [lane.popleft()]
        events, size = jobs[0].events, jobs[0].size
        while lane and jobs[0].append and lane[0].append:
            events, size = events + lane[0].events, size + lane[0].size
            if events > GROUP_EVENTS or size > GROUP_BYTES:
                break
            jobs.append(lane.popleft())
        commit = Commit(topic, jobs, self._clock(), next(self._ids))
        update = asyncio.ensure_future(self.store.update(topic, commit.keys, commit))
        update.add_done_callback(lambda update: self._end(commit, update))

    def _end(self, commit: Commit, update: asyncio.Future[Known]) -> None:
        error = Unavailable("The store was closed.") if update.cancelled() else update.exception()
        if isinstance(error, OutcomeUnknown):
            self._spawn(self._find_out(commit))
            return
        self._settle(commit, error)

    async def _find_out(self, commit: Commit) -> None:
        try:
            await resolve(self.store, commit.topic, commit.keys, commit, lambda: commit.change)
        except asyncio.CancelledError:
            self._settle(commit, OutcomeUnknown("The process ended before the outcome was known."))
            raise
        except Exception as error:
            self._settle(commit, error)
        else:
            self._settle(commit, None)

    def _settle(self, commit: Commit, error: BaseException | None) -> None:
        """Answers the callers of a change, then makes it known, then lets its lane go on: replies first."""
        commit.answer_all(error)
        if error is None and commit.change:
            if not self._news:
                asyncio.get_running_loop().call_soon(self._tell)
            self._news.append(commit)
        self._bytes -= sum(job.size for job in commit.jobs)
        lane = self._lanes[commit.topic]
        if lane:
            self._begin(commit.topic, lane)
        else:
            del self._lanes[commit.topic]
        while self._blocked and (not self._bytes or self._bytes + self._blocked[0][1].size <= WAITING):
            self._admit(*self._blocked.popleft())
        self._rest()

    def _tell(self) -> None:
        news, self._news = self._news, []
        for commit in news:
            try:
                self._tell_of(commit)
            except Exception:
                logger.exception("An on_commit callback failed")

    def _tell_of(self, commit: Commit) -> None:
        topic, change = commit.topic, commit.change
        assert change
        if change.head is None:
            if self.on_delete:
                self.on_delete(topic)
            return
        head = change.head
        if self.on_commit:
            base = Offset(head.epoch, change.record.base if change.record else head.tail)
            self.on_commit(topic, head, base, commit.events(base))
        if topic not in self._trimming and self._idle is None and rules.excessive(head, commit.now, rules.SLACK):
            self._trimming.add(topic)
            self._spawn(self._trim_quietly(topic))

    async def _trim_quietly(self, topic: str) -> None:
        try:
            await self.trim(topic)
        except TidingsError as error:
            logger.warning("Trimming %s failed; its next append tries again: %s", topic, error)
        finally:
            self._trimming.discard(topic)

    def _delete_expired(self, known: Known) -> Change | None:
        return delete(known) if not rules.living(known.head, self._clock()) else None

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _rest(self) -> None:
        if self._idle is not None and not self._lanes and not self._blocked and not self._idle.done():
            self._idle.set_result(None)


def _no_topic(topic: str) -> NotFound:
    return NotFound(f"There is no topic {topic}.", topic=topic)


def _record_ids() -> Iterator[bytes]:
    prefix = os.urandom(8)  # of this Journal; the counter makes it a commit's
    return (prefix + n.to_bytes(6) for n in itertools.count())
