"""What waits in a topic's lane, and the change that is made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tidings.errors import Conflict, TidingsError
from tidings.events import Event, Offset

from . import rules
from .port import Plan
from .rules import Append, Appended, Change, Head, Known


class Job:
    """What waits in a lane: an append, which may be merged with its neighbours, or any other plan, which goes alone."""

    __slots__ = ("answer", "append", "plan", "size")

    def __init__(self, append: Append | None, plan: Plan | None, size: int) -> None:
        self.append = append
        self.plan = plan
        self.size = size
        self.answer: asyncio.Future[Appended | None] = asyncio.get_running_loop().create_future()

    @property
    def events(self) -> int:
        return len(self.append.items) if self.append else 0


class Commit:
    """A plan over the jobs of one change, which remembers what it decided last."""

    __slots__ = ("answers", "change", "id", "jobs", "now", "topic")

    def __init__(self, topic: str, jobs: list[Job], now: float, id: bytes) -> None:
        self.topic = topic
        self.jobs = jobs
        self.now = now
        self.id = id
        self.change: Change | None = None
        self.answers: Sequence[rules.Answer] = ()

    @property
    def keys(self) -> list[str]:
        return [job.append.key for job in self.jobs if job.append and job.append.key is not None]

    def __call__(self, known: Known) -> Change | None:
        plan = self.jobs[0].plan
        if plan:
            self.change = plan(known)
        else:
            appends = [job.append for job in self.jobs if job.append]
            self.change, self.answers = rules.decide(known, appends, self.now, self.id)
        return self.change

    def answer_all(self, error: BaseException | None) -> None:
        answers: Sequence[rules.Answer | None] = self.answers or (None,)
        for index, job in enumerate(self.jobs):
            if job.answer.done():  # its caller was cancelled
                continue
            if error is not None:
                job.answer.set_exception(_copy(error))
            elif isinstance(answer := answers[index], Conflict):
                job.answer.set_exception(answer)
            else:
                job.answer.set_result(answer)

    def events(self, base: Offset) -> list[Event]:
        items: list[tuple[str, str]] = []
        for job, answer in zip(self.jobs, self.answers, strict=False):
            if job.append and isinstance(answer, Appended) and not answer.duplicate:
                items += job.append.items
        return rules.events(base, items, self.now)


class Trim:
    """A plan: `trimmed`, if the log is still trimmed where it was when that was worked out."""

    def __init__(self, seen: Head, trimmed: Head) -> None:
        self._seen, self._trimmed = seen, trimmed

    def __call__(self, known: Known) -> Change | None:
        head, seen, trimmed = known.head, self._seen, self._trimmed
        if head is None or (head.epoch, head.start) != (seen.epoch, seen.start):
            return None
        size = head.size - seen.size + trimmed.size
        return Change(rules.with_start(head, trimmed.start, size, trimmed.oldest))


def delete(known: Known) -> Change | None:
    """A plan: there is no log."""
    return Change(None) if known.head else None


def _copy(error: BaseException) -> BaseException:
    """One error for each caller: a shared one would gather the traceback of all."""
    return type(error)(str(error), **error.members) if isinstance(error, TidingsError) else error
