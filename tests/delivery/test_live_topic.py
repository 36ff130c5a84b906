"""The window of a live: joined by offset, never by timing, and never without what its readers still need."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tidings.delivery.live_topic import PAGE_BYTES, WINDOW_BYTES, WINDOW_EVENTS, LiveTopic, fit
from tidings.delivery.memory import WindowMemory
from tidings.events import ORIGIN, Event, Offset
from tidings.log.head import Head


def events(a: int, b: int, size: int = 1) -> list[Event]:
    return [Event("t", Offset("E", n), "message", "x" * size, 0.0) for n in range(a + 1, b + 1)]


def live(tail: int = 10) -> LiveTopic:
    made = LiveTopic("a", WindowMemory())
    made.begin(Head("E", tail=tail))
    return made


def test_a_topic_without_a_log_is_at_the_origin() -> None:
    made = LiveTopic("a", WindowMemory())
    assert (made.readers, made.tail, made.earliest) == (0, ORIGIN, Offset(ORIGIN.epoch, 1))
    made.begin(Head("E", start=3, tail=10))
    assert (made.tail, made.earliest) == (Offset("E", 10), Offset("E", 4))
    made.begin(None)
    assert (made.tail, made.earliest) == (ORIGIN, Offset(ORIGIN.epoch, 1))


def test_a_slice_ends_where_it_should() -> None:
    made = live()
    made.append(10, events(10, 20))
    assert [e.offset and e.offset.n for e in made.slice(12, 15)] == [13, 14, 15]


@pytest.mark.parametrize(
    ("base", "last", "head"),
    [(10, 13, 13), (8, 13, 13), (8, 10, 10), (3, 5, 10), (10, 10, 10)],
    ids=["follows", "overlaps", "is known", "is older", "is empty"],
)
def test_a_commit_that_overlaps_is_added_once(base: int, last: int, head: int) -> None:
    made = live()
    assert made.append(base, events(base, last))
    assert made.head == head
    assert [e.offset and e.offset.n for e in made.slice(10, head)] == list(range(11, head + 1))


def test_a_hole_is_refused() -> None:
    made = live()
    assert not made.append(11, events(11, 13))
    assert made.head == 10


def test_the_window_is_trimmed_but_not_of_what_is_not_visible() -> None:
    made = live(0)
    made.append(0, events(0, 3 * WINDOW_EVENTS))
    made.visible = 5
    made.trim()
    assert made.base == 5
    made.visible = made.head
    made.trim()
    assert made.base == 2 * WINDOW_EVENTS
    assert made.slice(made.base, made.head)[0].offset == Offset("E", made.base + 1)


def test_the_window_is_trimmed_by_bytes_too() -> None:
    made = live(0)
    made.append(0, events(0, 100, WINDOW_BYTES // 10))
    made.visible = made.head
    made.trim()
    assert made.head - made.base == 9, "a string takes some 50 bytes more than its characters"
    assert WINDOW_BYTES * 0.9 < made.size <= WINDOW_BYTES
    assert made.memory.size == made.size
    made.begin(None)
    assert made.memory.size == 0


def test_a_redaction_counts_with_the_bytes_that_it_frees() -> None:
    made = live(0)
    made.append(0, events(0, 3, 1000))
    before = made.size
    made.redact([(1, "message"), (3, "message"), (4, "message")], 3)
    assert before - 2000 < made.size < before - 1000, "the content of two events is gone"
    assert made.memory.size == made.size
    assert [event.type for event in made.slice(0, 3)] == ["tidings.redacted", "message", "tidings.redacted"]


def test_observers_are_told_of_another_life() -> None:
    made, told = live(), list[tuple[Sequence[Event], Offset]]()
    made.observers.append(lambda new, head: told.append((new, head)))
    made.begin(Head("F", tail=3))
    assert told == [((), Offset("F", 3))]


def test_text_counts_with_the_memory_it_takes() -> None:
    made = live(0)
    made.append(0, [Event("t", Offset("E", 1), "message", "x" * 1000 + "\N{PILE OF POO}", 0.0)])
    assert made.size > 4000


def test_a_window_is_shrunk_up_to_what_is_visible() -> None:
    made = live(0)
    made.append(0, events(0, 10))
    made.visible = 7
    made.shrink(0, 0)
    assert (made.base, made.head) == (7, 10)
    assert made.memory.size == made.size > 0


def test_a_reach_is_at_most_a_page_of_bytes_and_at_least_an_event() -> None:
    made = live(0)
    made.append(0, events(0, 10, PAGE_BYTES // 4))
    assert made.reach(0, 10) == 3
    made.append(10, events(10, 12, 2 * PAGE_BYTES))
    assert made.reach(9, 12) == 10
    assert made.reach(10, 12) == 11
    assert fit(events(0, 3, PAGE_BYTES), 1, 3) == 2


def test_another_life_is_noticed_by_a_flush_under_way() -> None:
    made = live()
    before = made.life
    made.begin(Head("E", tail=500))
    assert (made.base, made.head, made.visible) == (500, 500, 500)
    assert made.life != before
