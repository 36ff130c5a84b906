"""A run's events as bare tokens: their text, their ids, and how the stream ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.events import Event, Offset
from tidings.wire.sse import ServerSentEvent, decode
from tidings.wire.tokens import DONE, TokenFormat, tokens

TOPIC = "runs.R"


def event(n: int, type: str, **data: Any) -> Event:
    return Event("t", Offset("e", n), type, json.dumps(data), 0.0)


def text(n: int, delta: str) -> Event:
    return event(n, "block.delta", kind="text", delta=delta)


def read(body: bytes) -> list[ServerSentEvent]:
    return list(decode([body]))


def shown(format: TokenFormat, *events: Event) -> list[tuple[str, str, str]]:
    """Return the type, the data and the block's own id of each event that `format` writes."""
    return [(each.type, each.data, each.id) for one in events for each in read(format.encode(TOPIC, [one]))]


def test_an_answer_is_an_empty_token_its_words_and_the_end() -> None:
    events = [
        event(1, "run.started"),
        text(2, "Hello"),
        text(3, ", world"),
        event(4, "run.finished", outcome="success"),
    ]
    assert shown(TokenFormat(run="R"), *events) == [
        ("message", "", "R.e-1"),
        ("message", "Hello", "R.e-2"),
        ("message", ", world", "R.e-3"),
        ("message", DONE, "R.e-4"),
    ]


def test_without_ids_there_is_no_empty_token_to_carry_the_first_id() -> None:
    events = [event(1, "run.started"), text(2, "Hello"), event(3, "run.finished", outcome="success")]
    assert shown(TokenFormat(run="R", ids=False), *events) == [("message", "Hello", ""), ("message", DONE, "")]


@pytest.mark.parametrize(
    "silent",
    [
        event(2, "block.delta", kind="reasoning", delta="Hm."),
        event(2, "block.started", kind="text"),
        event(2, "tool.started", name="search"),
    ],
    ids=["reasoning", "start of a block", "tool"],
)
def test_events_without_text_for_the_reader_are_left_out(silent: Event) -> None:
    assert TokenFormat(run="R").encode(TOPIC, [silent]) == b""


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (event(9, "run.failed", message="The model is overloaded."), "The model is overloaded."),
        (event(9, "run.finished", outcome="cancelled"), "The answer was cancelled before its end."),
        (event(9, "run.finished", outcome="interrupted"), "The answer was interrupted before its end."),
    ],
    ids=["failed", "cancelled", "interrupted"],
)
def test_an_answer_that_did_not_succeed_ends_with_an_error(end: Event, sentence: str) -> None:
    assert shown(TokenFormat(run="R"), end) == [("error", sentence, "R.e-9")]


def test_text_that_looks_like_the_end_is_cut_into_tokens_with_numbered_ids() -> None:
    assert shown(TokenFormat(run="R"), text(7, "a[DONE]b")) == [
        ("message", "a", "R.e-7.1"),
        ("message", "[DO", "R.e-7.2"),
        ("message", "NE]b", "R.e-7"),
    ]


@pytest.mark.parametrize(("k", "rest"), [(0, ["a", "[DO", "NE]b"]), (1, ["[DO", "NE]b"]), (2, ["NE]b"])])
def test_a_client_that_was_cut_off_between_two_tokens_of_an_event_gets_the_others(k: int, rest: list[str]) -> None:
    format = TokenFormat(run="R", seen=(7, k))
    assert [data for _, data, _ in shown(format, text(7, "a[DONE]b"))] == rest
    assert [data for _, data, _ in shown(format, text(8, "a[DONE]b"))] == ["a", "[DO", "NE]b"]


def test_a_loss_is_an_error_and_the_end_of_the_topic_says_nothing_more() -> None:
    format = TokenFormat(run="R")
    assert format.notice(TOPIC, "tidings.end", {"topic": TOPIC}, "e-9") == b""
    (reset,) = read(format.notice(TOPIC, "tidings.reset", {"topic": TOPIC}, "e-4"))
    assert (reset.type, reset.data, reset.id) == ("error", "Some of this answer is gone.", "R.e-4")
    (bare,) = read(TokenFormat(run="R", ids=False).notice(TOPIC, "tidings.reset", {}, "e-4"))
    assert (bare.type, bare.id) == ("error", "")


@given(st.lists(st.sampled_from(["[", "DO", "NE", "]", DONE, "a", " ", "\n"])).map("".join))
def test_tokens_make_up_the_text_and_none_is_the_end(text: str) -> None:
    parts = tokens(text)
    assert "".join(parts) == text
    assert "" not in parts
    assert DONE not in parts
