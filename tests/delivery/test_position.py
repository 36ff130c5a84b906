"""The next bytes of a reader, for every position that it may be in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tidings.delivery.live_topic import PAGE, LiveTopic
from tidings.delivery.memory import WindowMemory
from tidings.delivery.position import Position, Redacted, Reset, Slice, Step
from tidings.events import ORIGIN, Event, Offset
from tidings.log.head import Head

TAIL = 2 * PAGE + 20


def events(a: int, b: int) -> list[Event]:
    return [Event("t", Offset("E", n), "message", str(n), 0.0) for n in range(a + 1, b + 1)]


def live(*, start: int = 0, base: int = TAIL - 10, visible: int = TAIL - 4, closed: bool = False) -> LiveTopic:
    """A live topic of epoch E that holds the last ten of its events, of which four are not visible yet."""
    made = LiveTopic("a", WindowMemory())
    made.begin(Head("E", start=start, tail=base))
    assert made.append(base, events(base, TAIL))
    made.visible, made.closed = visible, closed
    return made


class PageCache:
    """The store's pages: those that were loaded."""

    def __init__(self, found: Sequence[Event] = ()) -> None:
        self.found = found

    def get(self, live: LiveTopic, after: int) -> Sequence[Event]:
        return self.found


def step(at: Offset, of: LiveTopic, found: Sequence[Event] = (), ahead: bool = False) -> tuple[Step, str]:
    position = Position(of, at)
    position.ahead = ahead
    pages: Any = PageCache(found)
    level = position.level
    taken = position.step(pages)
    assert level == (taken is None and at.epoch == of.epoch), "a stream that begins level has no task to catch up"
    return taken, str(position)


def test_a_reader_gets_the_window_up_to_the_visible_end() -> None:
    assert step(Offset("E", TAIL - 10), live()) == (Slice(TAIL - 10, events(TAIL - 10, TAIL - 4)), f"E-{TAIL - 4}")
    assert step(Offset("E", TAIL - 5), live()) == (Slice(TAIL - 5, events(TAIL - 5, TAIL - 4)), f"E-{TAIL - 4}")


@pytest.mark.parametrize("n", [TAIL - 4, TAIL - 1, TAIL])
def test_a_reader_waits_for_events_that_are_not_visible(n: int) -> None:
    """A reader whom another process has shown more already waits, too."""
    assert step(Offset("E", n), live()) == (None, f"E-{n}")


def test_a_slice_ends_at_a_page_so_that_readers_share_their_bytes() -> None:
    wide = live(base=PAGE - 5)
    assert step(Offset("E", PAGE - 5), wide)[1] == f"E-{PAGE}"
    assert step(Offset("E", PAGE), wide)[1] == f"E-{2 * PAGE}"


def test_events_before_the_window_are_loaded() -> None:
    assert step(Offset("E", 3), live()) == ("load", "E-3")
    assert step(Offset("E", 3), live(), events(3, 8)) == (Slice(3, events(3, 8)), "E-8")


def test_a_page_that_holds_more_than_is_visible_is_cut() -> None:
    """A page may have been read after a commit whose notice has not come."""
    assert step(Offset("E", 5), live(base=TAIL, visible=8), events(5, 12)) == (Slice(5, events(5, 8)), "E-8")


def test_trimmed_events_cause_a_reset() -> None:
    trimmed = Reset("trimmed", Offset("E", 51))
    assert step(Offset("E", 3), live(start=50)) == (trimmed, "E-50")
    assert step(Offset("E", 49), live(start=50)) == (trimmed, "E-50")
    assert step(Offset("E", 50), live(start=50)) == ("load", "E-50")


def test_events_that_were_trimmed_but_are_in_the_window_are_still_given() -> None:
    assert step(Offset("E", TAIL - 10), live(start=TAIL - 6))[1] == f"E-{TAIL - 4}"


def test_another_life_is_said() -> None:
    assert step(Offset("F", 3), live()) == (Reset("recreated", Offset("E", 1)), "E-0")
    assert step(Offset("F", 3), live(start=7)) == (Reset("recreated", Offset("E", 8)), "E-7")


def test_redactions_are_told_of_the_reader_s_own_life() -> None:
    topic = live(base=0, visible=TAIL)
    topic.redact([(3, "message")], 1)
    topic.said = 1
    pages: Any = PageCache()
    for lives, told in (((("D", 5),), True), ((), False)):
        topic.lives = lives
        position = Position(topic, Offset("D", 5))
        position.said = 0
        steps = [position.step(pages) for _ in range(4)]
        assert any(isinstance(taken, Redacted) for taken in steps) is told
        assert any(isinstance(taken, Reset) for taken in steps) is not told


def test_a_deleted_log_is_said() -> None:
    assert step(Offset("F", 3), LiveTopic("a", WindowMemory())) == (Reset("deleted", Offset("0", 1)), "0-0")


def test_a_log_that_never_was_as_far_cannot_be_of_this_life() -> None:
    assert step(Offset("E", TAIL + 5), live(), ahead=True) == (Reset("recreated", Offset("E", 1)), "E-0")


def test_a_reader_at_the_origin_misses_nothing() -> None:
    assert step(ORIGIN, LiveTopic("a", WindowMemory())) == (None, "0-0")
    assert step(ORIGIN, live(base=0)) == (Slice(0, events(0, PAGE)), f"E-{PAGE}")


def test_a_reader_at_the_origin_hears_that_the_first_event_was_trimmed() -> None:
    assert step(ORIGIN, live(start=5)) == (Reset("trimmed", Offset("E", 6)), "E-5")


def test_the_end_is_said_once_and_after_the_last_event() -> None:
    closing = live(closed=True)
    assert step(Offset("E", TAIL - 4), closing)[0] is None
    closing.visible = TAIL
    position = Position(closing, Offset("E", TAIL))
    pages: Any = PageCache()
    assert [position.step(pages), position.step(pages)] == ["end", None]
    assert position.ended


def test_a_topic_that_was_made_again_after_its_end_goes_on() -> None:
    closed = live(closed=True, visible=TAIL)
    position = Position(closed, Offset("E", TAIL))
    pages: Any = PageCache()
    assert position.step(pages) == "end"
    closed.begin(Head("F"))
    assert position.step(pages) == Reset("recreated", Offset("F", 1))
    assert not position.ended


def test_finished_is_only_who_has_read_a_closed_log_to_its_end() -> None:
    closed = live(closed=True, visible=TAIL)
    assert Position(closed, Offset("E", TAIL)).finished
    assert not Position(closed, Offset("E", TAIL - 1)).finished
    assert not Position(closed, Offset("F", TAIL)).finished
    assert not Position(live(), Offset("E", TAIL)).finished
    beyond = Position(closed, Offset("E", TAIL + 1))
    beyond.ahead = True
    assert not beyond.finished
