"""A run as its readers see it: a topic that ends, and what can be said of it from its first and its last event."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Literal

import msgspec

from tidings.delivery.hub import Hub
from tidings.errors import Closed, NotFound
from tidings.events import Event, Offset
from tidings.wire.run_events import TERMINAL, RunFailed, RunFinished, RunStarted, from_event

if TYPE_CHECKING:
    from .runs import Runs

RESET = "tidings.reset"

State = Literal["running", "finished", "cancelled", "interrupted", "failed"]


class RunState(msgspec.Struct, kw_only=True):
    """`started` and `ended` in Unix seconds, `offset` the end of its log. `error`: `message`, `code`, `retryable`."""

    run: str
    topic: str
    state: State
    outcome: str | None
    started: float | None
    ended: float | None
    offset: str
    assistant: str
    model: str | None
    parent: str | None
    error: dict[str, str | bool] | None


class Run:
    """A run of this or any other process. It belongs to no request, and reading it changes nothing.

    `created`: it was begun by the very call that returned it.
    """

    def __init__(self, runs: Runs, id: str, *, created: bool = False) -> None:
        self._runs = runs
        self.id = id
        self.topic = topic_of(id)
        self.created = created

    def events(self, after: Offset | None = None) -> AsyncGenerator[Event, None]:
        """Every event after `after` (None: from the first), as they come; ends after the terminal one."""
        return self._runs.hub.subscribe(self.topic, after)

    async def wait(self) -> Event:
        """The terminal event, once there is one. Raises Closed if the topic was closed without any, NotFound if it
        was deleted."""
        async for event in self.events():
            if event.type in TERMINAL:
                return event
            if event.type == RESET and json.loads(event.data)["reason"] != "trimmed":
                raise NotFound(f"There is no run {self.id} any more.")
        raise Closed("The run's topic was closed before the run had ended.")

    async def stop(self, by: str | None = None) -> None:
        """See Runs.stop."""
        await self._runs.stop(self.id, by=by)

    async def state(self) -> RunState:
        """How it stands. Raises NotFound."""
        return await read_state(self._runs.hub, self.id)


def topic_of(id: str) -> str:
    """The topic of a run."""
    return f"runs.{id}"


async def read_state(hub: Hub, id: str) -> RunState:
    """How a run stands, by two small reads. Raises NotFound."""
    topic = topic_of(id)
    first = await hub.read(topic, None, 1)
    last = first
    if first.tail.n > 1:
        last = await hub.read(topic, Offset(first.tail.epoch, first.tail.n - 1), 1)
    if not first.events or not last.events or last.lost:
        raise NotFound(f"There is no run {id}.")
    begun = from_event(first.events[0])
    started = begun if isinstance(begun, RunStarted) else None
    state, outcome, error = _end(last.events[-1], last.closed)
    return RunState(
        run=id,
        topic=topic,
        state=state,
        outcome=outcome,
        started=first.events[0].time if started else None,
        ended=last.events[-1].time if last.closed else None,
        offset=str(last.tail),
        assistant=started.assistant if started else "",
        model=started.model if started else None,
        parent=started.parent if started else None,
        error=error,
    )


def _end(event: Event, closed: bool) -> tuple[State, str | None, dict[str, str | bool] | None]:
    said = from_event(event) if closed else None
    match said:
        case RunFailed():
            error: dict[str, str | bool] = {"message": said.message, "code": said.code, "retryable": said.retryable}
            return "failed", None, error
        case RunFinished(outcome="success"):
            return "finished", "success", None
        case RunFinished(outcome="cancelled" | "interrupted" as outcome):
            return outcome, outcome, None
        case _:
            # Closed by hand without a terminal event: whoever did that has interrupted it.
            return ("interrupted", "interrupted", None) if closed else ("running", None, None)
