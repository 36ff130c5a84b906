"""The rules alone, without a network: plans that are sent what a server would answer, and a clock that stands still."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tidings import Event, ServerSentEvent, Unexpected, adecode, decode, errors
from tidings.client.following import Following
from tidings.client.rules import CLOSED, Answer, Broken, Read, Renew, Request, Rules, Send, Wait, is_busy, retry_after
from tidings.client.source import Connected
from tidings.client.values import Names

VECTORS = json.loads((Path(__file__).parent.parent / "wire/vectors/sse.json").read_text("utf-8"))
LOST = Broken("It was lost.")
OK = Answer(200, "OK", {}, b'{"topics": ["a"]}')
STREAM = Answer(200, "OK", {"content-type": "text/event-stream; charset=utf-8"})


def rules(patience: float = 1e9) -> Rules:
    """Pauses are as long as they may be; the clock moves only by them."""
    return Rules("http://x", 45.0, patience, clock=lambda: 0.0, uniform=lambda low, high: high)


def drive(plan: Any, replies: list[Any]) -> tuple[list[float], Any]:
    """The waits of a plan that is given these replies to what it sends and reads, and its result, or its items."""
    line, waits, items, reply = list(replies), [], [], None
    try:
        while True:
            step = plan.send(reply)
            reply = None
            if isinstance(step, Wait):
                waits.append(step.seconds)
            elif isinstance(step, Event):
                items.append(step)
            elif not isinstance(step, Connected):
                if not line:
                    return waits, items
                reply = line.pop(0)
                kind = type(step).__name__
                assert isinstance(reply, {"Send": Answer | Broken, "Read": bytes | Broken, "Renew": bool}[kind]), step
    except StopIteration as end:
        return waits, items if end.value is None else end.value


def busy(status: int, **headers: str) -> Answer:
    return Answer(status, "Busy", {name.replace("_", "-"): value for name, value in headers.items()}, b"<html>")


GET = Request("GET", "/topics")
POST = Request("POST", "/topics/a/events", topic="a")


def test_the_pauses_of_a_call_double_up_to_a_ceiling() -> None:
    waits, names = drive(rules().call(GET, Names), [LOST, *[busy(s) for s in (500, 502, 503, 504, 429)], LOST, OK])
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert names.topics == ["a"]


def test_a_pause_is_never_shorter_than_asked() -> None:
    replies = [busy(503, retry_after="7"), busy(429, retry_after="3"), busy(503, retry_after="soon"), OK]
    assert drive(rules().call(GET, Names), replies)[0] == [7.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "1.5"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:27:15 GMT"}, 45.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:30:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
    ],
)
def test_retry_after_sets_the_pause(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(Answer(503, "", headers)) == seconds


@pytest.mark.parametrize(
    ("status", "title", "kind"),
    [
        (400, "", errors.InvalidRequest),
        (401, "", errors.Unauthenticated),
        (403, "", errors.Forbidden),
        (404, "", errors.NotFound),
        (405, "", Unexpected),
        (409, "", errors.Conflict),
        (409, errors.Closed.title, errors.Closed),
        (410, "", errors.Gone),
        (413, "", errors.TooLarge),
        (422, "", errors.InvalidRequest),
        (429, "", errors.TooManyRequests),
        (431, "", errors.TooLarge),
        (408, "", errors.Unavailable),
        (500, "", errors.Unavailable),
        (502, "", errors.Unavailable),
        (503, errors.OutcomeUnknown.title, errors.OutcomeUnknown),
    ],
)
def test_a_status_is_one_of_our_errors(status: int, title: str, kind: type[Exception]) -> None:
    body = json.dumps({"title": title, "status": status, "detail": "So it is."}).encode()
    replies = [False] if status == 401 else []
    with pytest.raises(kind, match=r"So it is\.") as caught:
        drive(rules(0).call(GET, Names), [Answer(status, "No", {}, body), *replies])
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (b'{"title":"Wrong","status":422,"detail":"It is.","field":"case","event":3}', {"field": "case", "event": 3}),
        (b'{"title":"Gone","detail":"They are.","topic":"b"}', {"topic": "b"}),
        (b"[]", {}),
        (b"<html>", {}),
    ],
)
def test_an_error_has_the_further_members_of_the_answer(body: bytes, members: dict[str, object]) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        drive(rules().call(POST, Names), [Answer(422, "Wrong", {}, body)])
    assert caught.value.members == members


def test_only_a_change_that_may_have_been_taken_is_uncertain() -> None:
    for request, reply, kind in [
        (POST, LOST, errors.OutcomeUnknown),
        (POST, busy(502), errors.OutcomeUnknown),
        (POST, busy(503), errors.Unavailable),
        (POST, Broken("Nobody.", sent=False), errors.Unavailable),
        (GET, LOST, errors.Unavailable),
    ]:
        with pytest.raises(kind) as caught:
            drive(rules(0).call(request, Names), [reply])
        assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("asked", "replies", "kind"),
    [
        (GET, [], errors.Unavailable),
        (POST, [], errors.Unavailable),
        (POST, [Broken("Nobody.", sent=False)], errors.Unavailable),
        (POST, [Broken("Nobody.", sent=False), LOST], errors.OutcomeUnknown),
        (GET, [LOST], errors.Unavailable),
    ],
)
@pytest.mark.parametrize("closed", [Send, Wait])
def test_a_call_ends_when_its_client_is_closed(
    asked: Request, replies: list[Any], kind: type[Exception], closed: type
) -> None:
    plan = rules().call(asked, Names)
    step = next(plan)
    for n, reply in enumerate(replies, 1):
        step = plan.send(reply)
        assert isinstance(step, Wait)
        if closed is Send or n < len(replies):
            step = plan.send(None)
    with pytest.raises(kind, match=r"closed|Nobody|lost") as caught:
        plan.send(CLOSED)
    assert type(caught.value) is kind
    assert replies or str(caught.value) == "The client is closed."


def test_a_status_that_may_pass_is_known() -> None:
    statuses = [200, 204, 301, 400, 401, 404, 408, 409, 410, 422, 425, 429, 431, 500, 501, 503, 599]
    assert [status for status in statuses if is_busy(status)] == [408, 425, 429, 500, 501, 503, 599]


def test_a_server_cannot_ask_for_more_than_a_day() -> None:
    assert rules().pause(0, 1e15) == 86_400.0


def test_a_token_is_renewed_once() -> None:
    refused = Answer(401, "No", {}, b"")
    assert drive(rules().call(GET, Names), [refused, True, OK])[0] == []
    with pytest.raises(errors.Unauthenticated):
        drive(rules().call(GET, Names), [refused, True, refused])


def event(n: int, retry: str = "") -> bytes:
    data = json.dumps({"topic": "a", "offset": f"Ab-{n}", "type": "t", "time": 1.0, "data": n})
    return f"{retry}event: t\ndata: {data}\nid: Ab-{n}\n\n".encode()


def test_a_subscription_waits_as_asked_then_longer_and_anew_after_an_event() -> None:
    replies = [
        STREAM,
        event(1, "retry: 2500\n"),
        b"",
        LOST,
        LOST,
        STREAM,
        LOST,
        STREAM,
        event(2),
        LOST,
        busy(503),
        STREAM,
    ]
    waits, items = drive(Following(rules(), "a", "earliest").plan(), replies)
    assert waits == [2.5, 2.5, 4.0, 8.0, 2.5, 2.5]
    assert [item.data for item in items] == ["1", "2"]


def test_a_stream_waits_for_as_long_as_a_busy_server_asks() -> None:
    """Longer than the reconnection time of the stream, and than the pauses of the client."""
    replies = [busy(503, retry_after="7"), STREAM, b"retry: 2500\n\n" + event(1), b"", busy(429, retry_after="60")]
    assert drive(Following(rules(), "a", "earliest").plan(), replies)[0] == [7.0, 2.5, 60.0]


def test_a_reconnect_asks_after_the_last_event_handed_out() -> None:
    plan = Following(rules(), "a", "Ab-3").plan()
    first = next(plan)
    assert isinstance(first, Send)
    assert first.request.headers["last-event-id"] == "Ab-3"
    assert isinstance(plan.send(STREAM), Connected)
    assert isinstance(next(plan), Read)
    got = plan.send(event(3) + event(4) + event(5))
    assert isinstance(got, Event)
    assert got.offset is not None
    assert got.offset.n == 4, "3 is known already"
    assert isinstance(next(plan), Event)
    assert isinstance(next(plan), Read)
    assert isinstance(plan.send(LOST), Wait)
    again = plan.send(None)
    assert isinstance(again, Send)
    assert again.request.headers["last-event-id"] == "Ab-5"
    assert isinstance(plan.send(Answer(401, "No", {})), Renew)


def cut(vector: dict[str, Any], size: int) -> list[bytes]:
    stream = base64.b64decode(vector["base64"]) if "base64" in vector else vector["text"].encode()
    return [stream[i : i + size] for i in range(0, len(stream), size)]


@pytest.mark.parametrize("size", [1, 2, 1 << 20])
async def test_any_event_stream_is_decoded(size: int) -> None:
    for vector in VECTORS:
        chunks = cut(vector, size)

        async def awaited(chunks: list[bytes] = chunks) -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        expected = [ServerSentEvent(**event) for event in vector["events"]]
        assert list(decode(chunks)) == expected, vector["name"]
        assert [event async for event in adecode(awaited())] == expected, vector["name"]
