"""The server's own runs as a process: `process.tidings` has a case for each run that has ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tidings.delivery.hub import Hub
from tidings.errors import NotFound
from tidings.events import MESSAGE, Event
from tidings.log.names import EARLIEST, After, text_of
from tidings.wire.run_events import DELTA, RunFinished, RunStarted, ToolStarted, from_event

from .facts import iso
from .figures import SECOND
from .service import OWN

TOOLS = 1_000
"""Calls of tools that a case holds. Further ones of the same run are left out."""

_OUTCOMES = {"success": "answered", "cancelled": "stopped", "interrupted": "interrupted"}


class RunCase:
    """PURE: the case of one run, read event by event. `steps`: what was done, and when, without what was said."""

    def __init__(self, run: str) -> None:
        self.steps: list[dict[str, Any]] = []
        self._run = run
        self._assistant: str | None = None
        self._tools = 0
        self._began = False

    def read(self, events: Iterable[Event]) -> None:
        """Take the next events of the run. Few of them are decoded: most are deltas."""
        for event in events:
            if event.type == "run.started":
                started = from_event(event)
                if isinstance(started, RunStarted):
                    self._assistant = started.assistant or None
                self._add("asked", event)
            elif event.type == DELTA and not self._began:
                self._began = True
                self._add("first token", event)
            elif event.type == "tool.started" and self._tools < TOOLS:
                called = from_event(event)
                if isinstance(called, ToolStarted):
                    self._tools += 1
                    self._add("tool", event, tool=called.tool)
            elif event.type == "run.failed":
                self._add("failed", event)
            elif event.type == "run.finished":
                ended = from_event(event)
                self._add(_OUTCOMES[ended.outcome] if isinstance(ended, RunFinished) else "answered", event)

    def _add(self, activity: str, event: Event, **more: str) -> None:
        who = {} if self._assistant is None else {"resource": self._assistant}
        at = iso(round(event.time * SECOND))
        self.steps.append({"case": self._run, "activity": activity, "timestamp": at, **who, **more})


class OwnRuns:
    """Adds the runs of a hub to `process.tidings`, once each, when they have ended."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def add(self, run: str) -> None:
        """Add a run that has ended, from its log. Idempotent, for `hub.runs.on_end`. Raises Unavailable."""
        case = RunCase(run)
        at: After = EARLIEST
        try:
            while True:
                page = await self._hub.read(f"runs.{run}", at)
                case.read(page.events)
                if page.up_to_date:
                    break
                at = page.next
        except NotFound:
            return  # it was deleted meanwhile
        if case.steps:
            items = [(MESSAGE, text_of(step)) for step in case.steps]
            await self._hub.log.append(OWN, items, key=f"run.{run}", default=None)
