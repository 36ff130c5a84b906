"""Run events: what is written is read, and merging tells the same story in fewer events."""

from __future__ import annotations

import itertools
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.events import Event, Offset
from tidings.wire import run_events
from tidings.wire.run_events import (
    BlockDelta,
    BlockFinished,
    BlockStarted,
    Data,
    MessageStarted,
    RunEvent,
    RunFailed,
    RunFinished,
    RunFormat,
    RunStarted,
    StopRequested,
    from_event,
    merged,
    merged_log,
    to_item,
    type_of,
)
from tidings.wire.sse import Format, decode

VERSION_1 = {
    "run.started", "step.started", "step.finished", "message.started", "message.finished", "block.started",
    "block.delta", "block.finished", "tool.started", "tool.delta", "tool.finished", "tool.failed", "input.requested",
    "input.resolved", "state.snapshot", "state.delta", "data", "run.finished", "run.failed", "stop.requested",
}  # fmt: skip


def all_types(base: type[RunEvent] = RunEvent) -> set[type[RunEvent]]:
    kinds = set(base.__subclasses__())
    return kinds.union(*[all_types(kind) for kind in kinds])


def block(text: str = "", name: str = "m1.0", message: str = "m1") -> dict[str, Any]:
    return {"run": "R", "message": message, "block": name, "index": 0, "kind": "text"}


def delta(text: str, name: str = "m1.0") -> BlockDelta:
    return BlockDelta(**block(name=name), delta=text)


def stored(*said: RunEvent, first: int = 1) -> list[Event]:
    return [Event("t", Offset("Ab", n), *to_item(event), float(n)) for n, event in enumerate(said, first)]


def test_version_1_is_complete() -> None:
    tags = {kind.__struct_config__.tag for kind in all_types()}
    assert tags - {"RunEvent", "BlockEvent", "ToolEvent", "InputEvent"} == VERSION_1


def test_all_ids_are_on_every_event_of_a_block() -> None:
    ids = {"run", "message", "block", "index", "kind"}
    for event in (BlockStarted(**block()), delta("x"), BlockFinished(**block(), content="x", status="complete")):
        assert ids < json.loads(to_item(event)[1]).keys()


@pytest.mark.parametrize(
    "event",
    [
        RunStarted(run="R", turn="R", assistant="docs", attempt=1, input={"a": [1]}),
        MessageStarted(run="R", message="m1", role="assistant"),
        delta("Hel\nlo €"),
        BlockFinished(**block(), content={"n": 1}, status="incomplete"),
        Data(run="R", name="progress", value=[1, None]),
        StopRequested(run="R"),
        RunFinished(run="R", outcome="success", finish="stop", usage=[{"model": "x", "total_tokens": 3}]),
        RunFailed(run="R", message="No.", code="internal", retryable=False),
    ],
)
def test_a_written_event_is_read_back(event: RunEvent) -> None:
    type, data = to_item(event)
    assert json.loads(data)["type"] == type == type_of(event)
    assert from_event(Event("t", None, type, data, 0.0)) == event


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("message", "hello"),
        ("block.delta", "{}"),
        ("block.delta", '{"type":"block.delta","run":"R"}'),
        ("run.failed", to_item(delta("x"))[1]),
        ("new.in.version.2", '{"type":"new.in.version.2","run":"R"}'),
        ("data", "[" * 10_000),
        ("data", '{"type":"data","run":"R","name":"n","value":' + "[" * 10_000 + "]" * 10_000 + "}"),
    ],
)
def test_an_event_of_another_version_is_passed_over(type: str, data: str) -> None:
    assert from_event(Event("t", None, type, data, 0.0)) is None


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    data = json.dumps({**json.loads(to_item(delta("x"))[1]), "mood": "good"})
    assert from_event(Event("t", None, "block.delta", data, 0.0)) == delta("x")


def test_neighbouring_deltas_of_one_block_become_one_with_the_last_offset() -> None:
    started, other = BlockStarted(**block()), delta("other", name="m2.0")
    events = stored(started, delta("a"), delta("b"), other, delta("c"), delta("d"), delta("e"))
    merge = list(merged_log(events))
    assert [from_event(event) for event in merge] == [started, delta("ab"), other, delta("cde")]
    assert [(event.offset, event.time) for event in merge] == [
        (events[0].offset, 1.0), (events[2].offset, 3.0), (events[3].offset, 4.0), (events[6].offset, 7.0),
    ]  # fmt: skip


def test_events_that_cannot_be_merged_stay_as_they_are() -> None:
    events = stored(delta("a"), Data(run="R", name="x", value=1), delta("b"))
    assert merged_log(events) is events
    foreign = Event("t", Offset("Ab", 9), "block.delta", "not ours", 9.0)
    transient = Event("t", None, *to_item(delta("t")), 9.0)
    mixed = [*stored(delta("a")), foreign, *stored(delta("b"), first=10), transient, *stored(delta("c"), first=11)]
    assert merged_log(mixed) == mixed


def test_a_merged_event_stays_far_below_what_an_event_may_hold() -> None:
    merge = list(merged([delta("x" * 50_000) for _ in range(10)]))
    assert all(isinstance(event, BlockDelta) and len(event.delta) <= 2 * run_events.MERGED for event in merge)
    assert len(merge) == 5


NAMES = st.sampled_from(["m1.0", "m1.1", "m2.0"])
SAID = st.lists(
    st.builds(delta, st.text(max_size=5), NAMES)
    | st.builds(lambda name: BlockStarted(**block(name=name)), NAMES)
    | st.builds(Data, run=st.just("R"), name=st.just("x"), value=st.integers(0, 9)),
    max_size=30,
)


def stories(said: list[RunEvent]) -> tuple[dict[str, str], list[RunEvent]]:
    """Each block's text, and everything else in order."""
    texts: dict[str, str] = {}
    for event in said:
        if isinstance(event, BlockDelta):
            texts[event.block] = texts.get(event.block, "") + event.delta
    return texts, [event for event in said if not isinstance(event, BlockDelta)]


@given(SAID)
def test_merging_tells_the_same_story(said: list[RunEvent]) -> None:
    short = list(merged(said))
    assert stories(short) == stories(said)
    for a, b in itertools.pairwise(short):
        assert not (isinstance(a, BlockDelta) and isinstance(b, BlockDelta) and a.block == b.block)
    events = stored(*said)
    in_log = merged_log(events)
    assert [from_event(event) for event in in_log] == short
    if events:
        assert in_log[-1].offset == events[-1].offset


def test_a_run_format_is_a_format_that_merges() -> None:
    events = stored(delta("a"), delta("b"))
    [got] = decode([RunFormat().encode("runs.R", events)])
    assert (json.loads(got.data)["delta"], got.id) == ("ab", "Ab-2")
    [got] = decode([RunFormat(envelope=True).encode("runs.R", events)])
    assert json.loads(got.data)["offset"] == "Ab-2"
    assert len({RunFormat(), Format(), RunFormat(joined=True), RunFormat()}) == 3, "they key a cache"


def test_a_value_that_is_no_json_is_an_error_of_whoever_made_it() -> None:
    with pytest.raises(TypeError):
        to_item(Data(run="R", name="x", value=object()))
    assert msgspec.json.decode(to_item(Data(run="R", name="x", value=float("nan")))[1])["value"] is None
