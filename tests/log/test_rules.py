"""The rules of writing to a log, by themselves. Random sequences of them are in test_histories.py."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tidings.errors import Closed, Conflict, InvalidRequest
from tidings.events import ORIGIN, Offset, Retention
from tidings.log import names, rules
from tidings.log.head import REMEMBERED, Head, Known
from tidings.log.records import pack
from tidings.log.rules import NEW, Append, Appended


@pytest.mark.parametrize(
    "append",
    [
        Append(key=""), Append(key="k" * 201), Append(key="\ud800"), Append(ttl=0.0), Append(ttl=float("nan")),
        Append(retention=Retention(max_events=0)), Append(retention=Retention(max_age=-1.0)), Append([("", "x")]),
        Append([("message", "\ud800")]), Append([("message", "x" * names.MAX_DATA)] * 17),
        Append([("message", "")] * (names.MAX_EVENTS + 1)), Append(owner="x" * 201), Append(owner="\ud800"),
        Append(owner=None),
    ],
)  # fmt: skip
def test_an_invalid_append_is_refused(append: Append) -> None:
    with pytest.raises(InvalidRequest):
        rules.valid_append(append)


def test_the_size_of_an_append_is_that_of_its_data_in_bytes() -> None:
    assert rules.valid_append(Append([("message", "abc"), ("other", "é"), ("other", "")], key="k", ttl=1.0)) == 5


def test_an_append_of_exactly_the_most_bytes_is_valid() -> None:
    full, rest = divmod(rules.MAX_APPEND, names.MAX_DATA)
    items = [("message", "x" * names.MAX_DATA)] * full + [("message", "x" * rest)] * bool(rest)
    assert rules.valid_append(Append(items)) == rules.MAX_APPEND
    with pytest.raises(InvalidRequest):
        rules.valid_append(Append([*items, ("message", "x")]))


def known(**head: Any) -> Known:
    return Known(Head("epoch1", **head))


def only(before: Known, append: Append, now: float = 1.0) -> rules.Answer:
    change, (answer,) = rules.decide(before, [append], now, b"id")
    assert (change is None) == (isinstance(answer, Conflict) or answer.duplicate)
    return answer


def test_the_order_of_the_rules() -> None:
    """expired → key seen, even if closed → expected → closed → accept"""
    expired = Known(Head("epoch1", tail=5, closed=True, ttl=1.0), {"k": (1, 2)})
    answer = only(expired, Append([("m", "x")], key="k", expected=NEW), now=1.0)
    assert isinstance(answer, Appended)
    assert (answer.first.n, answer.duplicate) == (1, False)
    assert answer.first.epoch != "epoch1"
    closed = Known(Head("epoch1", tail=5, closed=True), {"k": (1, 2)})
    again = only(closed, Append([("m", "x")], key="k", expected=NEW))
    assert again == Appended(Offset("epoch1", 1), Offset("epoch1", 2), True)
    assert type(only(closed, Append([("m", "x")], key="other", expected=NEW))) is Conflict
    assert type(only(closed, Append([("m", "x")], expected="epoch1"))) is Closed


def test_an_expired_log_is_replaced_as_a_whole() -> None:
    change, _ = rules.decide(
        known(tail=5, ttl=1.0, retention=Retention(1.0)), [Append([("m", "x")])], 1.0, b"id", lambda: "epoch2"
    )
    assert change is not None
    assert change.fresh
    assert change.head == Head("epoch2", tail=1, size=change.head.size if change.head else 0, oldest=1.0, touched=1.0)
    assert [record.base for record in change.records] == [0]


def test_a_first_life_replaces_nothing() -> None:
    change, _ = rules.decide(Known(None), [Append([("m", "x")])], 1.0, b"id")
    assert change is not None
    assert not change.fresh


def after(before: Known, append: Append) -> Head:
    """Return the head that an append leaves."""
    change, _ = rules.decide(before, [append], 1.0, b"id")
    assert change is not None
    assert change.head is not None
    return change.head


DEFAULT, OWN, OTHER = Retention(max_events=20), Retention(max_events=100_000), Retention(max_age=9.0)


@pytest.mark.parametrize(
    ("head", "append", "retention", "ttl"),
    [
        # The log begins: its own settings, else the default.
        (None, Append([("m", "x")], default=DEFAULT), DEFAULT, None),
        (None, Append([("m", "x")]), Retention(), None),
        (None, Append([("m", "x")], retention=OWN, default=DEFAULT), OWN, None),
        (None, Append([("m", "x")], retention=Retention(), default=DEFAULT), Retention(), None),
        (None, Append([("m", "x")], retention=None, default=DEFAULT), Retention(), None),
        (None, Append(configure=True, ttl=3.0, default=DEFAULT), DEFAULT, 3.0),
        (None, Append(configure=True, retention=OWN, default=DEFAULT), OWN, None),
        # The log is there: what is given, else what it has; the default counts for nothing.
        (Head("e", retention=OWN, ttl=9.0), Append([("m", "x")], default=DEFAULT), OWN, 9.0),
        (Head("e"), Append([("m", "x")], default=DEFAULT), Retention(), None),
        (Head("e", retention=OWN, ttl=9.0), Append([("m", "x")], ttl=3.0, default=DEFAULT), OWN, 3.0),
        (Head("e", retention=OWN, ttl=9.0), Append([("m", "x")], ttl=None, default=DEFAULT), OWN, None),
        (Head("e", retention=OWN, ttl=9.0), Append([("m", "x")], retention=OTHER, default=DEFAULT), OTHER, 9.0),
        (Head("e", retention=OWN, ttl=9.0), Append(configure=True, ttl=60.0, default=DEFAULT), OWN, 60.0),
        (Head("e", retention=OWN, ttl=9.0), Append(configure=True, retention=OTHER), OTHER, 9.0),
        (Head("e", retention=OWN, ttl=9.0), Append(configure=True, retention=None), Retention(), 9.0),
        (Head("e", retention=OWN, ttl=9.0, closed=True), Append(configure=True, ttl=None), OWN, None),
        # The log has expired: it begins anew.
        (Head("e", retention=OWN, ttl=0.5, owner="ada"), Append([("m", "x")], default=DEFAULT), DEFAULT, None),
    ],
)
def test_the_setting_of_the_append_or_of_the_head_counts(
    head: Head | None, append: Append, retention: Retention, ttl: float | None
) -> None:
    """The table of docs/concepts.md, "What is retention?"."""
    left = after(Known(head), append)
    assert (left.retention, left.ttl) == (retention, ttl)


RETENTION = st.builds(Retention, st.none() | st.just(5.0), st.none() | st.just(7), st.none() | st.just(900))
SETTING = st.just(UNSET) | st.none() | RETENTION


@given(RETENTION, st.lists(st.tuples(SETTING, st.sampled_from([UNSET, None, 3.0]), st.booleans()), max_size=6))
def test_a_default_belongs_to_the_birth_of_a_log(default: Retention, asked: list[tuple[Any, Any, bool]]) -> None:
    """Each setting is the last one that was given, else the one of the log's birth."""
    head, retention, ttl = None, default, None
    for own, lives, configure in asked:
        append = Append(
            [] if configure else [("m", "x")], retention=own, ttl=lives, configure=configure, default=default
        )
        head = after(Known(head), append)
        retention = retention if own is UNSET else own or Retention()
        ttl = ttl if lives is UNSET else lives
        assert (head.retention, head.ttl) == (retention, ttl)
        default = Retention(max_events=1)  # another process, with another setting


