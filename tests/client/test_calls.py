"""The requests of the client, without a network: every plan is sent the answer of a server."""

from __future__ import annotations

from typing import Any

import pytest

from tidings import NEW, Appended, InvalidRequest, Offset, OutcomeUnknown
from tidings.client.calls import Calls
from tidings.client.rules import Answer, Broken, Request, Rules, Send, Wait

STORED = Answer(201, "Created", {}, b'{"offset": "Ab-3", "first": "Ab-2", "last": "Ab-3"}')
ENDS = Answer(200, "OK", {}, b'{"topic": "a", "epoch": "Ab", "earliest": "Ab-4", "tail": "Ab-9"}')
PAGE = Answer(
    200,
    "OK",
    {},
    b'{"events": [], "next": "Ab-9", "earliest": "Ab-4", "tail": "Ab-9", "up_to_date": true, "closed": false}',
)
calls = Calls(Rules("http://x", 45.0, 1e9, clock=lambda: 0.0, uniform=lambda low, high: high))


def run(plan: Any, *replies: Answer | Broken) -> tuple[list[Request], Any]:
    """The requests of a plan that is sent these replies, and its result."""
    left, sent, reply = list(replies), [], None
    try:
        while True:
            step = plan.send(reply)
            reply = None
            if isinstance(step, Send):
                sent.append(step.request)
                reply = left.pop(0)
            else:
                assert isinstance(step, Wait)
    except StopIteration as end:
        assert left == []
        return sent, end.value


@pytest.mark.parametrize(
    ("data", "kind", "body"),
    [
        ("Grüße", "text/plain; charset=utf-8", "Grüße".encode()),
        ("", "text/plain; charset=utf-8", b""),
        ({"a": [1, None]}, "application/json", b'{"a":[1,null]}'),
        (None, "application/json", b"null"),
    ],
)
def test_a_publish_sends_its_data(data: object, kind: str, body: bytes) -> None:
    ((request,), offset) = run(calls.publish("a.b", data, "note", "the key", None, False), STORED)
    assert (request.method, request.path, request.body) == ("POST", "/topics/a.b/events", body)
    assert request.headers == {"content-type": kind, "idempotency-key": "the key"}
    assert request.params == (("type", "note"),)
    assert offset == Offset("Ab", 3)


@pytest.mark.parametrize(
    ("expected", "text"), [(NEW, "new"), ("Ab", "Ab"), (Offset("Ab", 7), "Ab-7"), (Offset("0", 0), "0-0")]
)
def test_a_publish_sends_what_it_expects(expected: Any, text: str) -> None:
    ((one,), _) = run(calls.publish("a", "x", "message", None, expected, True), STORED)
    assert one.params == (("type", "message"), ("expected", text), ("close", "true"))
    ((many,), done) = run(calls.publish_many("a", [("x", 1)], None, expected, True), STORED)
    assert many.params == (("expected", text), ("close", "true"))
    assert done == Appended(Offset("Ab", 2), Offset("Ab", 3))


def test_every_publish_without_a_key_has_a_key_of_its_own_for_all_its_tries() -> None:
    lost = Broken("It was lost.")
    sent, _ = run(calls.publish("a", "x", "message", None, None, False), lost, lost, STORED)
    keys = {request.headers["idempotency-key"] for request in sent}
    assert len(sent) == 3
    assert len(keys) == 1
    others, _ = run(calls.publish("a", "x", "message", None, None, False), STORED)
    assert others[0].headers["idempotency-key"] not in keys


def test_a_transient_event_has_no_key_and_is_not_sent_twice() -> None:
    accepted, lost = Answer(202, "Accepted", {}), Broken("It was lost.")
    ((request,), result) = run(calls.publish_transient("a", "x", "typing"), accepted)
    assert (dict(request.params), result) == ({"type": "typing", "transient": "true"}, None)
    assert "idempotency-key" not in request.headers
    with pytest.raises(OutcomeUnknown):
        run(calls.publish_transient("a", "x", "typing"), lost, accepted)
    sent, _ = run(calls.publish_transient("a", "x", "typing"), lost._replace(sent=False), accepted)
    assert len(sent) == 2, "a request that no server has received may be sent again"


@pytest.mark.parametrize(
    ("after", "found"),
    [("tail", "Ab-9"), (-2, "Ab-7"), ("-2", "Ab-7"), (-6, "Ab-3"), (-100, "Ab-3")],
)
def test_a_page_from_the_end_asks_where_the_end_is(after: Any, found: str) -> None:
    ((ends, page), _) = run(calls.read("a", after, 10), ENDS, PAGE)
    assert (ends.path, page.path) == ("/topics/a", "/topics/a/events")
    assert page.params == (("limit", "10"), ("after", found))


@pytest.mark.parametrize(
    ("after", "params"),
    [("earliest", {}), (Offset("Ab", 5), {"after": "Ab-5"}), ("Ab-5", {"after": "Ab-5"})],
)
def test_a_page_after_an_offset_is_one_request(after: Any, params: dict[str, str]) -> None:
    ((page,), _) = run(calls.read("a", after, 10), PAGE)
    assert dict(page.params) == {"limit": "10", **params}


def test_a_run_is_asked_for_by_a_question_or_by_messages() -> None:
    started = Answer(202, "Accepted", {}, b'{"run": "01JD"}')
    ((question,), id) = run(calls.start("Why?", None, None, None, None), started)
    assert (question.body, id) == (b'{"input":"Why?"}', "01JD")
    messages = [{"role": "user", "content": "Why?"}]
    ((conversation,), _) = run(calls.start(messages, "docs", "a.b", "01JC", "k"), started)
    assert conversation.body == (
        b'{"messages":[{"role":"user","content":"Why?"}],"assistant":"docs","topic":"a.b","parent":"01JC"}'
    )
    assert conversation.headers["idempotency-key"] == "k"


@pytest.mark.parametrize(
    "plan",
    [
        lambda: calls.publish("../health", "x", "message", None, None, False),
        lambda: calls.publish("a", "x", "tidings.x", None, None, False),
        lambda: calls.publish("a", "x", "message", "ü", None, False),
        lambda: calls.publish("a", "x", "message", "", None, False),
        lambda: calls.publish("a", "\ud800", "message", None, None, False),
        lambda: calls.publish("a", {1, object()}, "message", None, None, False),
        lambda: calls.publish("a", float("nan"), "message", None, None, False),
        lambda: calls.publish_many("a", [("tidings.x", 1)], None, None, False),
        lambda: calls.publish_many("a", ["ab", "cd"], None, None, False),  # type: ignore[list-item]
        lambda: calls.publish_many("a", object(), None, None, False),  # type: ignore[arg-type]
        lambda: calls.read("a", "yesterday", 10),
        lambda: calls.read("a", 3, 10),
    ],
)
def test_wrong_parameters_send_nothing(plan: Any) -> None:
    with pytest.raises(InvalidRequest):
        run(plan())


@pytest.mark.parametrize("id", ["../health", "", "a/b", "ü", 7])
def test_a_path_is_made_only_of_the_id_of_a_run(id: Any) -> None:
    for method in (calls.state, calls.stop, lambda id: calls.following_run(id, "earliest")):
        with pytest.raises(InvalidRequest):
            method(id)
