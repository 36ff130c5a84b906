"""The progress of a run by its events so far: a fold, for the process that makes the run and for one that must end the
run of a dead process."""

from __future__ import annotations

from typing import Any

from tidings.wire.run_events import (
    BlockDelta,
    BlockFinished,
    BlockStarted,
    Finish,
    MessageFinished,
    MessageStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    StepFinished,
    StepStarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)

UNFINISHED = "The run ended first."


class Progress:
    """The open parts of a run by its events so far, and what its end will report.

    `ended` is the terminal event; a `run.finished` now would have this `finish` and this `usage`.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.ended: RunFinished | RunFailed | None = None
        self.finish: Finish = "stop"
        self._usage: dict[str, dict[str, Any]] = {}
        self._steps: dict[str, StepStarted] = {}
        self._messages: dict[str, MessageStarted] = {}
        self._blocks: dict[str, tuple[BlockStarted, list[str]]] = {}
        self._tools: dict[str, ToolStarted] = {}

    @property
    def usage(self) -> list[dict[str, Any]]:
        return list(self._usage.values())

    def apply(self, event: RunEvent) -> None:
        match event:
            case BlockDelta():
                # The base64 of a file is in its deltas alone: an event could not hold it all.
                if event.block in self._blocks and event.kind != "file":
                    self._blocks[event.block][1].append(event.delta)
            case BlockStarted():
                self._blocks[event.block] = (event, [])
            case BlockFinished():
                self._blocks.pop(event.block, None)
            case MessageStarted():
                self._messages[event.message] = event
            case MessageFinished():
                self._messages.pop(event.message, None)
                self.finish = event.finish
                if event.usage:
                    self._add(event.usage)
            case ToolStarted():
                self._tools[event.call] = event
            case ToolFinished() | ToolFailed():
                self._tools.pop(event.call, None)
            case StepStarted():
                self._steps[event.step] = event
            case StepFinished():
                self._steps.pop(event.step, None)
            case RunFinished() | RunFailed():
                self.ended = event
            case _:
                pass

    def closing(self, finish: Finish) -> list[RunEvent]:
        """The events that end all that is still open, before the run ends otherwise than it meant to."""
        run = self.run
        blocks = [(_fields(started), _rest(started, "".join(deltas))) for started, deltas in self._blocks.values()]
        return [
            *(BlockFinished(**fields, content=content, status="incomplete") for fields, content in blocks),
            *(MessageFinished(run=run, message=m.message, role=m.role, finish=finish) for m in self._messages.values()),
            *(ToolFailed(run=run, call=t.call, tool=t.tool, error=UNFINISHED) for t in self._tools.values()),
            *(StepFinished(run=run, step=step.step, name=step.name) for step in self._steps.values()),
        ]

    def _add(self, usage: dict[str, Any]) -> None:
        model = str(usage.get("model", ""))
        self._usage[model] = _sum(self._usage[model], usage) if model in self._usage else usage


def _rest(start: BlockStarted, text: str) -> Any:
    return {} if start.kind in ("file", "source") else text


def _fields(event: RunEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in event.__struct_fields__}


def _sum(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Two usages of one model: numbers added, also those of nested details."""
    total = {**b, **a}
    for name in a.keys() & b.keys():
        if isinstance(a[name], dict) and isinstance(b[name], dict):
            total[name] = _sum(a[name], b[name])
        elif isinstance(a[name], int | float) and isinstance(b[name], int | float):
            total[name] = a[name] + b[name]
    return total
