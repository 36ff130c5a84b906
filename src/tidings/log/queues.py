"""The queues of changes that wait for a store: one a topic, so that the changes of a topic are made in order.

Appends that wait in one queue become one change (group commit), and what waits in all of them is bounded in bytes.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from time import monotonic

from tidings.errors import OutcomeUnknown, Unavailable

from .commit import Commit, Job
from .head import Known
from .port import Store
from .rules import Appended
from .timings import Timings
from .uncertain import resolve

GROUP_EVENTS, GROUP_BYTES = 5_000, 1 << 20
"""Limits of the appends that are merged into one change; a larger append is a change of its own."""

WAITING = 16 << 20
"""Bytes of appends that may be under way, over all topics. Further publishers wait for their turn."""

CLOSING = 15.0
"""Seconds for which `close` waits for the changes under way, should the store hang."""

logger: logging.Logger = logging.getLogger("tidings")


class Queues:
    """The changes under way of one event loop. `made(commit)` is called after its callers got answers.

    `appends`: the times from the calls of appends to their answers; `commits`: those that the store took for changes.
    """

    def __init__(self, store: Store, clock: Callable[[], float], made: Callable[[Commit], None]) -> None:
        self.appends: Timings = Timings()
        self.commits: Timings = Timings()
        self._store = store
        self._clock = clock
        self._announce = made
        self._queues: dict[str, deque[Job]] = {}  # holds a topic exactly while a change of it is under way
        self._bytes = 0
        self._blocked: deque[tuple[str, Job]] = deque()
        self._ids = _commit_ids()
        self._made: list[Commit] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: asyncio.Future[None] | None = None  # set: closing

    @property
    def closing(self) -> bool:
        """Tell whether new jobs are refused."""
        return self._idle is not None

    async def close(self) -> None:
        """Refuse new jobs and wait for those under way. Idempotent."""
        if self._idle is None:
            self._idle = asyncio.get_running_loop().create_future()
            self._finish_if_idle()
        await asyncio.wait((self._idle,), timeout=CLOSING)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def submit(self, topic: str, job: Job) -> Awaitable[Appended | None]:
        """Put a job into the queue of its topic; its answer is the result. Raises Unavailable while closing."""
        if self._idle is not None:
            raise Unavailable("This process is going away.")
        if self._blocked or (self._bytes and self._bytes + job.size > WAITING):
            self._blocked.append((topic, job))
        else:
            self._admit(topic, job)
        return job.answer

    def spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        """Run work in the background until it ends or the queues close."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _admit(self, topic: str, job: Job) -> None:
        self._bytes += job.size
        queue = self._queues.get(topic)
        if queue is None:
            self._queues[topic] = queue = deque((job,))
            self._begin(topic, queue)
        else:
            queue.append(job)

    def _begin(self, topic: str, queue: deque[Job]) -> None:
        """Start one change with the first jobs of a queue."""
        jobs = [queue.popleft()]
        events, size = jobs[0].events, jobs[0].size
        while queue and jobs[0].append and queue[0].append:
            events, size = events + queue[0].events, size + queue[0].size
            if events > GROUP_EVENTS or size > GROUP_BYTES:
                break
            jobs.append(queue.popleft())
        commit = Commit(topic, jobs, self._clock(), next(self._ids))
        update = asyncio.ensure_future(self._store.update(topic, commit.keys, commit))
        update.add_done_callback(lambda update: self._end(commit, update))

    def _end(self, commit: Commit, update: asyncio.Future[Known]) -> None:
        error = Unavailable("The store was closed.") if update.cancelled() else update.exception()
        if isinstance(error, OutcomeUnknown):
            self.spawn(self._find_out(commit))
            return
        self._settle(commit, error)

    async def _find_out(self, commit: Commit) -> None:
        try:
            await resolve(self._store, commit.topic, commit.keys, commit, lambda: commit.change)
        except asyncio.CancelledError:
            self._settle(commit, OutcomeUnknown("The process ended before the outcome was known."))
            raise
        except Exception as error:
            self._settle(commit, error)
        else:
            self._settle(commit, None)

    def _settle(self, commit: Commit, error: BaseException | None) -> None:
        """Answer the callers of a change, then announce it, then start the next change of its topic: replies first."""
        commit.answer_all(error)
        if error is None and commit.change:
            now = monotonic()
            self.commits.add(now - commit.began)
            for job in commit.jobs:
                if job.append:
                    self.appends.add(now - job.began)
            if not self._made:
                asyncio.get_running_loop().call_soon(self._announce_all)
            self._made.append(commit)
        self._bytes -= sum(job.size for job in commit.jobs)
        queue = self._queues[commit.topic]
        if queue:
            self._begin(commit.topic, queue)
        else:
            del self._queues[commit.topic]
        while self._blocked and (not self._bytes or self._bytes + self._blocked[0][1].size <= WAITING):
            self._admit(*self._blocked.popleft())
        self._finish_if_idle()

    def _announce_all(self) -> None:
        made, self._made = self._made, []
        for commit in made:
            try:
                self._announce(commit)
            except Exception:
                logger.exception("An on_commit callback failed")

    def _finish_if_idle(self) -> None:
        if self._idle is not None and not self._queues and not self._blocked and not self._idle.done():
            self._idle.set_result(None)


def _commit_ids() -> Iterator[bytes]:
    prefix = os.urandom(8)  # of these queues; the counter makes it the id of one commit
    return (prefix + n.to_bytes(6) for n in itertools.count())
