"""Run events, version 1: the events by which one AI generation is told.

Every event names its run and all its ids, so that a reader can start anywhere and every other protocol is a pure
function of these events. The JSON in an event's data is one of these structs, tagged `type`. The time of an event is
the log's. Blocks may overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeVar

import msgspec

from tidings.events import Event, check_nesting

from .sse import Format

Kind = Literal["text", "reasoning", "tool_call", "file", "source"]
Status = Literal["complete", "incomplete", "invalid"]
"""`incomplete`: the run ended before the block. `invalid`: a tool call whose input is not JSON."""
Finish = Literal["stop", "length", "tool_calls", "content_filter", "error", "interrupted"]
Outcome = Literal["success", "cancelled", "interrupted"]
State = Literal["running", "finished", "cancelled", "interrupted", "failed"]

DELTA = "block.delta"
TERMINAL = frozenset({"run.finished", "run.failed"})
"""The types of the last event of a run. A run has exactly one event of these types, and none after it."""

MERGED = 64 * 1024
"""Characters after which merged deltas start another event, far below what an event may hold."""


class RunState(msgspec.Struct, kw_only=True):
    """The state of a run, as its first and its last event tell it.

    `started` and `ended` are Unix seconds. `offset` is the end of the run's log. `error` has `message`, `code`,
    `retryable` and, if the provider told one, `retry_after`.
    """

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
    error: dict[str, str | bool | float] | None


class RunEvent(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="type"):
    """The base of all run events."""

    run: str


class RunStarted(RunEvent, tag="run.started"):
    """`turn`: the id of the question and all attempts to answer it. `parent`: the run that this run answers anew.

    `by`: the person who asked. `topic`: the topic in which the run was announced. `asked`: the offset there of the
    event that asked. `files`: the files that are attached to the input.
    """

    turn: str
    assistant: str
    attempt: int
    model: str | None = None
    input: Any = None
    parent: str | None = None
    by: str | None = None
    topic: str | None = None
    asked: str | None = None
    files: list[Any] | None = None


class StepStarted(RunEvent, tag="step.started"):
    """The start of a node of a graph."""

    step: str
    name: str


class StepFinished(RunEvent, tag="step.finished"):
    """The end of a node of a graph."""

    step: str
    name: str
    usage: dict[str, Any] | None = None


class MessageStarted(RunEvent, tag="message.started"):
    """The start of a message of a model, or of another runnable. `name`: the agent of a graph that says it."""

    message: str
    role: str
    name: str | None = None


class MessageFinished(RunEvent, tag="message.finished"):
    """The end of a message.

    `usage`: `input_tokens`, `output_tokens`, `total_tokens`, the provider's details, `model`.
    """

    message: str
    role: str
    finish: Finish
    usage: dict[str, Any] | None = None


class BlockEvent(RunEvent):
    """A part of a message. `index`: the place in its message. `call`, `tool`: the id and the name of a `tool_call`."""

    message: str
    block: str
    index: int
    kind: Kind
    call: str | None = None
    tool: str | None = None


class BlockStarted(BlockEvent, kw_only=True, tag="block.started"):
    """The start of a part of a message."""


class BlockDelta(BlockEvent, kw_only=True, tag=DELTA):
    """More of the text, of the JSON text of a tool call's input, or of the base64 of a large file."""

    delta: str


class BlockFinished(BlockEvent, kw_only=True, tag="block.finished"):
    """The end of a part. `content`, by the kind of the part: the whole text; the input of a `tool_call` (as text unless
    it is `complete`); a `file`'s `mime_type` and `url` or `base64`; a `source`'s `n`, `title`, `url` or `path`, `lines`
    and `passage`. The deltas of a large file are its base64, and its content has `characters`, their number, instead.
    """

    content: Any
    status: Status


class ToolEvent(RunEvent):
    """The base of a tool's events. `call`: the call of the block that asked for the tool, if a block did."""

    call: str
    tool: str


class ToolStarted(ToolEvent, tag="tool.started"):
    """The start of a tool."""

    input: Any = None


class ToolDelta(ToolEvent, tag="tool.delta"):
    """Progress that a tool reports."""

    delta: Any


class ToolFinished(ToolEvent, tag="tool.finished"):
    """The output of a tool. An output over 256 KB is cut: `{"truncated": true, "bytes", "beginning"}`."""

    output: Any = None


