"""The plan of an event source, without a network: pauses, outages and the log."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from tests.client.test_rules import LOST, STREAM, busy, rules
from tidings import ServerSentEvent, Unavailable
from tidings.client.rules import Answer, Broken, Read, Renew, Request, Send, Wait
from tidings.client.source import Connected, Lost, Source, source_of

ASK = Request("GET", "/a")


def drive(source: Source, *replies: Answer | Broken | bytes | bool) -> list[Any]:
    """The waits of a plan as numbers, and its items, but for the notes that it is connected."""
    plan, line, seen, reply = source.plan(), list(replies), [], None
    while True:
        try:
            step = plan.send(reply)
        except StopIteration:
            return [*seen, "the end"]
        reply = None
        if isinstance(step, Send | Read | Renew):
            if not line:
                return seen
            reply = line.pop(0)
        elif isinstance(step, Wait):
            seen.append(step.seconds)
        elif isinstance(step, ServerSentEvent):
            seen.append(step.data)
        elif not isinstance(step, Connected | Lost):
            seen.append(step)


def test_pauses_grow_while_nothing_comes_and_begin_anew_after_an_event() -> None:
    assert drive(Source(rules(), ASK), LOST, STREAM, b"", STREAM, b":\n", LOST) == [1.0, 2.0, 4.0]
    assert drive(Source(rules(), ASK), LOST, LOST, STREAM, b"data: 1\n\n", LOST) == [1.0, 2.0, "1", 1.0]


def test_a_connection_that_lasted_was_a_good_one() -> None:
    now = iter(range(0, 1000, 11))
    source = Source(replace(rules(), clock=lambda: float(next(now))), ASK)
    assert drive(source, LOST, LOST, STREAM, b"", STREAM, b"") == [1.0, 2.0, 1.0, 1.0]


def test_the_longest_time_that_the_server_asked_for_counts() -> None:
    replies = [STREAM, b"retry: 2500\n\n", b"", busy(503, retry_after="60"), busy(503, retry_after="1")]
    assert drive(Source(rules(), ASK), *replies) == [2.5, 60.0, 4.0]


def test_a_restart_has_no_pause_and_counts_as_no_failure() -> None:
    source = Source(rules(), ASK)
    plan = source.plan()
    assert isinstance(next(plan), Send)
    assert isinstance(plan.send(STREAM), Connected)
    assert isinstance(next(plan), Read)
    source.restart()
    assert isinstance(plan.send(Broken("It was interrupted.")), Send)
    assert isinstance(plan.send(STREAM), Connected)
    assert isinstance(next(plan), Read)
    assert isinstance(plan.send(LOST), Lost)
    wait = next(plan)
    assert wait == Wait(1.0)
    source.restart()
    assert isinstance(next(plan), Send)
    assert isinstance(plan.send(STREAM), Connected)


def test_a_restart_after_the_last_event_is_no_end() -> None:
    source = Source(rules(), ASK)
    plan = source.plan()
    next(plan)
    plan.send(STREAM)
    next(plan)
    assert isinstance(plan.send(b"data: [DONE]\n\n"), ServerSentEvent)
    source.restart()
    assert isinstance(next(plan), Send)


def test_a_refused_token_is_renewed_once_for_each_connection() -> None:
    refused = Answer(401, "No", {})
    assert drive(Source(rules(), ASK), refused, True, STREAM, b"", refused, True, Answer(204, "", {})) == [
        1.0,
        "the end",
    ]


def test_each_outage_is_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tidings.client")
    drive(Source(rules(), ASK), STREAM, b"data: 1\n\n", LOST, LOST, busy(503), STREAM, b"data: 2\n\n", b"", LOST)
    assert [record.getMessage().partition(" Conn")[0] for record in caplog.records] == [
        "It was lost.",
        "The connection to http://x was ended by the server.",
    ]


def test_patience_is_for_the_first_connection() -> None:
    with pytest.raises(Unavailable):
        drive(Source(rules(2.0), ASK), LOST, LOST, LOST)
    assert drive(Source(rules(2.0), ASK), STREAM, *[LOST] * 9)[-1] == 30.0


def test_a_source_names_its_url_without_the_query() -> None:
    source = source_of("http://x/a?token=secret", "get", None, "", None, 1.0, comments=False)
    assert source.rules.url == "http://x/a"
    assert source.request.path == "http://x/a?token=secret"
    assert source.request.method == "GET"


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data:[DONE]\n", b"data: [DONE]\r", b"id: 2\ndata: [DONE]\r\n"])
def test_a_stream_may_end_with_done_and_no_empty_line(end: bytes) -> None:
    source = Source(rules(), ASK)
    assert drive(source, STREAM, b"id: 1\ndata: 1\n\n" + end, b"") == ["1", "the end"]
    assert source.last_event_id == "1"


@pytest.mark.parametrize(
    ("end", "reply"), [(b"data: [DONE]", LOST), (b"data: [DON", b""), (b"data: [DONE]\ndata: 2", b"")]
)
def test_half_an_end_is_a_cut(end: bytes, reply: Any) -> None:
    assert drive(Source(rules(), ASK), STREAM, b"data: 1\n\n" + end, reply, Answer(204, "", {}))[-2:] == [
        1.0,
        "the end",
    ]
