"""A run as its readers see it: a topic that ends, and a state that its first and last events tell."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator

from tidings.delivery.hub import Hub
from tidings.delivery.response import EventStreamResponse
from tidings.errors import Closed, Conflict, NotFound
from tidings.events import Event, Offset
from tidings.log.head import Head
from tidings.log.names import EARLIEST, After
from tidings.wire.run_events import (
    TERMINAL,
    InputResolved,
    RunFailed,
    RunFinished,
    RunStarted,
    RunState,
    State,
    StopRequested,
    from_event,
    to_item,
)

from .response import RunResponse

RESET = "tidings.reset"

_ID = re.compile("[0-9A-Z]{26}")


class Run:
    """A run of this or any other process. It belongs to no request, and reading it changes nothing.

    `created`: the call that returned this object has started the run.
    """

    def __init__(self, hub: Hub, id: str, *, created: bool = False) -> None:
        self._hub = hub
        self.id = id
        self.topic: str = topic_of(id)
        self.created = created

    def events(self, after: After = EARLIEST) -> AsyncGenerator[Event, None]:
        """Every event after `after`, in order and once. Ends after the terminal event. Raises as `hub.subscribe`."""
        return self._hub.subscribe(self.topic, after)

    def response(self) -> EventStreamResponse:
        """The stream of the run as a response: from its first event, or the request's `Last-Event-ID`, to its end.

        Deltas that are read together are written as one. A stream that is cut before the run has ended is closed
        without the end of its body, so that no client takes the cut for the end of the answer. A run that was deleted
        is answered with 404.
        """
        return RunResponse(self._hub, self.topic)

    async def wait(self) -> Event:
        """The terminal event, `run.finished` or `run.failed`, once there is one.

        Raises Closed if the topic was closed without one, NotFound if the run was deleted, Unavailable.
        """
        async for event in self.events():
            if event.type in TERMINAL:
                return event
            if event.type == RESET and json.loads(event.data)["reason"] != "trimmed":
                raise NotFound(f"There is no run {self.id} any more.")
        raise Closed("The run's topic was closed before the run had ended.")

    async def stop(self, *, by: str | None = None) -> None:
        """Ask the run to stop. The answer so far is kept. Idempotent; a run that has ended stays as it is.

        The request is an event in the run's topic, so it reaches the process that makes the run. Raises NotFound.
        """
        await tell(self._hub, self.id, StopRequested(run=self.id, by=by), key="stop")

    async def state(self) -> RunState:
        """The state of the run. Raises NotFound."""
        return await read_state(self._hub, self.id)


def topic_of(id: str) -> str:
    """The topic of a run."""
    return f"runs.{id}"


def announced_in(topic: str) -> str:
    """The label of the runs that were announced in a topic."""
    return f"in {topic}"


def is_id(text: str) -> bool:
    """True for a text that can be the id of a run."""
    return _ID.fullmatch(text) is not None


async def head_of(hub: Hub, id: str) -> Head:
    """The head of a run's log. Raises NotFound."""
    head = await hub.log.describe(topic_of(id)) if is_id(id) else None
    if head is None:
        raise NotFound(f"There is no run {id[:40]}.")
    return head


async def tell(hub: Hub, id: str, command: StopRequested | InputResolved, *, key: str) -> bool:
    """Append a command to the run's log. False: the run has ended. Raises NotFound."""
    head = await head_of(hub, id)
    try:
        await hub.log.append(topic_of(id), [to_item(command)], expected=head.epoch, key=key)
    except Closed:
        return False
    except Conflict:
        raise NotFound(f"There is no run {id}.") from None
    return True


async def read_state(hub: Hub, id: str) -> RunState:
    """The state of a run, by two small reads. Raises NotFound."""
    topic = topic_of(id)
    first = await hub.read(topic, limit=1)
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


def _end(event: Event, closed: bool) -> tuple[State, str | None, dict[str, str | bool | float] | None]:
    match from_event(event) if closed else None:
        case RunFailed() as end:
            error: dict[str, str | bool | float] = {
                "message": end.message,
                "code": end.code,
                "retryable": end.retryable,
            }
            if end.retry_after is not None:
                error["retry_after"] = end.retry_after
            return "failed", None, error
        case RunFinished(outcome="success"):
            return "finished", "success", None
        case RunFinished(outcome="cancelled" | "interrupted" as outcome):
            return outcome, outcome, None
        case _:
            # A topic that was closed by hand, without a terminal event, counts as interrupted.
            return ("interrupted", "interrupted", None) if closed else ("running", None, None)
