"""Run events, version 1: what one AI generation says, and what can be known of it from that alone.

Every event names its run and all its ids, so a reader can start anywhere and any other wire is a pure function of them.
The JSON in an event's data is one of these structs, tagged `type`; its time is the log's. Blocks may overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeVar

import msgspec

from tidings.events import Event

from .sse import Format

Kind = Literal["text", "reasoning", "tool_call", "file", "source"]
Status = Literal["complete", "incomplete", "invalid"]
"""`incomplete`: the run ended first. `invalid`: a tool call whose input is not JSON."""
Finish = Literal["stop", "length", "tool_calls", "content_filter", "error", "interrupted"]
Outcome = Literal["success", "cancelled", "interrupted"]

DELTA = "block.delta"
TERMINAL = frozenset({"run.finished", "run.failed"})
"""A run has exactly one event of these types, and none after it."""

MERGED = 64 * 1024
"""Characters after which merged deltas start another event, far below what an event may hold."""


class RunEvent(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """What all have: the run."""

    run: str


class RunStarted(RunEvent, tag="run.started"):
    """`turn`: the question and all the attempts to answer it. `parent`: the run that this one goes on from. `by`: who
    asked. `topic`: where it was announced, and `asked`: the offset there of the event that asked."""

    turn: str
    assistant: str
    attempt: int
    model: str | None = None
    input: Any = None
    parent: str | None = None
    by: str | None = None
    topic: str | None = None
    asked: str | None = None


class StepStarted(RunEvent, tag="step.started"):
    """A node of a graph begins."""

    step: str
    name: str


class StepFinished(RunEvent, tag="step.finished"):
    """The node is through."""

    step: str
    name: str
    usage: dict[str, Any] | None = None


class MessageStarted(RunEvent, tag="message.started"):
    """A model, or whatever answers, begins to speak."""

    message: str
    role: str


class MessageFinished(RunEvent, tag="message.finished"):
    """`usage`: `input_tokens`, `output_tokens`, `total_tokens`, details as the provider gives them, and the `model`."""

    message: str
    role: str
    finish: Finish
    usage: dict[str, Any] | None = None


class BlockEvent(RunEvent):
    """`index` is the block's place in its message. `call` and `tool` are those of a `tool_call`."""

    message: str
    block: str
    index: int
    kind: Kind
    call: str | None = None
    tool: str | None = None


class BlockStarted(BlockEvent, kw_only=True, tag="block.started"):
    """A part of the message begins."""


class BlockDelta(BlockEvent, kw_only=True, tag=DELTA):
    """More of the text, or of the JSON text of a tool call's input."""

    delta: str


class BlockFinished(BlockEvent, kw_only=True, tag="block.finished"):
    """`content`, all of it: text; the input of a `tool_call` (as text while it is not `complete`); a `file`'s
    `mime_type` and `url` or `base64`; a `source`'s `n`, `title`, `url` or `path`, `lines` and `passage`."""

    content: Any
    status: Status


class ToolEvent(RunEvent):
    """What all events of a tool have: `call` is that of the block that asked for it, where one did."""

    call: str
    tool: str


class ToolStarted(ToolEvent, tag="tool.started"):
    """A tool is at work."""

    input: Any = None


class ToolDelta(ToolEvent, tag="tool.delta"):
    """What a tool says before it is through."""

    delta: Any


class ToolFinished(ToolEvent, tag="tool.finished"):
    """What came of it; of an output over 256 KB, the beginning: `{"truncated": true, "bytes", "beginning"}`."""

    output: Any = None


class ToolFailed(ToolEvent, tag="tool.failed"):
    """`error` is safe to show."""

    error: str


class InputEvent(RunEvent):
    """What a question to a human and its answer have in common."""

    request: str
    kind: str
    call: str | None = None


class InputRequested(InputEvent, tag="input.requested"):
    """A human is asked: `value` says what, `schema` what an answer looks like."""

    value: Any = None
    schema: Any = None


class InputResolved(InputEvent, tag="input.resolved"):
    """The answer, as anybody who may give it appends it to the run's topic."""

    value: Any = None
    by: str | None = None


