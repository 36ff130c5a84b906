"""The fold of a run: what it leaves open is ended, and what it used is added up."""

from __future__ import annotations

from typing import Any

from tidings.runs.progress import UNFINISHED, Progress
from tidings.wire.run_events import (
    BlockDelta,
    BlockFinished,
    BlockStarted,
    Data,
    MessageFinished,
    MessageStarted,
    RunEvent,
    RunFinished,
    StepFinished,
    StepStarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)


def block(name: str, kind: Any = "text") -> dict[str, Any]:
    return {"run": "R", "message": "m1", "block": name, "index": 0, "kind": kind}


def fold(*said: RunEvent) -> Progress:
    progress = Progress("R")
    for event in said:
        progress.apply(event)
    return progress


OPEN: list[RunEvent] = [
    StepStarted(run="R", step="s1", name="model"),
    MessageStarted(run="R", message="m1", role="assistant"),
    BlockStarted(**block("m1.0")),
    BlockDelta(**block("m1.0"), delta="Hel"),
    BlockStarted(**block("m1.1", "tool_call"), call="c1", tool="add"),
    BlockDelta(**block("m1.1", "tool_call"), call="c1", tool="add", delta='{"a":'),
    BlockDelta(**block("m1.0"), delta="lo"),
    ToolStarted(run="R", call="c0", tool="look", input={}),
]

CLOSED: list[RunEvent] = [
    BlockFinished(**block("m1.0"), content="Hello", status="incomplete"),
    BlockFinished(**block("m1.1", "tool_call"), call="c1", tool="add", content='{"a":', status="incomplete"),
    MessageFinished(run="R", message="m1", role="assistant", finish="interrupted"),
    ToolFailed(run="R", call="c0", tool="look", error=UNFINISHED),
    StepFinished(run="R", step="s1", name="model"),
]


def test_open_parts_are_closed_with_their_content() -> None:
    assert fold(*OPEN).closing("interrupted") == CLOSED


def test_closed_parts_are_not_closed_again() -> None:
    assert fold(*OPEN, *CLOSED).closing("error") == []
    done = fold(
        ToolStarted(run="R", call="c", tool="t"),
        ToolFinished(run="R", call="c", tool="t"),
        BlockStarted(**block("m1.0")),
        BlockFinished(**block("m1.0"), content="", status="complete"),
        Data(run="R", name="x", value=1),
    )
    assert done.closing("error") == []


def test_a_fold_may_begin_in_the_middle() -> None:
    """Retention may have taken the beginning of a long run."""
    assert fold(*OPEN[3:5]).closing("interrupted") == [
        BlockFinished(**block("m1.1", "tool_call"), call="c1", tool="add", content="", status="incomplete")
    ]


def finished(message: str, finish: Any, usage: dict[str, Any] | None) -> MessageFinished:
    return MessageFinished(run="R", message=message, role="assistant", finish=finish, usage=usage)


def test_usage_is_added_up_for_each_model() -> None:
    progress = fold(
        finished("m1", "tool_calls", {"model": "a", "total_tokens": 3, "details": {"cached": 1}, "tier": "x"}),
        finished("m2", "length", {"model": "a", "total_tokens": 4, "details": {"cached": 2, "audio": 1}}),
        finished("m3", "stop", {"total_tokens": 5}),
        finished("m4", "length", None),
    )
    assert progress.usage == [
        {"model": "a", "total_tokens": 7, "details": {"cached": 3, "audio": 1}, "tier": "x"},
        {"total_tokens": 5},
    ]
    assert progress.finish == "length"


def test_the_end_is_known() -> None:
    assert fold(*OPEN).ended is None
    end = RunFinished(run="R", outcome="success", finish="stop", usage=[])
    assert fold(end).ended == end