def test_an_append_closes_a_log_and_none_opens_it_again() -> None:
    closed = after(Known(None), Append([("m", "x")], close=True))
    assert (closed.closed, closed.tail) == (True, 1)
    assert after(Known(Head("epoch1", tail=5)), Append(close=True)).closed
    assert not after(Known(Head("epoch1", tail=5)), Append([("m", "x")])).closed
    assert after(Known(closed), Append(configure=True, ttl=9.0)).closed


def test_the_owner_is_the_one_of_the_birth() -> None:
    born = after(Known(None), Append([("m", "x")], owner="ada"))
    assert born.owner == "ada"
    for append in (
        Append([("m", "x")], owner="eve"),
        Append(close=True, owner="eve"),
        Append(configure=True, owner="e"),
    ):
        assert after(Known(born), append).owner == "ada"
    assert after(Known(None), Append(configure=True)).owner == ""


def test_a_restored_log_accepts_what_expects_an_earlier_life() -> None:
    """Restored from a backup at 5, in which it was `old`; an event was added since."""
    head = Head("now", tail=6, lives=(("older", 6), ("old", 5)))
    for expected in ("now", "old", "older", Offset("now", 6), Offset("older", 6)):
        assert isinstance(only(Known(head), Append([("m", "x")], expected=expected)), Appended)
    for expected in ("other", Offset("old", 6), Offset("old", 5), Offset("now", 5), Offset("other", 6), ORIGIN):
        assert type(only(Known(head), Append([("m", "x")], expected=expected))) is Conflict


def redactions(head: Head, numbers: list[int]) -> Head:
    """Redact these events of a log that is one record of 40 events."""
    [record] = pack(0, [(f"m{n}", "x") for n in range(1, 41)], 1.0, b"id")
    for n in numbers:
        change = rules.redact(head, [record], [n])
        assert change
        assert change.head
        assert change.replaced
        assert (change.records, change.keys, change.fresh) == ((), (), False)
        head, [record] = change.head, change.replaced
        assert rules.redact(head, [record], [n]) is None
    return head


def test_redacting_counts_and_names_the_last_ones() -> None:
    head = redactions(Head("e", tail=40, size=999, closed=True, touched=3.0, ttl=9.0), [7, 3])
    assert (head.redactions, head.redacted) == (2, ((7, "m7"), (3, "m3")))
    assert (head.tail, head.closed, head.touched, head.ttl, head.size) == (40, True, 3.0, 9.0, 999 + 3 - 2)
    many = redactions(Head("e", tail=40), list(range(1, 41)))
    assert many.redactions == 40
    assert [n for n, _ in many.redacted] == list(range(41 - REMEMBERED, 41))


def test_a_plan_may_be_asked_again() -> None:
    """An engine that compares revisions calls it with newer and newer states."""

    def decide(state: Known) -> Any:
        return rules.decide(state, [Append([("m", "x")], key="k")], 1.0, b"id", lambda: "e2")

    first, second = decide(Known(None)), decide(known(tail=4))
    assert first[1] == [Appended(Offset("e2", 1), Offset("e2", 1))]
    assert second[1] == [Appended(Offset("epoch1", 5), Offset("epoch1", 5))]
    assert decide(Known(None)) == first
