"""Runs: AI generations that belong to no request. Any process can follow and stop them, and each of them ends."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypedDict

import msgspec

from tidings.delivery.hub import Hub
from tidings.delivery.response import EventStreamResponse
from tidings.errors import Closed, Conflict, InvalidRequest, TidingsError, Unavailable
from tidings.events import Offset
from tidings.log.names import json_of, valid_topic
from tidings.log.rules import NEW
from tidings.wire.run_events import InputResolved, RunStarted, from_event, to_item

from .figures import RunFigures
from .outages import Outages
from .producer import Producer, Source
from .reaper import Reaper
from .response import RunResponse
from .run import Run, announced_in, head_of, tell, topic_of
from .sources.langchain import LangChainSource
from .sources.text import TextSource

log: logging.Logger = logging.getLogger("tidings.runs")

LEASE = 6.0
"""Seconds for which a producer that renews nothing is believed to live."""
HASTE = 0.5
"""Seconds that a model has to end when the process exits. With the grace, a process is gone within 5 seconds."""
BEAT = 2.0
"""Seconds between two renewals and between two looks for lapsed leases. A dead run is ended at most LEASE + BEAT after
its process died or, if that is later, after the store could be written again."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class About(TypedDict, total=False):
    """Facts of a run that its events tell.

    `assistant`, `model`: names. `parent`: the run that this one answers anew. `by`: the person who started it. `asked`:
    the offset of the event of `announce` that asked for it. `text`: the input as text, where `input` itself is not.
    `files`: the files that are attached to the input, each a mapping.
    """

    assistant: str
    model: str | None
    parent: str | None
    by: str | None
    asked: Offset | None
    text: str | None
    files: list[Any] | None


