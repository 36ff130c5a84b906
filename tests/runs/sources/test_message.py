"""A message as events: blocks in the order of their parts, of bounded size."""

from __future__ import annotations

import json

import pytest

from tests.runs.scripted import sound
from tidings.errors import TooLarge
from tidings.runs.sources.message import LONGEST, Message
from tidings.wire.run_events import BlockDelta, BlockFinished, BlockStarted, RunEvent, RunFinished, to_item


def blocks(said: list[RunEvent]) -> list[tuple[str, object]]:
    return [(event.kind, event.content) for event in said if isinstance(event, BlockFinished)]


def whole(message: Message, *parts: list[RunEvent]) -> list[RunEvent]:
    said = [message.start(), *[event for part in parts for event in part], *message.finish("stop")]
    end = RunFinished(run="R", outcome="success", finish="stop", usage=[])
    sound([json.loads(to_item(event)[1]) for event in (*said, end)])
    return said


def test_text_and_reasoning_follow_each_other() -> None:
    message = Message("R", "m1")
    said = whole(
        message,
        list(message.text("hm", "reasoning")),
        list(message.text("a")),
        list(message.text("b")),
        list(message.text("c", key=1)),
        list(message.text("hm again", "reasoning")),
        list(message.text("d")),
    )
    assert blocks(said) == [
        ("reasoning", "hm"), ("text", "ab"), ("text", "c"), ("reasoning", "hm again"), ("text", "d"),
    ]  # fmt: skip
    assert [event.index for event in said if isinstance(event, BlockStarted)] == [0, 1, 2, 3, 4]


def test_tool_calls_may_interleave() -> None:
    message = Message("R", "m1")
    said = whole(
        message,
        list(message.text("Let me")),
        list(message.tool_call('{"a"', "c1", "add", 0)),
        list(message.tool_call('{"b"', "c2", "add", 1)),
        list(message.tool_call(":1}", None, None, 0)),
        list(message.tool_call(":2}", None, None, 1)),
        list(message.text("Well")),
    )
    assert blocks(said) == [("text", "Let me"), ("tool_call", {"a": 1}), ("tool_call", {"b": 2}), ("text", "Well")]
    assert [(call.call, call.input) for call in message.calls] == [("c1", {"a": 1}), ("c2", {"b": 2})]


def test_another_id_at_the_same_place_is_another_call() -> None:
    message = Message("R", "m1")
    calls = [list(message.tool_call("{}", id, "add")) for id in ("c1", "c2")]
    assert [event.call for event in whole(message, *calls) if isinstance(event, BlockStarted)] == ["c1", "c2"]


def test_an_empty_text_opens_no_block() -> None:
    message = Message("R", "m1")
    assert list(message.text("")) == []
    assert message.empty
    assert len(whole(message)) == 2


def test_a_call_without_an_id_gets_one() -> None:
    message = Message("R", "m1")
    assert whole(message, list(message.tool_call("", None, None)))[1].call == "m1.0"  # type: ignore[attr-defined]


def test_a_long_text_is_split_into_blocks_that_fit_an_event() -> None:
    message = Message("R", "m1")
    text = "\x01" * (3 * LONGEST)
    said = whole(message, list(message.text(text)), list(message.text("end")))
    contents = [content for _, content in blocks(said)]
    assert "".join(map(str, contents)) == text + "end"
    assert all(len(to_item(event)[1]) < 1_000_000 for event in said)
    assert all(len(event.delta) <= LONGEST for event in said if isinstance(event, BlockDelta))


def test_a_tool_call_cannot_be_split() -> None:
    message = Message("R", "m1")
    list(message.tool_call("x" * LONGEST, "c1", "add"))
    with pytest.raises(TooLarge):
        list(message.tool_call("x", None, None))
