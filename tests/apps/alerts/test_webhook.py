"""Webhooks: signatures, the order and the schedule of messages, and addresses that are refused."""

from __future__ import annotations

import time

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from tidings.apps.alerts.webhook import (
    SCHEDULE,
    WAITING,
    Attempted,
    Disabled,
    Enabled,
    Fact,
    Queued,
    Resent,
    Webhook,
    WebhookDeleted,
    WebhookSaved,
    apply,
    check_url,
    next_attempt,
    signature,
    to_item,
)
from tidings.errors import InvalidRequest
from tidings.events import Event, Offset

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_vector_of_the_specification() -> None:
    made = signature([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_and_each_is_enough() -> None:
    other = "whsec_" + "QUJD" * 8
    now = int(time.time())
    made = signature([other, SECRET], "m", now, b"{}")
    for secret in (SECRET, other):
        headers = {"webhook-id": "m", "webhook-timestamp": str(now), "webhook-signature": made}
        assert Verifier(secret).verify(b"{}", headers) == {}


def folded(*given: Fact) -> Webhook:
    state = Webhook()
    for n, fact in enumerate((WebhookSaved(url="https://example.com", by="Ann"), *given), 1):
        apply(state, Event("webhooks.w", Offset("E", n), *to_item(fact), float(n)))
    return state


def queued(id: str, *episodes: str) -> Queued:
    return Queued(id=id, rule="r", episodes=list(episodes), body="{}")


def test_a_message_waits_for_the_earlier_ones_of_its_episodes() -> None:
    later = Attempted(id="a-fired", at=9.0, delivered=False, next=100.0)
    state = folded(queued("a-fired", "a"), queued("b-fired", "b"), queued("a-resolved", "a"), later)
    first = state.next()
    assert first is not None
    assert first.id == "b-fired"
    done = Attempted(id="b-fired", at=10.0, delivered=True, status=204)
    state = folded(queued("a-fired", "a"), queued("b-fired", "b"), queued("a-resolved", "a"), later, done)
    first = state.next()
    assert first is not None
    assert (first.id, first.due, first.tries) == ("a-fired", 100.0, 1)
    assert (state.delivered, state.last) == (1, 10.0)


def test_a_message_that_is_given_up_is_listed_and_sent_again() -> None:
    given_up = Attempted(id="a", at=9.0, delivered=False, status=500, error="The receiver answered 500.")
    state = folded(queued("a", "a"), given_up, Disabled(reason="500"), queued("b", "b"))
    assert (state.next(), state.reason, list(state.failed)) == (None, "500", ["a", "b"])
    state = folded(queued("a", "a"), given_up, Disabled(reason="500"), Enabled(), Resent(ids=["a", "x"]))
    first = state.next()
    assert first is not None
    assert (first.id, first.tries, state.failed) == ("a", 0, {})
    assert folded(queued("a", "a"), WebhookDeleted()).next() is None


def test_the_queue_is_bounded_and_odd_events_are_passed_over() -> None:
    state = folded(*[queued(str(n), str(n)) for n in range(WAITING + 5)], Attempted(id="x", at=1.0, delivered=True))
    assert len(state.waiting) == WAITING
    apply(state, Event("webhooks.w", Offset("E", 1), "webhook.queued", "{", 1.0))
    apply(state, Event("webhooks.w", Offset("E", 1), "other", "{}", 1.0))
    assert len(state.waiting) == WAITING


def test_the_schedule_has_ten_attempts_with_jitter() -> None:
    for jitter in (0.0, 0.5, 1.0):
        waits = [next_attempt(tries, 100.0, 500, None, jitter) for tries in range(1, len(SCHEDULE) + 1)]
        assert waits[-1] is None
        assert waits[:-1] == [pytest.approx(100 + wait * (0.9 + 0.2 * jitter)) for wait in SCHEDULE[1:]]


def test_a_slow_receiver_is_given_the_time_that_it_asks_for() -> None:
    for status, due in ((429, 700.0), (503, 700.0), (500, 105.0)):
        assert next_attempt(1, 100.0, status, 600.0, 0.5) == due
    assert next_attempt(1, 100.0, 429, 1e9, 0.5) == 100.0 + SCHEDULE[-1]
    assert next_attempt(3, 100.0, 429, 1.0, 0.5) == 100.0 + SCHEDULE[3]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "http://example.com",
        "ftp://example.com",
        "https://",
        "https://u:p@example.com",
        "https://a b",
    ],
)
def test_an_address_is_https_and_names_nobody(url: str) -> None:
    with pytest.raises(InvalidRequest, match="`url`"):
        check_url(url, private=False)


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://exämple.com", "https://example.com/" + "x" * 1000, "https://example.com:99999"]
)
def test_an_address_is_one_that_can_be_asked(url: str) -> None:
    with pytest.raises(InvalidRequest, match="`url`"):
        check_url(url, private=True)


def test_http_is_allowed_by_a_setting() -> None:
    check_url("http://10.0.0.5:8080/hook", private=True)
    check_url("https://example.com/hook?token=x", private=False)