class Runs:
    """The runs of one hub. A process that has opened them also ends the runs of processes that died.

    `grace`: seconds that runs have to finish when the hub closes; then they end as `interrupted`. `on_end`: called with
    the id of each run that has ended, by the process that made the run or found its process dead. While the call fails
    it is repeated, by any process; so the call may happen more than once, and must be idempotent. `on_request`: called
    with the ids of a run and of its question to a person, once the run waits for the answer.
    """

    def __init__(self, hub: Hub, *, grace: float = 3.0) -> None:
        self.grace = grace
        self.on_end: Callable[[str], Awaitable[None]] | None = None
        self.on_request: Callable[[str, str], Coroutine[Any, Any, None]] | None = None
        self._hub = hub
        self._producers: dict[str, Producer] = {}
        self.figures: RunFigures = RunFigures()
        self._reaper = Reaper(hub, self._producers, self._follow_up, self.figures)
        self._starting: set[asyncio.Task[Run]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._last_call: float | None = None

    def open(self) -> None:
        """Begin to renew the leases of this process's runs, and to end the runs whose leases have lapsed.

        The hub calls this when it opens.
        """
        self._last_call = None
        # Two tasks, so that ending many runs of others does not keep this process from renewing its own.
        self._outages = Outages(self._hub, LEASE, BEAT)
        for work in (self._renew, self._reap):
            self._hub.delivery.background(self._keep(work))

    @property
    def under_way(self) -> int:
        """The number of runs that this process makes."""
        return len(self._producers)

    async def start(
        self,
        runnable: Any,
        input: Any,
        *,
        key: str | None = None,
        announce: str | None = None,
        config: Mapping[str, Any] | None = None,
        about: About | None = None,
    ) -> Run:
        """Start a run and return it as soon as its log exists. The run goes on without the task that started it.

        `runnable`: a LangChain runnable, model, agent or graph, or an async generator function of text; `input` is
        passed to it, with `config`. `announce`: a topic to which `run.created` is published before the model is called.
        `key`: the same key of the same person again returns the first run, and calls no model.

        Raises Unavailable while the process drains, InvalidRequest or NotFound (of the parent) before anything is
        stored, and the errors of publishing to `announce`.
        """
        if self._hub.delivery.draining:
            raise Unavailable("This process is going away.")
        about = about or {}
        _check(about)
        if announce is not None:
            valid_topic(announce)
        if key is not None and not isinstance(key, str):
            raise InvalidRequest("A key is text.")
        _check_characters({**about, "key": key, "input": input})
        by, asked, parent = about.get("by"), about.get("asked"), about.get("parent")
        id = new_id() if key is None else _derived_id(by, key)
        text = about.get("text")
        shown = text if text is not None else input if isinstance(input, str) else None
        started = RunStarted(
            run=id,
            turn=id,
            assistant=about.get("assistant") or "",
            attempt=1,
            model=about.get("model"),
            input=shown,
            parent=parent,
            by=by,
            topic=announce,
            asked=str(asked) if asked else None,
            files=about.get("files") or None,
        )
        # A task of its own: a caller that is cancelled must not leave a run that has begun and never calls its model.
        start = asyncio.create_task(self._start(started, runnable, input, config, keyed=key is not None))
        self._starting.add(start)
        start.add_done_callback(self._starting.discard)
        return await asyncio.shield(start)

    async def get(self, id: str) -> Run:
        """The run, whichever process makes or made it. Raises NotFound."""
        await head_of(self._hub, id)
        return Run(self._hub, id)

    def response(self, id: str) -> EventStreamResponse:
        """The stream of a run as a response, which is 404 if there is no such run. See `Run.response`."""
        return RunResponse(self._hub, topic_of(id))

    async def stop(self, id: str, *, by: str | None = None) -> None:
        """Ask the run to stop. See `Run.stop`. Raises NotFound."""
        await Run(self._hub, id).stop(by=by)

    async def answer(self, id: str, request: str, value: Any, *, by: str | None = None) -> None:
        """Answer an `input.requested` of the run; the first answer counts. Raises InvalidRequest, NotFound, Closed."""
        json_of(value)
        answer = InputResolved(run=id, request=request, kind="interrupt", value=value, by=by)
        if not await tell(self._hub, id, answer, key=f"answer.{request}"):
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
            # If the store hangs, a run cannot be ended now; a process that finds its lease lapsed ends it.
            await asyncio.wait(tasks, timeout=2 * HASTE)
        if self._ending:
            # The work that follows from their ends is left to other processes if it cannot be done now.
            await asyncio.wait(self._ending, timeout=HASTE)
        self._producers.clear()

    def drain(self, *, hurry: bool) -> None:
        """Let the grace of the runs begin; `hurry`: end them now."""
        self._last_call = time.monotonic() + (0.0 if hurry else self.grace)
        for producer in list(self._producers.values()) if hurry else ():
            producer.cut("interrupted", patience=HASTE)

    # Starting.

    async def _another(self, started: RunStarted, parent: str) -> RunStarted:
        """The beginning of a run that has a parent: another attempt at its turn. Raises NotFound."""
        await head_of(self._hub, parent)
        page = await self._hub.read(topic_of(parent), limit=1)
        before = from_event(page.events[0]) if page.events else None
        if not isinstance(before, RunStarted):
            return started  # the parent's first event is gone
        return msgspec.structs.replace(started, turn=before.turn, attempt=before.attempt + 1)

    async def _start(
        self, started: RunStarted, runnable: Any, input: Any, config: Mapping[str, Any] | None, *, keyed: bool
    ) -> Run:
        id, topic = started.run, topic_of(started.run)
        run = Run(self._hub, id)
        if keyed and await self._hub.log.describe(topic):
            await self._announce(started)
            return run
        if started.parent is not None:
            started = await self._another(started, started.parent)
        # The source is made before anything is stored: an invalid runnable leaves no run, and its key stays free.
        source = self._source(id, runnable, input, config)
        # The lease comes before the log: a process that dies after the append leaves a run that another process ends.
        await self._hub.leases.lease(topic, LEASE, renew=False)
        try:
            appended = await self._hub.log.append(
                topic,
                [to_item(started)],
                expected=NEW,
                owner=started.by or "",
                default=None,
                labels={announced_in(started.topic): True} if started.topic else None,
            )
        except Conflict:
            if not keyed:
                raise
            await self._announce(started)
            return run
        producer = self._producers[id] = Producer(
            self._hub, id, topic, appended.last, lambda request: self._asks(id, request), self.figures
        )
        try:
            await self._announce(started)
        except BaseException as error:
            await producer.fail(error)
            await self._done(producer)
            raise
        producer.start(source, lambda: self._spawn_done(producer))
        return Run(self._hub, id, created=True)

    def _source(self, id: str, runnable: Any, input: Any, config: Mapping[str, Any] | None) -> Source:
        """Return the source of a run's events. Raises InvalidRequest for what is no runnable."""
        if isinstance(runnable, type) and hasattr(runnable, "astream_events"):
            raise InvalidRequest(f"{runnable.__name__} is a class. Pass an object of it: {runnable.__name__}(…).")
        if hasattr(runnable, "astream_events"):
            return LangChainSource(id, runnable, input, config, lambda request: self._producers[id].answer(request))
        return TextSource(id, runnable, input)

    async def _announce(self, started: RunStarted) -> None:
        """Publish `run.created`. Idempotent: a start that is repeated with its key completes what was cut off."""
        if started.topic is None:
            return
        created: dict[str, Any] = {
            "run": started.run,
            "assistant": started.assistant,
            "input": started.input,
            "parent": started.parent,
            "by": started.by,
        }
        if started.asked:
            created["asked"] = started.asked
        if started.files:
            created["files"] = started.files
        data = msgspec.json.encode(created).decode()
        # A conversation that is deleted at this moment begins again, and still belongs to its owner.
        await self._hub.log.append(
            started.topic, [("run.created", data)], key=f"run.{started.run}", owner=started.by or ""
        )

    def _asks(self, id: str, request: str) -> None:
        # The run does not wait for this call: the answer may come before.
        if self.on_request is not None:
            self._hub.delivery.background(self.on_request(id, request))

    # Leases.

    def _spawn_done(self, producer: Producer) -> None:
        if self._hub.state != "closed":
            ending = self._hub.delivery.background(self._done(producer))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def _done(self, producer: Producer) -> None:
        """Release the lease of a run that has ended. If it could not be ended, another process needs the lease."""
        self._producers.pop(producer.run, None)
        if producer.ended:
            await self._follow_up(producer.run)
            await self._hub.leases.release(producer.topic)

    async def _follow_up(self, id: str) -> None:
        """Call `on_end`. If it fails the lease is kept: the lease lapses, and the process that finds it tries again."""
        if self.on_end is not None:
            await self.on_end(id)

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except TidingsError as error:
                log.warning("Leases could not be looked after: %s", error)
            except Exception:
                log.exception("Leases could not be looked after.")
            await asyncio.sleep(BEAT)

    async def _reap(self) -> None:
        if await self._outages.over():
            await self._reaper.reap()

    async def _renew(self) -> None:
        producers = list(self._producers.values())
        lease = self._hub.leases.lease
        kept = await asyncio.gather(*[lease(producer.topic, LEASE, renew=True) for producer in producers])
        for producer, mine in zip(producers, kept, strict=True):
            if not mine:
                producer.abandon("its lease is lost.")


_KINDS: Mapping[str, tuple[type, str]] = {"asked": (Offset, "an offset"), "files": (list, "a list")}
"""Kinds of facts that are no texts."""


def _check(about: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for facts that a run's events cannot hold."""
    if unknown := about.keys() - About.__annotations__.keys():
        raise InvalidRequest(f"`about` takes no {', '.join(sorted(unknown))}.")
    for name, value in about.items():
        kind, word = _KINDS.get(name, (str, "text"))
        if value is not None and not isinstance(value, kind):
            raise InvalidRequest(f"`{name}` in `about` is {word}.")


def _check_characters(values: Mapping[str, Any]) -> None:
    """Raise InvalidRequest for texts that UTF-8 cannot carry."""
    for name, value in values.items():
        try:
            value.encode() if isinstance(value, str) else None
        except UnicodeEncodeError:
            raise InvalidRequest(f"`{name}` holds half of a surrogate pair, which is not a character.") from None


def new_id() -> str:
    """A ULID: 48 bits of Unix milliseconds, so that ids sort by time, and 80 random bits."""
    return _ulid((time.time_ns() // 1_000_000) << 80 | secrets.randbits(80))


def _derived_id(by: str | None, key: str) -> str:
    """The one id for a person's key: the log of that name can only be created once, in whichever process."""
    digest = hashlib.sha256(msgspec.json.encode([by, key])).digest()
    return _ulid(int.from_bytes(digest[:16]))


def _ulid(number: int) -> str:
    return "".join([_ALPHABET[number >> shift & 31] for shift in range(125, -5, -5)])
