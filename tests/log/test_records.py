"""Records: the same events come out as went in, in bounded parts, and without the data of what was redacted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.events import REDACTED, Event, Offset
from tidings.log import records
from tidings.log.records import Record, pack, time_of, unpack, without

ITEMS = st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1, max_size=8)


@given(ITEMS, st.integers(0, 9), st.floats(0, 1e10), st.integers(0, 20), st.none() | st.integers(1, 9))
def test_a_record_gives_its_events_back(
    items: list[tuple[str, str]], base: int, time: float, after: int, limit: int | None
) -> None:
    [record] = pack(base, items, time, b"id")
    assert record[:3] == (base, base + len(items), b"id")
    events = [Event("t", Offset("e", base + n), *item, time) for n, item in enumerate(items, 1)]
    later = [event for event in events if event.offset and event.offset.n > after]
    assert unpack(record, "t", "e", after, limit) == later[:limit]
    assert time_of(record) == time


@pytest.mark.parametrize(
    ("sizes", "ends"),
    [
        ([1] * 1000, [1000]),
        ([1] * 1001, [1000, 1001]),
        ([1] * 3500, [1000, 2000, 3000, 3500]),
        ([300_000, 1, 300_000, 300_000], [1, 2, 3, 4]),
        ([1, 262_000, 140, 1, 9], [3, 5]),
        ([], []),
    ],
)
def test_large_appends_become_several_records(sizes: list[int], ends: list[int]) -> None:
    items = [("m", "x" * size) for size in sizes]
    packed = pack(7, items, 1.0, b"id")
    assert [record.last - 7 for record in packed] == ends
    assert [record.base - 7 for record in packed] == [0, *ends][: len(ends)]
    assert [event.data for record in packed for event in unpack(record, "t", "e")] == [data for _, data in items]


def test_a_record_is_written_as_it_always_was() -> None:
    """The bytes are those of files that earlier versions have written."""
    [record] = pack(0, [("m", "x")], 1.5, b"id")
    assert record.blob == b"\x92\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\x91\x92\xa1m\xa1x"


@given(ITEMS, st.data())
def test_redacting_takes_the_data_and_nothing_else(items: list[tuple[str, str]], data: st.DataObject) -> None:
    [record] = pack(3, items, 2.0, b"id")
    before = unpack(record, "t", "e")
    chosen = data.draw(st.lists(st.integers(4, 3 + len(items)), unique=True))
    for n in chosen:
        record, named = without(record, [n])
        assert named == [(n, items[n - 4][0])]
        assert without(record, [n, 1, 4 + len(items)]) == (record, ())
    [again] = pack(3, items, 2.0, b"id")
    assert sorted(without(again, chosen)[1]) == sorted((n, items[n - 4][0]) for n in chosen)
    assert record[:3] == (3, 3 + len(items), b"id")
    assert time_of(record) == 2.0
    for was, event in zip(before, unpack(record, "t", "e"), strict=True):
        assert was.offset
        assert event.offset == was.offset
        assert event.time == was.time
        if was.offset.n in chosen:
            assert (event.type, event.redacted) == (REDACTED, True)
            assert json.loads(event.data) == {"topic": "t", "offset": str(was.offset), "type": was.type}
        else:
            assert event == was


def test_the_bytes_of_a_redacted_event_are_gone() -> None:
    [record] = pack(0, [("m", "before"), ("m", "secret"), ("m", "after")], 1.0, b"id")
    assert b"secret" in record.blob
    redacted, _ = without(record, [2])
    assert b"secret" not in redacted.blob
    assert b"before" in redacted.blob


def test_a_page_of_a_redacted_record_begins_and_ends_anywhere() -> None:
    [record] = pack(0, [("m", str(n)) for n in range(1, 6)], 1.0, b"id")
    redacted, _ = without(record, [3])
    for after in range(6):
        for limit in (1, 2, 9):
            events = unpack(redacted, "t", "e", after, limit)
            assert [event.offset.n for event in events if event.offset] == list(range(1, 6))[after : after + limit]
            assert [event.offset.n for event in events if event.offset and event.redacted] == [
                n for n in [3] if after < n <= after + limit
            ]


def test_a_record_of_an_earlier_version_is_read() -> None:
    assert unpack(Record(0, 1, b"", b"\x92\x01\x91\x92\xa1m\xa1x"), "t", "e") == [
        Event("t", Offset("e", 1), "m", "x", 1.0)
    ]
    assert records.RECORD_EVENTS == 1_000
