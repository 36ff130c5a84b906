"""Reading a log: positions of any life, and pages of any records. The random part is in test_histories.py."""

from __future__ import annotations

import pytest

from tidings.events import ORIGIN, Lost, Offset
from tidings.log.head import Head
from tidings.log.reading import page, position
from tidings.log.records import Record, pack


def record(base: int, last: int) -> Record:
    return pack(base, [("m", str(n)) for n in range(base, last)], 0.0, b"id")[0]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (None, (3, None)),
        (ORIGIN, (3, "trimmed")),
        (Offset("now", 2), (3, "trimmed")),
        (Offset("now", 3), (3, None)),
        (Offset("now", 9), (9, None)),
        (Offset("now", 10), (3, "recreated")),
        (Offset("old", 5), (5, None)),
        (Offset("old", 2), (3, "trimmed")),
        (Offset("old", 6), (3, "recreated")),
        (Offset("other", 5), (3, "recreated")),
    ],
)
def test_a_reader_goes_on_where_it_was_or_hears_why_not(
    after: Offset | None, expected: tuple[int, Lost | None]
) -> None:
    """The log was restored from a backup at 5, in which it was `old`, and has been trimmed up to 3."""
    assert position(Head("now", start=3, tail=9, lives=(("old", 5),)), after) == expected


def test_the_origin_of_a_whole_log_has_lost_nothing() -> None:
    assert position(Head("now", tail=9), ORIGIN) == (0, None)


def test_a_hole_is_told_and_never_crossed() -> None:
    head = Head("e1", tail=9)

    def read(records: list[Record], n: int, limit: int = 100) -> tuple[str, int, int, Lost | None]:
        found = page("t", head, records, n, None, limit)
        return "".join(event.data for event in found.events), found.next.n, found.earliest.n, found.lost

    assert read([record(4, 6), record(6, 9)], 2) == ("45678", 9, 5, "trimmed")
    assert read([record(2, 4), record(6, 9)], 2) == ("23", 4, 1, None)  # the hole is the next page's
    assert read([record(6, 9)], 4) == ("678", 9, 7, "trimmed")
    assert read([], 4) == ("", 9, 10, "trimmed")
    assert read([], 9) == ("", 9, 1, None)
    assert read([record(6, 12)], 7) == ("7891011", 12, 1, None)  # the head is older than the records
    assert read([record(0, 9)], 3, limit=2) == ("34", 5, 1, None)


@pytest.mark.parametrize("records", [[], [record(6, 9)]], ids=["no record", "a hole"])
def test_a_reader_of_another_life_is_told_so_even_if_the_store_lacks_the_first_events(records: list[Record]) -> None:
    """The store was asked from number 4, and the events there are trimmed: the reader hears of the worse loss."""
    assert page("t", Head("e1", tail=9), records, 4, "recreated", 100).lost == "recreated"


def test_a_page_opens_no_record_behind_its_last_event() -> None:
    """A store answers with up to 1 MB of records, whatever the limit is."""
    broken = Record(6, 9, b"id", b"no batch of events")
    found = page("t", Head("e1", tail=9), [record(4, 6), broken], 4, None, 2)
    assert (len(found.events), found.next.n, found.tail.n, found.up_to_date) == (2, 6, 9, False)
