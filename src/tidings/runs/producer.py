"""The producer of one run: reads the model, writes its events, obeys commands, and makes the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from time import monotonic
from typing import Any, Protocol

from tidings.delivery.hub import Hub
from tidings.errors import TidingsError, Unavailable
from tidings.events import Offset
from tidings.wire.run_events import BlockDelta, InputRequested, InputResolved, RunEvent, from_event

from .context import detached
from .ending import Cut, ending, failed
from .failures import BrokenOff, explain
from .figures import RunFigures
from .progress import Progress
from .run import RESET
from .writer import PAUSE, Refused, Writer

log: logging.Logger = logging.getLogger("tidings.runs")

STUBBORN = 2.0
"""Seconds that a model has to end when it is cancelled. Then the run ends, whatever the model does."""


class Source(Protocol):
    """The origin of a run's events. It begins and ends messages, blocks, steps and tools.

    The producer ends the run itself, and what an error, a stop or a deploy has left open.
    """

    @property
    def result(self) -> Any: ...

    def events(self) -> AsyncIterator[RunEvent]: ...


class Producer:
    """Makes a run whose log began at `started`. `task` is done when the run has ended or was abandoned.

    `on_request` is called with the id of each question to a person, but not again if the question is repeated.
    `figures` counts the run and its tokens.
    """

    def __init__(
        self,
        hub: Hub,
        run: str,
        topic: str,
        started: Offset,
        on_request: Callable[[str], None],
        figures: RunFigures,
    ) -> None:
        self.run = run
        self._figures = figures
        self.topic = topic
        self.task: asyncio.Task[None] | None = None
        self._hub = hub
        self._started = started
        self._on_request = on_request
        self._progress = Progress(run)
        self._writer = Writer(hub, topic, started, self._refused)
        self._model: asyncio.Task[None] | None = None
        self._cut: Cut | None = None
        self._given_up = asyncio.get_running_loop().create_future()
        self._answers: dict[str, asyncio.Future[Any]] = {}

    @property
    def ended(self) -> bool:
        """True if the end of the run is in its log."""
        return self._writer.ended

    def start(self, source: Source, on_done: Callable[[], None]) -> None:
        self._model = asyncio.create_task(self._read(source), name=f"model of {self.topic}")
        self.task = self._hub.delivery.background(self._produce(self._model, source))
        self.task.add_done_callback(lambda _: on_done())

    def cut(self, outcome: Cut, *, patience: float | None = None) -> None:
        """Cancel the model and end the run with this outcome and the answer so far. The first call counts.

        `patience`: seconds that the model has to end, if not STUBBORN.
        """
        if self._model is not None and self._cut is None and self._model.cancel():
            self._cut = outcome
            asyncio.get_running_loop().call_later(STUBBORN if patience is None else patience, self._give_up)

    def abandon(self, why: str) -> None:
        """Stop without writing: another process ends this run, or has ended it."""
        if not self._writer.ending:
            log.warning("%s is stopped: %s", self.topic, why)
            self._writer.refuse()

    async def fail(self, error: BaseException) -> None:
        """End a run whose model was never called."""
        self._log(error)
        await self._end([failed(self.run, error)])

    async def answer(self, request: str) -> Any:
        """The answer to a request for input, as soon as the answer is in the log."""
        return await self._answer(request)

    def _answer(self, request: str) -> asyncio.Future[Any]:
        return self._answers.setdefault(request, asyncio.get_running_loop().create_future())

    def _refused(self) -> None:
        if self._model is not None and self._model.cancel():
            asyncio.get_running_loop().call_later(STUBBORN, self._give_up)

    def _give_up(self) -> None:
        if not self._given_up.done():
            self._given_up.set_result(None)

    async def _produce(self, model: asyncio.Task[None], source: Source) -> None:
        commands = self._hub.delivery.background(self._obey())
        try:
            await asyncio.wait({model, self._given_up}, return_when=asyncio.FIRST_COMPLETED)
            if not self._writer.refused:
                await self._end(self._ending(model, source))
        finally:
            commands.cancel()
            model.cancel()

    async def _end(self, events: list[RunEvent]) -> None:
        await self._writer.end(events)
        if self.ended:
            self._figures.end(events[-1])

    async def _read(self, source: Source) -> None:
        began, silent = monotonic(), True
        # Refused: the run ends elsewhere, or has been given its end.
        with suppress(Refused), detached():
            async with aclosing(source.events()) as events:  # type: ignore[type-var]
                async for event in events:
                    await self._writer.put(event)
                    self._progress.apply(event)
                    if isinstance(event, BlockDelta):
                        self._figures.tokens += 1
                        if silent:
                            silent = False
                            self._figures.first_token.add(monotonic() - began)
                    if isinstance(event, InputRequested) and event.error is None:
                        self._on_request(event.request)

    def _ending(self, model: asyncio.Task[None], source: Source) -> list[RunEvent]:
        error = None if self._cut else _error_of(model)
        if error is not None:
            self._log(error)
        return ending(self._progress, cut=self._cut, error=error, result=source.result)

    def _log(self, error: BaseException) -> None:
        # The traceback is for the log only; an error that was written for people needs none.
        known = isinstance(error, TidingsError)
        log.error("%s failed: %s", self.topic, explain(error).code, exc_info=None if known else error)

    async def _obey(self) -> None:
        """Follow the run's own topic for commands, which any process may write there."""
        after = self._started
        while True:
            try:
                async with aclosing(self._hub.subscribe(self.topic, after)) as events:
                    async for event in events:
                        after = event.offset or after
                        self._command(event.type, from_event(event) if event.type == "input.resolved" else None)
                break
            except Unavailable as error:
                log.warning("%s cannot be followed: %s", self.topic, error)
                await asyncio.sleep(PAUSE)
        self.abandon("its topic was closed elsewhere.")

    def _command(self, type: str, event: RunEvent | None) -> None:
        if type == "stop.requested":
            self.cut("cancelled")
        elif isinstance(event, InputResolved):
            answer = self._answer(event.request)
            if not answer.done():
                answer.set_result(event.value)
        elif type == RESET:
            self.abandon("its topic was deleted.")


def _error_of(model: asyncio.Task[None]) -> BaseException | None:
    """The error that ended the model, or None. A cancellation that this process did not ask for is an error."""
    if model.cancelled():
        return BrokenOff()
    return model.exception()