class StateSnapshot(RunEvent, tag="state.snapshot"):
    """All of an application's state."""

    value: Any


class StateDelta(RunEvent, tag="state.delta"):
    """An RFC 6902 patch."""

    patch: list[Any]


class Data(RunEvent, tag="data"):
    """The extension point: whatever an application wants its viewers to have."""

    name: str
    value: Any
    id: str | None = None


class StopRequested(RunEvent, tag="stop.requested"):
    """A command to the run's producer; stopping is whoever's right it is, not the viewers'."""

    by: str | None = None


class RunFinished(RunEvent, tag="run.finished"):
    """`usage`: one entry for each model that said what it used."""

    outcome: Outcome
    finish: Finish
    usage: list[dict[str, Any]]
    result: Any = None


class RunFailed(RunEvent, tag="run.failed"):
    """`message` is safe to show. `retryable`: the same again may well succeed."""

    message: str
    code: str
    retryable: bool


_EVENTS = (
    RunStarted | StepStarted | StepFinished | MessageStarted | MessageFinished | BlockStarted | BlockDelta
    | BlockFinished | ToolStarted | ToolDelta | ToolFinished | ToolFailed | InputRequested | InputResolved
    | StateSnapshot | StateDelta | Data | StopRequested | RunFinished | RunFailed
)  # fmt: skip
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[RunEvent] = msgspec.json.Decoder(_EVENTS)


def type_of(event: RunEvent) -> str:
    """The type under which it is stored."""
    return str(event.__struct_config__.tag)


def to_item(event: RunEvent) -> tuple[str, str]:
    """The type and the data to append. Raises TypeError for a value that JSON cannot say."""
    return type_of(event), _encoder.encode(event).decode()


def from_event(event: Event) -> RunEvent | None:
    """What an event of a run's topic says; None for one that is not of this version, which readers pass over."""
    try:
        said = _decoder.decode(event.data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return said if type_of(said) == event.type else None


def merged(events: Iterable[RunEvent]) -> Iterator[RunEvent]:
    """The same story in fewer events: neighbouring deltas of one block become one, up to `MERGED` characters."""
    for group in _groups((event, event if isinstance(event, BlockDelta) else None) for event in events):
        yield group[0][0] if len(group) == 1 else _joined(group)


def merged_log(events: Sequence[Event]) -> Sequence[Event]:
    """`merged`, of a page: a merged event has the offset and the time of the last of those it stands for."""
    if not any(a.type == b.type == DELTA for a, b in pairwise(events)):
        return events
    out = []
    for group in _groups((event, _stored_delta(event)) for event in events):
        last = group[-1][0]
        out.append(last if len(group) == 1 else Event(last.offset, DELTA, to_item(_joined(group))[1], last.time))
    return out


@dataclass(frozen=True)
class RunFormat(Format):
    """A Format that merges what it is given to write: who comes late gets the text so far, not 3,000 events."""

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        return super().encode(topic, merged_log(events))


_T = TypeVar("_T")


def _groups(events: Iterable[tuple[_T, BlockDelta | None]]) -> Iterator[list[tuple[_T, BlockDelta | None]]]:
    """Lists of one event, or of several that are deltas of one block."""
    group: list[tuple[_T, BlockDelta | None]] = []
    size = 0
    for pair in events:
        delta = pair[1]
        before = group[-1][1] if group else None
        if delta and before and size < MERGED and (delta.block, delta.message) == (before.block, before.message):
            group.append(pair)
            size += len(delta.delta)
            continue
        if group:
            yield group
        group, size = [pair], len(delta.delta) if delta else 0
    if group:
        yield group


def _joined(group: Sequence[tuple[object, BlockDelta | None]]) -> BlockDelta:
    deltas = [delta for _, delta in group if delta]
    return msgspec.structs.replace(deltas[0], delta="".join([delta.delta for delta in deltas]))


def _stored_delta(event: Event) -> BlockDelta | None:
    said = from_event(event) if event.type == DELTA and event.offset else None
    return said if isinstance(said, BlockDelta) else None
