"""The journal: it appends to, reads, trims and redacts the logs of any store.

Appends to one topic that wait while a change of it is under way become ONE change: group commit for every engine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import UNSET, UnsetType

from tidings.clock import unix_time
from tidings.errors import Closed, Conflict, InvalidRequest, NotFound, TidingsError, Unavailable
from tidings.events import ORIGIN, Event, Offset, Page, Retention

from . import names, retention, rules
from .commit import ARRIVING, Commit, Delete, Job, Redact, Trim
from .head import REMEMBERED, Change, Head, Known, owned_by
from .holding import holding
from .port import Plan, Store
from .queues import Queues
from .reading import page, position
from .records import Item
from .rules import Append, Appended, Expected
from .timings import Timings

SWEPT = 100
"""Topics that a sweep asks the store for at once."""

logger: logging.Logger = logging.getLogger("tidings")


class Journal:
    """The logs of a store, for one event loop.

    `on_commit(topic, head, base, events)` is called on the loop's thread after each change that this process made, in
    log order per topic, after the callers of that change got their answers: with the events that follow the offset
    `base`, or without any when only the head changed or an event was redacted. `on_delete(topic)` is called after this
    process deleted the topic. `retention`: that of logs which begin without one of their own; no other log changes.
    `appends`: the times from the calls of appends to their answers; `commits`: those that the store took for changes.
    """

    def __init__(
        self, store: Store, *, retention: Retention | None = None, clock: Callable[[], float] = unix_time
    ) -> None:
        self.store = store
        self.on_commit: Callable[[str, Head, Offset, Sequence[Event]], None] | None = None
        self.on_delete: Callable[[str], None] | None = None
        self.published: int = 0
        self._retention = retention
        self._clock = clock
        self._queues = Queues(store, clock, self._announce)
        self.appends: Timings = self._queues.appends
        self.commits: Timings = self._queues.commits
        self._trimming: set[str] = set()

    async def open(self) -> None:
        await self.store.open()

    async def close(self) -> None:
        """Refuse new appends, wait for those under way, close the store. Idempotent."""
        await self._queues.close()
        await self.store.close()

    # ------------------------------------------------------------ writing

    async def append(
        self,
        topic: str,
        items: Sequence[Item],
        *,
        expected: Literal[Expected.NEW] | str | Offset | None = None,
        key: str | None = None,
        close: bool = False,
        retention: Retention | UnsetType | None = UNSET,
        ttl: float | UnsetType | None = UNSET,
        owner: str = "",
        default: Retention | UnsetType | None = UNSET,
        labels: Mapping[str, bool] | None = None,
    ) -> Appended:
        """Append (type, data) `items` as one unit, creating the log if there is none. The events are durable on return.

        `expected`: NEW, an epoch, or the exact tail. `key`: the same key again within 24 h answers the first offsets.
        `retention`, `ttl`: the settings of the log from now on; UNSET keeps those that it has, and a log that begins
        without a retention gets `default`, which is the journal's unless it is given. `owner`: the owner for good of a
        log that this append creates. `labels`: those by which `heads` finds the log from now on (True) or no more
        (False).
        Calls for one topic are stored in the order in which they were made. If the caller is cancelled, the items are
        stored all together or not at all. Raises Conflict, Closed, InvalidRequest, TooLarge, Unavailable (not stored)
        or OutcomeUnknown.
        """
        if not items and not close:
            raise InvalidRequest("There is nothing to append.")
        default = self._default(default)
        append = Append(tuple(items), expected, key, close, retention, ttl, False, owner, default, labels or {})
        appended = await self._append(topic, append)
        if not appended.duplicate:
            self.published += len(items)
        return appended

    async def configure(
        self,
        topic: str,
        *,
        retention: Retention | UnsetType | None = UNSET,
        ttl: float | UnsetType | None = UNSET,
        expected: Literal[Expected.NEW] | str | Offset | None = None,
        owner: str = "",
        default: Retention | UnsetType | None = UNSET,
        labels: Mapping[str, bool] | None = None,
    ) -> Head:
        """Change the settings of a log, open or closed, creating it if there is none.

        UNSET keeps a setting, None is unlimited or for ever. `expected`: NEW, an epoch or the exact tail; raises
        Conflict for another state of the log. `owner`, `default`, `labels`: as in `append`.
        """
        default = self._default(default)
        settings = Append((), expected, None, False, retention, ttl, True, owner, default, labels or {})
        return await self._append_for_head(topic, settings)

    def _default(self, default: Retention | UnsetType | None) -> Retention | None:
        return self._retention if default is UNSET else default

    async def close_topic(self, topic: str, *, expected: str | None = None) -> Head:
        """Close a topic: no event will ever follow. Idempotent. Raises NotFound if there is no such topic.

        `expected`: an epoch. Raises Conflict if the topic is in another life.
        """
        head = await self._described(topic)
        if expected is not None and head.epoch != expected:
            raise _other_life(topic)
        try:
            return await self._append_for_head(topic, Append(expected=head.epoch, close=True))
        except Closed:
            return head
        except Conflict:
            raise _no_topic(topic) from None

    async def redact(self, topic: str, offset: Offset) -> None:
        """Remove the content of an event for good; the event keeps its offset, type and time. Idempotent.

        Works on a closed topic, too. Raises NotFound if there is no such event, or it is trimmed.
        """
        names.valid_topic(topic)
        if not await self._redact(topic, offset.epoch, [offset.n]):
            raise NotFound(f"There is no event {offset} in {topic}.", topic=topic)

    async def redact_all(self, topic: str, epoch: str, numbers: Iterable[int]) -> None:
        """Remove the content of several events for good, up to 32 of them in one commit. Idempotent.

        Events that are trimmed, or that no log of this epoch has, are passed over.
        """
        names.valid_topic(topic)
        left = sorted(set(numbers))
        for start in range(0, len(left), REMEMBERED):
            await self._redact(topic, epoch, left[start : start + REMEMBERED])

    async def _redact(self, topic: str, epoch: str, numbers: Sequence[int]) -> bool:
        """Redact up to 32 events in one commit, which the head can name. False: the log holds none of them."""
        while True:
            head, records = await holding(self.store, topic, epoch, numbers, self._clock())
            if head is None:
                return False
            change = rules.redact(head, records, [n for n in numbers if n > head.start])
            if change is None:
                return bool(records)
            plan = Redact(head, change)
            await self._change(topic, plan)
            if plan.done:
                return True

    async def trim(self, topic: str) -> None:
        """Drop what a topic holds over its retention."""
        names.valid_topic(topic)
        while True:
            head, records = await self.store.read(topic, 0, 1000)
            trimmed = head and retention.trimmed(head, records, self._clock())
            if not head or not trimmed:
                return
            await self._change(topic, Trim(head, trimmed))

    async def delete(self, topic: str, *, expected: str | None = None) -> None:
        """Delete the log, its keys and its lease. Idempotent.

        `expected`: an epoch. Raises Conflict, and deletes nothing, if the topic has begun another life.
        """
        names.valid_topic(topic)
        plan = Delete(expected)
        await self._change(topic, plan)
        if plan.refused:
            raise _other_life(topic)

    async def sweep(self) -> None:
        """Delete every expired log, and trim every log with events over its age."""
        while due := await self.store.due(self._clock(), SWEPT):
            for topic, head in due:
                if retention.living(head, self._clock()):
                    await self.trim(topic)
                else:
                    await self._change(topic, self._delete_expired)
            if len(due) < SWEPT:
                break

    # ------------------------------------------------------------ reading

    async def read(self, topic: str, after: Offset | None, limit: int = 1000) -> Page:
        """Return the events after an offset; None: from the earliest. See Page.

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
            head = self._living(head)
            if head is None:
                if after in (None, ORIGIN):
                    raise _no_topic(topic)
                return Page((), ORIGIN, ORIGIN, ORIGIN, True, False, "deleted")
            n, lost = position(head, after)
            looks += 1
            # Read again where the records do not begin at the position, and once where a store's replica lags its head.
            if n < read_from or (not records and n < head.tail and looks < 3):
                read_from = n
                continue
            return page(topic, head, records, n, lost, limit)

    async def read_before(self, topic: str, before: Offset | None, limit: int = 1000) -> Page:
        """Return the events that end at the position `before`, None being the tail; fewer where they are large.

        To go further back, ask for what is before the position before the first of them. `lost`: the position is of
        another life of the log, or was trimmed, and there are no events. Raises NotFound as `read` does.
        """
        last = await self.read(topic, before, 1)
        if last.lost is not None:
            return last._replace(events=())
        n, epoch = (before or last.tail).n, last.tail.epoch
        at = Offset(epoch, max(last.earliest.n - 1, n - limit))
        while at.n < n:
            found = await self.read(topic, at, n - at.n)
            if found.next.epoch != epoch or found.earliest.n > n:
                return found._replace(events=())
            if found.next.n == n:
                return found._replace(lost=None)
            # The store gives large events in parts: go on to the part that ends at the position.
            at = found.next
        return last._replace(events=(), next=at, up_to_date=at == last.tail)

    async def describe(self, topic: str) -> Head | None:
        """Return the head of a log, freshly loaded; None if there is no such topic."""
        return self._living(await self.store.load(names.valid_topic(topic)))

    async def look(self, topic: str, after: int, limit: int) -> tuple[Head | None, Sequence[Event]]:
        """Return the head of a log, freshly loaded, and events of its epoch after the number `after`, by one read.

        At most `limit` events, fewer where they are large; none if the next one is trimmed. None: there is no topic.
        """
        head, records = await self.store.read(names.valid_topic(topic), after, limit)
        head = self._living(head)
        if head is None:
            return None, ()
        found = page(topic, head, records, after, None, limit)
        return head, () if found.lost else found.events

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Return the names of the topics that `heads` returns."""
        return [name for name, _ in await self.heads(prefix, after, limit)]

    async def heads(
        self, prefix: str = "", after: str = "", limit: int = 1000, labels: Sequence[str] | None = None
    ) -> list[tuple[str, Head]]:
        """Return the next topics in byte order; the last of them is the next `after`. Empty: there are no more.

        `labels`: only topics with one or more of these.
        """
        while heads := await self.store.topics(prefix, after, limit, labels):
            now = self._clock()
            found = [(name, head) for name, head in heads if not head.arriving and retention.living(head, now)]
            if found or len(heads) < limit:
                return found
            after = heads[-1][0]
        return []

    async def size(self, prefix: str, owner: str) -> int:
        """Return the bytes of the records of an owner's topics that begin with `prefix`."""
        size, after = 0, ""
        while heads := await self.heads(prefix, after, labels=[owned_by(owner)]):
            size += sum(head.size for _, head in heads)
            after = heads[-1][0]
        return size

    async def redacted(self, topic: str, head: Head, since: int) -> Sequence[tuple[int, str]]:
        """Return the number and the type of each event that was redacted after the first `since` redactions.

        If the head does not name all of these, return every redacted event that the log still holds.
        """
        if head.redactions - since <= len(head.redacted):
            return head.redacted[len(head.redacted) - (head.redactions - since) :]
        found: list[tuple[int, str]] = []
        after = Offset(head.epoch, head.start)
        while after.n < head.tail:
            part = await self.read(topic, after)
            if part.next.epoch != head.epoch:
                break
            redacted = [event for event in part.events if event.redacted]
            found += [(event.offset.n, event.json()["type"]) for event in redacted if event.offset]
            after = part.next
        return found

    def _living(self, head: Head | None) -> Head | None:
        """Return the head unless the log has expired. Raises Unavailable while the log is being moved here."""
        if head and head.arriving:
            raise Unavailable(ARRIVING)
        return retention.living(head, self._clock())

    async def _described(self, topic: str) -> Head:
        head = await self.describe(topic)
        if head is None:
            raise _no_topic(topic)
        return head

    # ------------------------------------------------------------ what reads and writes share

    async def _append(self, topic: str, append: Append) -> Appended:
        answer = await self._queues.submit(topic, _job(topic, append))
        assert isinstance(answer, Appended)
        return answer

    async def _append_for_head(self, topic: str, append: Append) -> Head:
        """Append, and return the head that this very change has left, which trimming may change at once."""
        job = _job(topic, append)
        await self._queues.submit(topic, job)
        assert job.head
        return job.head

    async def _change(self, topic: str, plan: Plan) -> None:
        await self._queues.submit(topic, Job(None, plan, 0))

    def _announce(self, commit: Commit) -> None:
        topic, change = commit.topic, commit.change
        assert change
        if change.head is None:
            if self.on_delete:
                self.on_delete(topic)
            return
        head = change.head
        if self.on_commit:
            base = Offset(head.epoch, change.records[0].base if change.records else head.tail)
            self.on_commit(topic, head, base, commit.events(base))
        if (
            topic not in self._trimming
            and not self._queues.closing
            and retention.excessive(head, commit.now, retention.SLACK)
        ):
            self._trimming.add(topic)
            self._queues.spawn(self._trim_quietly(topic))

    async def _trim_quietly(self, topic: str) -> None:
        try:
            await self.trim(topic)
        except TidingsError as error:
            logger.warning("Trimming %s failed; its next append tries again: %s", topic, error)
        finally:
            self._trimming.discard(topic)

    def _delete_expired(self, known: Known) -> Change | None:
        return Delete()(known) if not retention.living(known.head, self._clock()) else None


def _job(topic: str, append: Append) -> Job:
    """Return the job of an append. Raises InvalidRequest or TooLarge."""
    names.valid_topic(topic)
    return Job(append, None, rules.valid_append(append) + 64 * len(append.items))


def _no_topic(topic: str) -> NotFound:
    return NotFound(f"There is no topic {topic}.", topic=topic)


def _other_life(topic: str) -> Conflict:
    return Conflict(f"The topic {topic} was deleted and created again meanwhile.", topic=topic)
