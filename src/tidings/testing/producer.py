"""Kill the code that produces a stream's events, in the middle of its work."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any
from weakref import WeakSet

FRAMEWORKS = frozenset(["anyio", "asyncio", "contextlib", "fastapi", "sse_starlette", "starlette", "tidings"])
"""Packages whose tasks and generators carry a response and do not produce its events."""


class ProducerKilled(Exception):
    """The exception that `kill_producer` raises in an app's own code, at the point where the code waits."""


class Work:
    """The tasks and generators that an app has started to answer one request."""

    def __init__(self, answer: Coroutine[Any, Any, None], name: str) -> None:
        self._own: WeakSet[Mortal] = WeakSet()
        self._generating: WeakSet[Mortal] = WeakSet()
        self._mortals: dict[asyncio.Task[Any], Mortal] = {}
        context = copy_context()
        context.run(_WORK.set, self)
        _watch()
        self.task: asyncio.Task[None] = asyncio.create_task(answer, name=name, context=context)

    def kill(self) -> None:
        """Kill the tasks that the app's own code has started for this response. If there are none, kill the task that
        runs the app's generator, or else the task that answers."""
        own = [mortal for mortal in self._own if not mortal.task.done()]
        generating = [mortal for mortal in self._generating if not mortal.task.done()]
        for mortal in own or generating or [self._mortals[self.task]]:
            mortal.kill()

    def began(self, mortal: Mortal, module: str | None) -> None:
        """Note a task that was started for the answer. The first task is the one that answers."""
        if self._mortals and _is_own(module):
            self._own.add(mortal)
        self._mortals[mortal.task] = mortal
        mortal.task.add_done_callback(lambda task: self._mortals.pop(task, None) if task is not self.task else None)

    def iterates(self, generator: Any) -> None:
        """Note a generator that is about to give its first value to the current task."""
        task = asyncio.current_task()
        if task in self._mortals and _is_own(_module(getattr(generator, "ag_frame", None))):
            self._generating.add(self._mortals[task])


class Mortal:
    """A coroutine that can be made to fail where it waits, as if its own code had failed there."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine
        self._killed = False
        self.task: asyncio.Task[Any]

    def kill(self) -> None:
        # Only a cancellation reaches a task in the middle of a wait. `__await__` replaces it by ProducerKilled.
        self._killed = True
        self.task.cancel()
        # Fetch the exception, since asyncio logs an exception that nobody fetches.
        self.task.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def run(self) -> Any:
        return await self

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = partial(self._coroutine.send, None)
        while True:
            try:
                yielded = step()
            except StopIteration as end:
                return end.value
            try:
                sent = yield yielded
            except asyncio.CancelledError as error:
                if self._killed:
                    self._killed = False
                    self.task.uncancel()
                    step = partial(self._coroutine.throw, ProducerKilled("kill_producer"))
                else:
                    step = partial(self._coroutine.throw, error)
            except BaseException as error:
                step = partial(self._coroutine.throw, error)
            else:
                step = partial(self._coroutine.send, sent)


_WORK: ContextVar[Work | None] = ContextVar("tidings.testing.work", default=None)


def _watch() -> None:
    """Make the running loop report the tasks and generators that are started for a response."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()
    if not isinstance(before, _Factory):
        loop.set_task_factory(_Factory(before))
    # The loop sets its own hooks each time it runs, so these last no longer than a test.
    hooks = sys.get_asyncgen_hooks()
    if not isinstance(hooks.firstiter, _FirstIteration):
        sys.set_asyncgen_hooks(firstiter=_FirstIteration(hooks.firstiter))


class _Factory:
    def __init__(self, before: Any) -> None:
        self._make = before or _plain_task

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        context = options.get("context")
        work = context.get(_WORK) if context is not None else _WORK.get()
        if work is None or not asyncio.iscoroutine(coroutine):
            return self._make(loop, coroutine, **options)
        mortal = Mortal(coroutine)
        mortal.task = self._make(loop, mortal.run(), **options)
        # Close the coroutine: a task that is cancelled before its first step never awaits it, and Python would warn.
        mortal.task.add_done_callback(lambda _: coroutine.close())
        work.began(mortal, _module(getattr(coroutine, "cr_frame", None)))
        return mortal.task


def _plain_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    return asyncio.Task(coroutine, loop=loop, **options)


class _FirstIteration:
    def __init__(self, before: Callable[[Any], None] | None) -> None:
        self._before = before

    def __call__(self, generator: Any) -> None:
        if self._before is not None:
            self._before(generator)
        if (work := _WORK.get()) is not None:
            work.iterates(generator)


def _module(frame: Any) -> str | None:
    return None if frame is None else frame.f_globals.get("__name__")


def _is_own(module: str | None) -> bool:
    return module is not None and module.partition(".")[0] not in FRAMEWORKS


def kill_runs(text: str) -> bool:
    """Kill the producer of every run of this loop whose id is in `text`. Returns False if there is none.

    The producer's tasks end and its lease stays, as when its process is killed. Unlike there, the model's own code sees
    that it is cancelled, but nothing that it does then reaches the log.
    """
    from tidings.api import Hub

    killed = False
    # Search all objects: only the app knows its hub, and there is no list of hubs.
    for hub in [thing for thing in gc.get_objects() if type(thing) is Hub]:
        if hub.state != "closed" and hub.delivery.loop is asyncio.get_running_loop():
            producers = hub.runs._producers
            for id in [id for id in producers if id in text]:
                killed = True
                producer = producers.pop(id)
                # Cancel the writer first, so that it writes nothing of what the others say while they end.
                for task in (producer._writer._task, producer.task, producer._model):
                    if task is not None:
                        task.cancel()
    return killed


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task, wait for its end, and ignore its exception."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
