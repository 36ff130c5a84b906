"""The changes of a log that a journal asks a store for: merged appends, trims, redactions, deletions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

import msgspec

from tidings.errors import Conflict, TidingsError, Unavailable
from tidings.events import Event, Offset

from . import rules
from .head import Change, Head, Known
from .port import Plan
from .records import Item, events
from .rules import Append, Appended

ARRIVING = "The topic is being moved here from another store. Try again in a moment."


class Job:
    """A call that waits in a topic's queue: an append, which may be merged with its neighbours, or another plan.

    `head`: the head of the log after the change that the job was part of, once there is an answer. `began`: when the
    call was made, by the clock that `monotonic` reads.
    """

    __slots__ = ("answer", "append", "began", "head", "plan", "size")

    def __init__(self, append: Append | None, plan: Plan | None, size: int) -> None:
        self.append: Append | None = append
        self.plan: Plan | None = plan
        self.size: int = size
        self.head: Head | None = None
        self.began: float = monotonic()
        self.answer: asyncio.Future[Appended | None] = asyncio.get_running_loop().create_future()

    @property
    def events(self) -> int:
        """The number of events that the job would append."""
        return len(self.append.items) if self.append else 0


class Commit:
    """A plan over the jobs of one change. A store may ask for the decision again: `change` and `answers` are the last.

    `began`: as in Job.
    """

    __slots__ = ("answers", "began", "change", "id", "jobs", "now", "topic")

    def __init__(self, topic: str, jobs: list[Job], now: float, id: bytes) -> None:
        self.topic: str = topic
        self.jobs: list[Job] = jobs
        self.now: float = now
        self.id: bytes = id
        self.began: float = monotonic()
        self.change: Change | None = None
        self.answers: Sequence[rules.Answer] = ()

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of the appends."""
        return [job.append.key for job in self.jobs if job.append and job.append.key is not None]

    def __call__(self, known: Known) -> Change | None:
        if known.head and known.head.arriving:
            raise Unavailable(ARRIVING)
        plan = self.jobs[0].plan
        if plan:
            self.change = plan(known)
        else:
            appends = [job.append for job in self.jobs if job.append]
            self.change, self.answers = rules.decide(known, appends, self.now, self.id)
        return self.change

    def answer_all(self, error: BaseException | None) -> None:
        """Give each caller its answer, or a copy of `error`. Callers that were cancelled get nothing."""
        answers: Sequence[rules.Answer | None] = self.answers or (None,)
        for index, job in enumerate(self.jobs):
            job.head = self.change.head if self.change else None
            if job.answer.done():
                continue
            if error is not None:
                job.answer.set_exception(_copy(error))
            elif isinstance(answer := answers[index], Conflict):
                job.answer.set_exception(answer)
            else:
                job.answer.set_result(answer)

    def events(self, base: Offset) -> list[Event]:
        """Return the events that the change has added after `base`."""
        items: list[Item] = []
        for job, answer in zip(self.jobs, self.answers, strict=False):
            if job.append and isinstance(answer, Appended) and not answer.duplicate:
                items += job.append.items
        return events(self.topic, base, items, self.now)


class Trim:
    """A plan that replaces the head `before` by `after`, unless the log was trimmed or redacted since."""

    def __init__(self, before: Head, after: Head) -> None:
        self._before, self._after = before, after

    def __call__(self, known: Known) -> Change | None:
        head, before, after = known.head, self._before, self._after
        if head is None or _version(head) != _version(before):
            return None
        size = head.size - before.size + after.size
        single = after.single and head.tail == before.tail
        return Change(msgspec.structs.replace(head, start=after.start, size=size, oldest=after.oldest, single=single))


class Redact:
    """A plan that makes a change worked out on the head `before`, unless the log was trimmed or redacted meanwhile.

    `done`: the change was made.
    """

    def __init__(self, before: Head, change: Change) -> None:
        self._before, self._change = before, change
        self.done: bool = False

    def __call__(self, known: Known) -> Change | None:
        head, before, after = known.head, self._before, self._change.head
        self.done = head is not None and _version(head) == _version(before)
        if head is None or after is None or not self.done:
            return None
        size = head.size - before.size + after.size
        redacted = msgspec.structs.replace(head, size=size, redactions=after.redactions, redacted=after.redacted)
        return self._change._replace(head=redacted)


class Delete:
    """A plan that deletes the log, if there is one; with `expected`, only a log of this epoch.

    `refused`: the log is in another life, and stays.
    """

    def __init__(self, expected: str | None = None) -> None:
        self._expected = expected
        self.refused: bool = False

    def __call__(self, known: Known) -> Change | None:
        head = known.head
        self.refused = head is not None and self._expected not in (None, head.epoch)
        return None if head is None or self.refused else Change(None)


def _version(head: Head) -> tuple[str, int, int]:
    """Return what changes whenever records are dropped or replaced."""
    return head.epoch, head.start, head.redactions


def _copy(error: BaseException) -> BaseException:
    """Return an error for one caller: a shared one would gather the tracebacks of all of them."""
    return type(error)(str(error), **error.members) if isinstance(error, TidingsError) else error
