"""The rules of a log, one by one: names, values, what may be written, forgotten, read. See test_log_histories.py."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.errors import Closed, Conflict, InvalidRequest, TooLarge
from tidings.events import ORIGIN, Event, Lost, Offset, Retention
from tidings.log import names, rules
from tidings.log.head import Head, Known
from tidings.log.records import Record
from tidings.log.rules import NEW, Append, Appended

# ---------------------------------------------------------------- names and values


@pytest.mark.parametrize("name", ["a", "rooms.lobby", "runs.01J9", "A-b_C.0", "-", "_", "a" * 200])
def test_a_topic(name: str) -> None:
    assert names.valid_topic(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "a.", ".a", "a..b", "a b", "a/b", "ä", "a\n", "a\0", "a*", "a~b", "a" * 201, "a.\ud800", None, b"a"],
)
def test_no_topic(name: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        names.valid_topic(name)
    shown = refused.value.members["topic"]
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 80


@pytest.mark.parametrize("name", ["message", "ünïcode", "a b", "tidings", "x" * 200, "é" * 100])
def test_a_type(name: str) -> None:
    assert names.valid_type(name) == name


@pytest.mark.parametrize(
    "name", ["", "a\nb", "a\rb", "a\0b", "tidings.reset", "tidings.", "x" * 201, "é" * 101, "\udfff", None]
)
def test_no_type(name: Any) -> None:
    with pytest.raises(InvalidRequest):
        names.valid_type(name)


@pytest.mark.parametrize("data", ["", "a\r\n\0b", "😀", "x" * names.MAX_DATA, "é" * (names.MAX_DATA // 2)])
def test_data(data: str) -> None:
    assert names.valid_data(data) == data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("\ud800", InvalidRequest),
        (b"a", InvalidRequest),
        ("x" * (names.MAX_DATA + 1), TooLarge),
        ("é" * (names.MAX_DATA // 2 + 1), TooLarge),
    ],
)
def test_no_data(data: Any, error: type[InvalidRequest]) -> None:
    with pytest.raises(error):
        names.valid_data(data)


@pytest.mark.parametrize(
    "append",
    [
        Append(key=""), Append(key="k" * 201), Append(key="\ud800"), Append(ttl=0.0), Append(ttl=float("nan")),
        Append(retention=Retention(max_events=0)), Append(retention=Retention(max_age=-1.0)), Append([("", "x")]),
        Append([("message", "\ud800")]), Append([("message", "x" * names.MAX_DATA)] * 17),
    ],
)  # fmt: skip
def test_no_append(append: Append) -> None:
    with pytest.raises(InvalidRequest):
        rules.valid_append(append)


def test_the_size_of_an_append_is_that_of_its_data_in_bytes() -> None:
    assert rules.valid_append(Append([("message", "abc"), ("other", "é"), ("other", "")], key="k", ttl=1.0)) == 5


@given(st.from_regex(r"[A-Za-z1-9][A-Za-z0-9]{0,15}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_an_offset_is_what_its_text_says(epoch: str, n: int) -> None:
    assert Offset.parse(str(Offset(epoch, n))) == Offset(epoch, n)


def test_the_origin_has_a_text() -> None:
    assert Offset.parse("0-0") == ORIGIN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a-",
        "-1",
        "a-01",
        "a--1",
        "a-1 ",
        "a-1\n",
        "a-x",
        "0-1",
        "a-1-2",
        "ä-1",
        "a-١",
        "a-" + "9" * 19,
        1,
        None,
    ],
)
def test_no_offset(text: Any) -> None:
    with pytest.raises(InvalidRequest):
        Offset.parse(text)


def test_epochs_are_new() -> None:
    epochs = {names.new_epoch() for _ in range(1000)}
    assert len(epochs) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9]{4,8}", epoch) for epoch in epochs)
    assert ORIGIN.epoch not in epochs


@given(
    st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1, max_size=5), st.integers(0, 9), st.floats(0, 1e10)
)
def test_a_record_gives_its_events_back(items: list[tuple[str, str]], base: int, time: float) -> None:
    record = Record(base, base + len(items), b"id", rules.encode(time, items))
    found = rules.decode(record, "epoch1")
    assert found == [Event("t", Offset("epoch1", base + n), *item, time) for n, item in enumerate(items, 1)]


# ---------------------------------------------------------------- single rules


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
    assert change.record is not None
    assert change.record.base == 0


def test_a_first_life_replaces_nothing() -> None:
    change, _ = rules.decide(Known(None), [Append([("m", "x")])], 1.0, b"id")
    assert change is not None
    assert not change.fresh


def test_a_ttl_counts_from_the_last_touch() -> None:
    head = Head("epoch1", touched=10.0, ttl=5.0)
    assert rules.expiry(head) == 15.0
    assert rules.expiry(Head("epoch1")) is None
    assert rules.living(head, 14.9) is head
    assert rules.living(head, 15.0) is None


def test_settings_stay_unless_they_are_given() -> None:
    before = known(retention=Retention(max_events=5), ttl=9.0)

    def after(append: Append) -> tuple[Retention, float | None]:
        change, _ = rules.decide(before, [append], 1.0, b"id")
        assert change is not None
        assert change.head is not None
        return change.head.retention, change.head.ttl

    assert after(Append([("m", "x")])) == (Retention(max_events=5), 9.0)
    assert after(Append([("m", "x")], ttl=3.0)) == (Retention(max_events=5), 3.0)
    assert after(Append([("m", "x")], retention=Retention(max_age=1.0))) == (Retention(max_age=1.0), 9.0)
    assert after(Append(configure=True)) == (Retention(), None)
    assert after(Append(configure=True, ttl=3.0)) == (Retention(), 3.0)


def test_a_hole_is_told_and_never_crossed() -> None:
    def record(base: int, last: int) -> Record:
        return Record(base, last, b"id", rules.encode(0.0, [("m", str(n)) for n in range(base, last)]))

    head = Head("e1", tail=9)

    def read(records: list[Record], n: int, limit: int = 100) -> tuple[str, int, int, Lost | None]:
        page = rules.page(head, records, n, None, limit)
        return "".join(event.data for event in page.events), page.next.n, page.earliest.n, page.lost

    assert read([record(4, 6), record(6, 9)], 2) == ("45678", 9, 5, "trimmed")
    assert read([record(2, 4), record(6, 9)], 2) == ("23", 4, 1, None)  # the hole is the next page's
    assert read([record(6, 9)], 4) == ("678", 9, 7, "trimmed")
    assert read([], 4) == ("", 9, 10, "trimmed")
    assert read([], 9) == ("", 9, 1, None)
    assert read([record(6, 12)], 7) == ("7891011", 12, 1, None)  # the head is older than the records
    assert read([record(0, 9)], 3, limit=2) == ("34", 5, 1, None)


@pytest.mark.parametrize(
    ("retention", "now", "left"),
    [
        (Retention(), 100.0, 10),
        (Retention(max_events=4), 0.0, 4),
        (Retention(max_events=5), 0.0, 4),  # records of two
        (Retention(max_events=1), 0.0, 2),  # never the last
        (Retention(max_age=5.0), 10.0, 4),
        (Retention(max_age=1.0), 99.0, 2),
        (Retention(max_bytes=1), 0.0, 2),
        (Retention(max_bytes=80), 0.0, 6),
        (Retention(max_age=7.0, max_events=2), 10.0, 2),
    ],
)
def test_trimming(retention: Retention, now: float, left: int) -> None:
    """Five records of two events, one every 2 s, of 23 bytes each."""
    records = [Record(n, n + 2, b"id", rules.encode(float(n), [("m", "xx"), ("m", "yy")])) for n in range(0, 10, 2)]
    size = sum(len(record.blob) for record in records)
    assert size == 5 * 23
    head = Head("e1", tail=10, size=size, retention=retention)
    trimmed = rules.trim_point(head, records, now) or head
    assert trimmed.tail - trimmed.start == left
    assert rules.trim_point(trimmed, [record for record in records if record.last > trimmed.start], now) is None


def test_trimming_in_parts_does_not_take_what_is_young_enough() -> None:
    """All of the first part goes; how old the rest is, is told by the first record of the next."""
    records = [rules.Record(n, n + 1, b"", rules.encode(10.0 * n, [("m", "x")])) for n in range(4)]
    size = sum(len(record.blob) for record in records)
    head = rules.Head("E", tail=4, size=size, oldest=0.0, retention=Retention(max_age=15.0, max_events=3))
    trimmed = rules.trim_point(head, records[:1], 31.0)
    assert trimmed
    assert trimmed.start == 1
    trimmed = rules.trim_point(trimmed, records[1:2], 25.0)
    assert trimmed
    assert (trimmed.start, trimmed.oldest) == (1, 10.0)
    assert rules.trim_point(trimmed, records[1:2], 25.0) is None


def test_an_append_trims_only_what_is_well_over() -> None:
    head = Head("e1", tail=112, retention=Retention(max_events=100))
    assert rules.excessive(head, 0.0)
    assert not rules.excessive(head, 0.0, rules.SLACK)
    assert rules.excessive(Head("e1", tail=113, retention=Retention(max_events=100)), 0.0, rules.SLACK)
    assert not rules.excessive(Head("e1", start=113, tail=113, retention=Retention(max_age=1.0)), 99.0)


def test_a_plan_may_be_asked_again() -> None:
    """An engine that compares revisions calls it with newer and newer states."""

    def decide(state: Known) -> Any:
        return rules.decide(state, [Append([("m", "x")], key="k")], 1.0, b"id", lambda: "e2")

    first, second = decide(Known(None)), decide(known(tail=4))
    assert first[1] == [Appended(Offset("e2", 1), Offset("e2", 1))]
    assert second[1] == [Appended(Offset("epoch1", 5), Offset("epoch1", 5))]
    assert decide(Known(None)) == first
