"""Retention: what expires when, and what trimming takes and leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.events import Retention
from tidings.log import retention as retention_rules
from tidings.log.head import Head
from tidings.log.records import pack
from tidings.log.retention import due
from tidings.log.retention import trimmed as trimmed_head


def test_a_ttl_counts_from_the_last_touch() -> None:
    head = Head("epoch1", touched=10.0, ttl=5.0)
    assert retention_rules.expiry(head) == 15.0
    assert retention_rules.expiry(Head("epoch1")) is None
    assert retention_rules.living(head, 14.9) is head
    assert retention_rules.living(head, 15.0) is None


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
    records = [pack(n, [("m", "xx"), ("m", "yy")], float(n), b"id")[0] for n in range(0, 10, 2)]
    size = sum(len(record.blob) for record in records)
    assert size == 5 * 23
    head = Head("e1", tail=10, size=size, retention=retention)
    trimmed = trimmed_head(head, records, now) or head
    assert trimmed.tail - trimmed.start == left
    assert trimmed_head(trimmed, [record for record in records if record.last > trimmed.start], now) is None


def test_trimming_in_parts_does_not_take_what_is_young_enough() -> None:
    """All of the first part goes; the first record of the next part tells the age of the rest."""
    records = [pack(n, [("m", "x")], 10.0 * n, b"")[0] for n in range(4)]
    size = sum(len(record.blob) for record in records)
    head = Head("E", tail=4, size=size, oldest=0.0, retention=Retention(max_age=15.0, max_events=3))
    trimmed = trimmed_head(head, records[:1], 31.0)
    assert trimmed
    assert trimmed.start == 1
    trimmed = trimmed_head(trimmed, records[1:2], 24.0)
    assert trimmed
    assert (trimmed.start, trimmed.oldest) == (1, 10.0)
    assert trimmed_head(trimmed, records[1:2], 24.0) is None


def test_an_append_trims_only_what_is_well_over() -> None:
    head = Head("e1", tail=112, retention=Retention(max_events=100))
    assert retention_rules.excessive(head, 0.0)
    assert not retention_rules.excessive(head, 0.0, retention_rules.SLACK)
    assert retention_rules.excessive(
        Head("e1", tail=113, retention=Retention(max_events=100)), 0.0, retention_rules.SLACK
    )
    assert not retention_rules.excessive(Head("e1", start=113, tail=113, retention=Retention(max_age=1.0)), 99.0)


@pytest.mark.parametrize(
    ("head", "time"),
    [
        (Head("e", tail=1, oldest=10.0, touched=20.0), None),
        (Head("e", tail=1, oldest=10.0, touched=20.0, ttl=5.0), 25.0),
        (Head("e", tail=1, oldest=10.0, touched=20.0, retention=Retention(max_age=7.0)), 17.0),
        (Head("e", tail=1, oldest=10.0, touched=20.0, ttl=5.0, retention=Retention(max_age=7.0)), 17.0),
        (Head("e", tail=1, oldest=10.0, touched=20.0, ttl=5.0, retention=Retention(max_age=70.0)), 25.0),
        (Head("e", tail=1, single=True, oldest=10.0, touched=20.0, retention=Retention(max_age=7.0)), None),
        (Head("e", start=1, tail=1, oldest=10.0, touched=20.0, retention=Retention(max_age=7.0)), None),
        (Head("e", tail=900, size=900, retention=Retention(max_events=1, max_bytes=1)), None),
    ],
)
def test_a_log_is_due_when_time_alone_changes_it(head: Head, time: float | None) -> None:
    assert due(head) == time


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.001, 50), st.floats(0, 200), st.integers(1, 9))
def test_a_trimmed_log_is_not_due_again(times: list[float], age: float, now: float, chunk: int) -> None:
    """A sweep ends: a trim takes all that is over its age, or says that only the last record is left."""
    records = [pack(n, [("m", "x")], time, b"")[0] for n, time in enumerate(sorted(times))]
    size = sum(len(record.blob) for record in records)
    head = Head("e", tail=len(records), size=size, oldest=min(times), retention=Retention(max_age=age))
    while (after := trimmed_head(head, [each for each in records if each.last > head.start][:chunk], now)) is not None:
        head = after
    time = due(head)
    assert time is None or time > now
    assert head.single == (head.start == head.tail - 1) or time is not None
    assert head.size == sum(len(record.blob) for record in records if record.last > head.start)


def test_a_log_without_records_is_not_trimmed() -> None:
    assert trimmed_head(Head("e", tail=3, start=3, retention=Retention(max_age=1.0)), [], 99.0) is None