class ToolFailed(ToolEvent, tag="tool.failed"):
    """The failure of a tool. `error` is safe to show."""

    error: str


class InputEvent(RunEvent):
    """The base of a question to a person and of its answer."""

    request: str
    kind: str
    call: str | None = None


class InputRequested(InputEvent, tag="input.requested"):
    """A question to a person: `value` is the question, `schema` the JSON Schema of an answer.

    `error`: the reason why the last answer was not taken, if the question is asked again.
    """

    value: Any = None
    schema: Any = None
    error: str | None = None


class InputResolved(InputEvent, tag="input.resolved"):
    """The answer of a person, appended to the run's topic by anybody who may do so."""

    value: Any = None
    by: str | None = None


class StateSnapshot(RunEvent, tag="state.snapshot"):
    """The whole state of an application."""

    value: Any


class StateDelta(RunEvent, tag="state.delta"):
    """A change of an application's state: an RFC 6902 patch."""

    patch: list[Any]


class Data(RunEvent, tag="data"):
    """An event of the application's own."""

    name: str
    value: Any
    id: str | None = None


class StopRequested(RunEvent, tag="stop.requested"):
    """A command to the run's producer to stop. Viewers of a run do not have the right to give it."""

    by: str | None = None


class RunFinished(RunEvent, tag="run.finished"):
    """The end of a run. `usage`: an entry for each model that reported its usage."""

    outcome: Outcome
    finish: Finish
    usage: list[dict[str, Any]]
    result: Any = None


class RunFailed(RunEvent, tag="run.failed"):
    """The failure of a run. `message` is safe to show. `retryable`: the same request may succeed later.

    `retry_after`: the seconds to wait first, if the provider said so.
    """

    message: str
    code: str
    retryable: bool
    retry_after: float | None = None


_EVENTS = (
    RunStarted | StepStarted | StepFinished | MessageStarted | MessageFinished | BlockStarted | BlockDelta
    | BlockFinished | ToolStarted | ToolDelta | ToolFinished | ToolFailed | InputRequested | InputResolved
    | StateSnapshot | StateDelta | Data | StopRequested | RunFinished | RunFailed
)  # fmt: skip
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[RunEvent] = msgspec.json.Decoder(_EVENTS)


def type_of(event: RunEvent) -> str:
    """Return the type under which an event is stored."""
    return str(event.__struct_config__.tag)


def to_item(event: RunEvent) -> tuple[str, str]:
    """Return the type and the data to append. Raises TypeError for a value that JSON cannot hold."""
    return type_of(event), _encoder.encode(event).decode()


def from_event(event: Event) -> RunEvent | None:
    """Return the run event in an event of a run's topic, or None if it is not of this version; readers skip those."""
    try:
        check_nesting(event.data)
        decoded = _decoder.decode(event.data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return decoded if type_of(decoded) == event.type else None


def merged(events: Iterable[RunEvent]) -> Iterator[RunEvent]:
    """Merge neighbouring deltas of one block into one delta, up to `MERGED` characters."""
    for group in _groups((event, event if isinstance(event, BlockDelta) else None) for event in events):
        yield group[0][0] if len(group) == 1 else _joined(group)


def merged_log(events: Sequence[Event]) -> Sequence[Event]:
    """Merge the deltas of a page. A merged event has the offset and the time of the last event that it replaces."""
    if not any(a.type == b.type == DELTA for a, b in pairwise(events)):
        return events
    out = []
    for group in _groups((event, _stored_delta(event)) for event in events):
        last = group[-1][0]
        out.append(
            last if len(group) == 1 else Event(last.topic, last.offset, DELTA, to_item(_joined(group))[1], last.time)
        )
    return out


@dataclass(frozen=True)
class RunFormat(Format):
    """A Format that merges deltas, so that a late reader gets the text so far and not 3,000 events."""

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        return super().encode(topic, merged_log(events))


_T = TypeVar("_T")


def _groups(events: Iterable[tuple[_T, BlockDelta | None]]) -> Iterator[list[tuple[_T, BlockDelta | None]]]:
    """Group the deltas of one block. Every other event is a group of its own."""
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
    delta = from_event(event) if event.type == DELTA and event.offset else None
    return delta if isinstance(delta, BlockDelta) else None
