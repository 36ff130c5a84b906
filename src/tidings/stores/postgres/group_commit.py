"""Group commit: everything that waits, of any topic, goes into the next statement of one of two writers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from tidings.errors import OutcomeUnknown, TidingsError, Unavailable
from tidings.log.head import Known
from tidings.log.port import Plan

from .connection import CONFLICTS, DRIVER_ERRORS, Connections, meaning, state_of, was_lost
from .eras import Stale
from .writer import Group, Update, Writer

WRITERS = 2
"""Statements under way at once: while the engine syncs one, the other is being made. Two are never of one topic."""

GROUP = 1_000
"""Topics in one statement, at most."""

PATIENCE = 5.0
"""Seconds for which an update waits for an engine that is away."""

PAUSE = 0.1
"""Seconds between two attempts to reach it."""

logger: logging.Logger = logging.getLogger("tidings")


class GroupCommit:
    """The updates that wait, and the tasks that write them. The updates of a topic are written in their order."""

    def __init__(self, connections: Connections, writer: Writer) -> None:
        self._connections = connections
        self._writer = writer
        self._waiting: dict[str, deque[Update]] = {}
        self._ready: deque[str] = deque()  # topics with updates that wait, of which none is being written
        self._busy: set[str] = set()
        self._answers: dict[Update, asyncio.Future[Known]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, topic: str, keys: Sequence[str], plan: Plan) -> asyncio.Future[Known]:
        """Let an update wait for its turn."""
        loop = asyncio.get_running_loop()
        update = Update(keys, plan, loop.time())
        answer = self._answers[update] = loop.create_future()
        if topic in self._waiting:
            self._waiting[topic].append(update)
        else:
            self._waiting[topic] = deque((update,))
            if topic not in self._busy:
                self._ready.append(topic)
                self._start()
        return answer

    def answer(self, update: Update, result: Known | BaseException) -> None:
        """Give a caller its answer, unless the caller was cancelled."""
        answer = self._answers.pop(update, None)
        if answer is None or answer.done():
            return
        if isinstance(result, BaseException):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    async def close(self, patience: float) -> None:
        """Write what waits, within so many seconds. What is not written by then is unknown to its callers."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for update in tuple(self._answers):
            self.answer(update, OutcomeUnknown("The database hangs: the events are stored once, or not at all."))

    def _start(self) -> None:
        if len(self._tasks) < WRITERS:
            task = asyncio.create_task(self._write())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _write(self) -> None:
        """Write groups until nothing waits. This task runs one turn after the first update, so others have come."""
        while self._ready:
            topics = [self._ready.popleft() for _ in range(min(GROUP, len(self._ready)))]
            group = {topic: tuple(self._waiting.pop(topic)) for topic in topics}
            self._busy.update(topics)
            try:
                await self._write_group(group)
            except Exception as error:
                self._fail(group, Unavailable("A group of updates failed."))
                logger.error("A group of updates failed", exc_info=error)
            finally:
                self._busy.difference_update(topics)
                self._ready.extend(topic for topic in topics if topic in self._waiting)

    async def _write_group(self, group: Group) -> None:
        while group:
            try:
                async with self._connections.use() as connection:
                    group = await self._writer.write(connection, group)
                continue
            except Stale:
                self._connections.renew()
                group = self._expire(group, Unavailable("The database has another primary."))
            except TidingsError as error:
                group = self._expire(group, error)
            except DRIVER_ERRORS as error:
                if state_of(error) in CONFLICTS or was_lost(error):
                    group = self._expire(group, meaning(error))
                else:
                    self._fail(group, meaning(error))
                    return
            await asyncio.sleep(PAUSE)

    def _expire(self, group: Group, error: TidingsError) -> Group:
        """Refuse the updates that have waited too long, of which nothing was written, and return the others."""
        before = asyncio.get_running_loop().time() - PATIENCE
        late = {topic: [each for each in updates if each.since <= before] for topic, updates in group.items()}
        self._fail(late, error)
        left = {topic: [each for each in updates if each.since > before] for topic, updates in group.items()}
        return {topic: updates for topic, updates in left.items() if updates}

    def _fail(self, group: Group, error: TidingsError) -> None:
        for updates in group.values():
            for update in updates:
                self.answer(update, type(error)(str(error)))
