"""The timing wheel, by a clock that is turned by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tidings.delivery import timer_wheel as module
from tidings.delivery.timer_wheel import SLOTS, TICK, TimerWheel


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Visited:
    """Remembers when it was visited; `again` is what it answers."""

    def __init__(self, clock: Clock, *again: float) -> None:
        self.clock = clock
        self.again = list(again)
        self.visits: list[float] = []

    def visit(self, now: float) -> float | None:
        assert now == self.clock.now
        self.visits.append(round(now - 1000, 1))
        return 1000 + self.again.pop(0) if self.again else None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "monotonic", made)
    return made


@pytest.fixture
async def wheel(clock: Clock) -> AsyncIterator[TimerWheel]:
    made = TimerWheel()
    yield made
    made.stop()


def turn(wheel: TimerWheel, clock: Clock, seconds: float, step: float = TICK) -> None:
    for _ in range(round(seconds / step)):
        clock.now = round(clock.now + step, 3)
        wheel._sweep()


def running(wheel: TimerWheel) -> bool:
    return wheel._timer is not None


async def test_each_is_visited_about_when_it_asked(wheel: TimerWheel, clock: Clock) -> None:
    items = [Visited(clock) for _ in range(50)]
    for i, item in enumerate(items):
        wheel.file(item, 1000 + i / 7)
    turn(wheel, clock, 10)
    for i, item in enumerate(items):
        assert len(item.visits) == 1
        assert -TICK <= item.visits[0] - i / 7 <= 2 * TICK


async def test_an_item_that_answers_a_time_is_visited_again(wheel: TimerWheel, clock: Clock) -> None:
    item = Visited(clock, 5.0, 9.0)
    wheel.file(item, 1001.0)
    turn(wheel, clock, 20)
    assert item.visits == pytest.approx([1, 5, 9], abs=2 * TICK)


async def test_an_overdue_item_is_visited_at_the_next_tick(wheel: TimerWheel, clock: Clock) -> None:
    item = Visited(clock, -5.0, -5.0)
    wheel.file(item, 1.0)
    turn(wheel, clock, 1)
    assert item.visits == pytest.approx([0.1, 0.2, 0.3], abs=2 * TICK)


async def test_an_item_beyond_a_turn_is_visited_once_a_turn(wheel: TimerWheel, clock: Clock) -> None:
    round_ = SLOTS * TICK
    item = Visited(clock, 2.5 * round_, 2.5 * round_)
    wheel.file(item, 1000 + 2.5 * round_)
    turn(wheel, clock, 3 * round_)
    assert item.visits == pytest.approx([round_, 2 * round_, 2.5 * round_], abs=3 * TICK)


async def test_a_loop_that_was_held_up_leaves_nobody_out(wheel: TimerWheel, clock: Clock) -> None:
    items = [Visited(clock) for _ in range(20)]
    for i, item in enumerate(items):
        wheel.file(item, 1000 + i / 10)
    turn(wheel, clock, 5, step=5)
    assert all(item.visits for item in items)


async def test_an_empty_wheel_stands_still(wheel: TimerWheel, clock: Clock) -> None:
    assert not running(wheel)
    wheel.file(Visited(clock), 1000.1)
    assert running(wheel)
    turn(wheel, clock, 1)
    assert not running(wheel)
    late = Visited(clock)
    clock.now += 1000
    wheel.file(late, clock.now + 1)
    due = clock.now + 1 - 1000
    turn(wheel, clock, 2)
    assert late.visits == pytest.approx([due], abs=2 * TICK)


async def test_a_wheel_that_was_stopped_leaves_no_timer_behind(wheel: TimerWheel, clock: Clock) -> None:
    wheel.file(Visited(clock), 1001.0)
    timer = wheel._timer
    assert timer is not None
    wheel.stop()
    assert timer.cancelled()


async def test_an_item_that_was_removed_is_neither_visited_nor_kept(wheel: TimerWheel, clock: Clock) -> None:
    item, other = Visited(clock), Visited(clock)
    wheel.file(item, 1001.0)
    wheel.file(other, 1001.0)
    wheel.remove(item)
    wheel.remove(item)
    assert len(wheel) == 1
    assert not any(item in slot for slot in wheel._slots)
    turn(wheel, clock, 3)
    assert (len(item.visits), len(other.visits)) == (0, 1)
