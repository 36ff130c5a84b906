"""Runs: AI generations that belong to no request. Started here, followed and stopped from any process, ended always."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, NotFound, TidingsError, TooLarge, Unavailable
from tidings.events import Offset
from tidings.log.rules import NEW
from tidings.wire.run_events import InputResolved, RunFinished, RunStarted, StopRequested, from_event, to_item

from .producer import Producer, Source
from .progress import Progress
from .run import Run, topic_of
from .sources.langchain import LangChainSource
from .sources.text import TextSource

log = logging.getLogger("tidings.runs")

LEASE = 6.0
"""Seconds for which a producer that says nothing is believed to live."""
HASTE = 0.5
"""Seconds that a model has to end when the process goes. With the grace, a process is gone within 5 seconds."""
BEAT = 2.0
"""Seconds between two renewals and between two looks for lapsed leases: a dead run is ended in at most LEASE + BEAT."""

_ID = re.compile("[0-9A-Z]{26}")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Runs:
    """The runs of one hub. `open` it, or start a run, and this process also ends the runs of processes that died.

    `grace`: seconds that runs have to finish when the hub closes; then they end as `interrupted`.
    """

    def __init__(self, hub: Hub, *, grace: float = 3.0) -> None:
        self.hub = hub
        self.grace = grace
        self._producers: dict[str, Producer] = {}
        self._starting: set[asyncio.Task[Run]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._last_call: float | None = None
        self.on_end: list[Callable[[str], Awaitable[None]]] = []
        """Called with the id of each run that has ended, by the process that made it or that found it dead; again, by
        whichever process, until one call has returned. So what follows from an end is done once it is idempotent."""
        hub.on_drain.append(self._draining)
        hub.on_close.append(self.close)

    def open(self) -> None:
        """Begin to renew the leases of this process's runs and to end those of others that lapsed. Idempotent."""
        if not self._keepers:
            # Apart, so that ending many runs of others does not keep this process from renewing its own.
            self._keepers = [self.hub.background(self._keep(work)) for work in (self._renew, self._reap)]

    async def start(
        self,
        runnable: Any,
        input: Any,
        *,
        assistant: str = "",
        model: str | None = None,
        announce: str | None = None,
        parent: str | None = None,
        key: str | None = None,
        by: str | None = None,
        asked: Offset | None = None,
        text: str | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Run:
        """Begin a run and return; it goes on in the background, whoever asked for it and however long they stay.

        `runnable`: a LangChain runnable, model, agent or graph, or an async generator function of text; `input` is
        passed to it, with `config`. `announce`: a topic that is told, by `run.created`, before the model is called.
        `parent`: the run that this one answers anew. `asked`: the event of `announce` that asked for it. `key`: the
        same key of the same `by` again gives the first run, and calls no model. `text`: what the events show as the
        input, if that is not `input` itself. Raises Unavailable while the process drains, InvalidRequest, and what
        appending to `announce` raises.
        """
        self.hub.must_be_open()
        if self.hub.draining:
            raise Unavailable("This process is going away.")
        self.open()
        id = new_id() if key is None else _derived_id(by, key)
        shown = text if text is not None else input if isinstance(input, str) else None
        turn, attempt = await self._turn(id, parent)
        started = RunStarted(
            run=id,
            turn=turn,
            assistant=assistant,
            attempt=attempt,
            model=model,
            input=shown,
            parent=parent,
            by=by,
            topic=announce,
            asked=str(asked) if asked else None,
        )
        created: dict[str, Any] = {"run": id, "assistant": assistant, "input": shown, "parent": parent, "by": by}
        if asked:
            created["asked"] = str(asked)
        # Not in the caller's task: one that goes away must not leave a run that has begun and never calls its model.
        start = asyncio.create_task(
            self._start(started, runnable, input, config, announce, created, keyed=key is not None)
        )
        self._starting.add(start)
        start.add_done_callback(self._starting.discard)
        return await asyncio.shield(start)

    async def get(self, id: str) -> Run:
        """The run, whichever process makes or made it. Raises NotFound."""
        await self._head(id)
        return Run(self, id)

    async def stop(self, id: str, *, by: str | None = None) -> None:
        """Ask the run to stop. What there is of the answer is kept. Idempotent; of a run that has ended, nothing.

        It is an event in the run's topic, so it reaches the producer on whichever process that is. Raises NotFound.
        """
        await self._tell(id, StopRequested(run=id, by=by), key="stop")

    async def answer(self, id: str, request: str, value: Any, *, by: str | None = None) -> None:
        """Answer an `input.requested` of the run; the first answer counts. Raises NotFound, Closed."""
        said = InputResolved(run=id, request=request, kind="interrupt", value=value, by=by)
        if not await self._tell(id, said, key=f"answer.{request}"):
            raise Closed("The run has ended.")

    async def close(self) -> None:
        """Give the runs of this process the rest of the grace to finish, then end them as `interrupted`."""
        if self._starting:
            await asyncio.wait(self._starting)
        tasks = {producer.task for producer in self._producers.values() if producer.task}
        if tasks:
            last_call = self._last_call or time.monotonic() + self.grace
            await asyncio.wait(tasks, timeout=max(last_call - time.monotonic(), 0))
            for producer in list(self._producers.values()):
                producer.cut("interrupted", patience=HASTE)
            # A run that cannot be ended now, because its store hangs, is ended by whoever finds its lease lapsed.
            await asyncio.wait(tasks, timeout=2 * HASTE)
        if self._ending:
            # What follows from their ends, too, is left to others if it cannot be done now.
            await asyncio.wait(self._ending, timeout=HASTE)

    def _draining(self, hurry: bool) -> None:
        self._last_call = time.monotonic() + (0.0 if hurry else self.grace)
        for producer in list(self._producers.values()) if hurry else ():
            producer.cut("interrupted", patience=HASTE)

    # Starting and commanding.

    async def _turn(self, id: str, parent: str | None) -> tuple[str, int]:
        """The turn and the attempt of a run: its parent's turn once more, or the first of its own."""
        if parent is not None and _ID.fullmatch(parent):
            with contextlib.suppress(NotFound):
                page = await self.hub.read(topic_of(parent), None, 1)
                before = from_event(page.events[0]) if page.events else None
                if isinstance(before, RunStarted):
                    return before.turn, before.attempt + 1
        return id, 1

    async def _start(
        self,
        started: RunStarted,
        runnable: Any,
        input: Any,
        config: Mapping[str, Any] | None,
        announce: str | None,
        created: Mapping[str, Any],
        *,
        keyed: bool,
    ) -> Run:
        id, topic = started.run, topic_of(started.run)
        run = Run(self, id)
        if keyed and await self.hub.describe(topic):
            await self._announce(announce, created)
            return run
        # The lease first: a process that dies after the append leaves a run that somebody ends.
        await self.hub.leases.lease(topic, LEASE, renew=False)
        try:
            appended = await self.hub.append(topic, [to_item(started)], expected=NEW)
        except Conflict:
            if not keyed:
                raise
            await self._announce(announce, created)
            return run
        producer = self._producers[id] = Producer(self.hub, id, topic, appended.last)
        try:
            await self._announce(announce, created)
            source = self._source(producer, runnable, input, config)
        except BaseException as error:
            await producer.fail(error)
            await self._done(producer)
            raise
        producer.start(source, lambda: self._spawn_done(producer))
        return Run(self, id, created=True)

    def _source(self, producer: Producer, runnable: Any, input: Any, config: Mapping[str, Any] | None) -> Source:
        if hasattr(runnable, "astream_events"):
            return LangChainSource(producer.run, runnable, input, config, producer.answer)
        return TextSource(producer.run, runnable, input)

    async def _announce(self, topic: str | None, created: Mapping[str, Any]) -> None:
        """Idempotent, so that a start that is repeated with its key also mends an announcement that was cut off."""
        if topic is not None:
            data = msgspec.json.encode(created).decode()
            await self.hub.append(topic, [("run.created", data)], key=f"run.{created['run']}")

    async def _tell(self, id: str, command: StopRequested | InputResolved, key: str) -> bool:
        """Append a command to a run that has not ended; False if it has."""
        head = await self._head(id)
        try:
            await self.hub.append(topic_of(id), [to_item(command)], expected=head.epoch, key=key)
        except Closed:
            return False
        except Conflict:
            raise NotFound(f"There is no run {id}.") from None
        return True

    async def _head(self, id: str) -> Any:
        head = await self.hub.describe(topic_of(id)) if _ID.fullmatch(id) else None
        if head is None:
            raise NotFound(f"There is no run {id[:40]}.")
        return head

    # Leases.

    def _spawn_done(self, producer: Producer) -> None:
        if self.hub.opened:
            ending = self.hub.background(self._done(producer))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def _done(self, producer: Producer) -> None:
        """A run that has ended needs no lease; one that could not be ended keeps it, so that somebody ends it."""
        self._producers.pop(producer.run, None)
        if producer.ended:
            await self._follow_up(producer.run)
            await self.hub.leases.release(producer.topic)

    async def _follow_up(self, id: str) -> None:
        """While this fails, the lease is kept: it lapses, and whoever finds it tries again."""
        for follow in self.on_end:
            await follow(id)

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except TidingsError as error:
                log.warning("leases could not be looked after: %s", error)
            except Exception:
                log.exception("leases could not be looked after")
            await asyncio.sleep(BEAT)

    async def _renew(self) -> None:
        producers = list(self._producers.values())
        lease = self.hub.leases.lease
        kept = await asyncio.gather(*[lease(producer.topic, LEASE, renew=True) for producer in producers])
        for producer, mine in zip(producers, kept, strict=True):
            if not mine:
                producer.lose("its lease is lost.")

    async def _reap(self) -> None:
        for topic in await self.hub.leases.lapsed():
            id = topic.removeprefix("runs.")
            if _ID.fullmatch(id) and topic == topic_of(id) and id not in self._producers:
                try:
                    await self._interrupt(id, topic)
                except Exception as error:
                    # The next ones are not held up by it.
                    log.warning("%s is not ended yet: %s", topic, error, exc_info=not isinstance(error, TidingsError))

    async def _interrupt(self, id: str, topic: str) -> None:
        """End a run whose producer is gone. Expecting the exact tail: a producer that lives after all has the word."""
        head = await self.hub.describe(topic)
        if head is not None and not head.closed:
            progress, tail = await self._read(id, topic)
            end = RunFinished(run=id, outcome="interrupted", finish="interrupted", usage=progress.usage)
            ending = [to_item(event) for event in (*progress.closing("interrupted"), end)]
            try:
                try:
                    await self.hub.append(topic, ending, expected=tail, close=True)
                except TooLarge:
                    await self.hub.append(topic, ending[-1:], expected=tail, close=True)  # above all, it ends
            except Conflict:
                return
            log.warning("%s is ended as interrupted: its producer is gone", topic)
        if head is not None:
            await self._follow_up(id)
        # Lapsed still: a start that was cut off before its log began leaves a lease, which a start with the same key
        # may have taken up while this one looked.
        await self.hub.leases.release(topic, lapsed=True)

    async def _read(self, id: str, topic: str) -> tuple[Progress, Offset]:
        """What a run has said, and the end of its log."""
        progress, after = Progress(id), None
        while True:
            page = await self.hub.read(topic, after)
            for event in page.events:
                if (said := from_event(event)) is not None:
                    progress.apply(said)
            if page.up_to_date:
                return progress, page.tail
            after = page.next


def new_id() -> str:
    """A ULID: 48 bits of Unix milliseconds, so that ids sort by time, and 80 random bits."""
    return _ulid((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80))


def _derived_id(by: str | None, key: str) -> str:
    """The one id for a subject's key: the log of that name can only be created once, on whichever process."""
    digest = hashlib.sha256(msgspec.json.encode([by, key])).digest()
    return _ulid(int.from_bytes(digest[:16]))


def _ulid(number: int) -> str:
    return "".join([_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5)])
