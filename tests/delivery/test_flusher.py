"""The flush: few writes, in turns, and no topic waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.serving import PATIENCE
from tidings.delivery import flusher as module
from tidings.delivery.flusher import QUANTUM, Flusher
from tidings.delivery.live_topic import IDLE, PAGE, PAGE_BYTES, WINDOW_EVENTS, LiveTopic
from tidings.delivery.memory import WindowMemory
from tidings.delivery.position import Position
from tidings.events import Event, Offset
from tidings.log.head import Head
from tidings.wire.sse import Format

PLAIN, ENVELOPE = Format(), Format(envelope=True)


class Reader:
    """A subscription as a flush sees it. Each write appends the reader's name to `order`."""

    def __init__(self, name: str, live: LiveTopic, order: list[str], form: Format = PLAIN) -> None:
        self.name, self.order, self.format = name, order, form
        self.position = Position(live, live.tail)
        self.written: list[bytes] = []
        self.kicked = self.ended = 0
        self.fails = self.full = False
        subscription: Any = self
        live.level[subscription] = self.position

    def write(self, body: bytes, live: LiveTopic) -> None:
        self.order.append(self.name)
        if self.fails:
            raise ValueError("on purpose")
        self.written.append(body)

    def kick(self) -> None:
        self.kicked += 1

    def close(self) -> None:

        self.ended += 1


class Clock:
    """Stands still, but for what `ticks` says passes at each look."""

    def __init__(self) -> None:
        self.now, self.ticks = 100.0, 0.0

    def __call__(self) -> float:
        self.now += self.ticks
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "monotonic", made)
    return made


@pytest.fixture
async def flusher(clock: Clock) -> Flusher:
    return Flusher()


def live(name: str = "a") -> LiveTopic:
    made = LiveTopic(name, WindowMemory())
    made.begin(Head("E"))
    made.readers = 1
    return made


def add(live: LiveTopic, count: int, size: int = 1) -> None:
    first = live.head
    events = [Event("t", Offset("E", n), "message", "x" * size, 0.0) for n in range(first + 1, first + count + 1)]
    assert live.append(first, events)


async def settled(*topics: LiveTopic) -> None:
    await until(lambda: all(each.state == IDLE for each in topics))


async def until(reached: Callable[[], object]) -> None:
    """Turn the loop until then: a flush tells nobody how far it is."""
    async with asyncio.timeout(PATIENCE):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_all_that_has_come_is_one_write_for_each_reader(flusher: Flusher) -> None:
    one = live()
    readers = [Reader(str(n), one, [], ENVELOPE if n % 2 else PLAIN) for n in range(100)]
    for _ in range(5):
        add(one, 10)
        flusher.arm(one)
    await settled(one)
    assert all(len(reader.written) == 1 for reader in readers)
    assert (flusher.writes, flusher.deliveries) == (100, 5000)
    assert all(reader.written[0] is readers[i % 2].written[0] for i, reader in enumerate(readers)), "encoded once"
    assert one.visible == one.head == 50


async def test_a_quiet_topic_does_not_wait_for_a_large_one(flusher: Flusher, clock: Clock) -> None:
    """The quiet topic has its turn after a quantum of the large one."""
    clock.ticks = 2 * module.SLICE
    order: list[str] = []
    hot, quiet = live("hot"), live("quiet")
    for _ in range(1000):
        Reader("hot", hot, order)
    Reader("quiet", quiet, order)
    for each in (hot, quiet):
        add(each, 1)
        flusher.arm(each)
    await settled(hot, quiet)
    assert order.index("quiet") <= 2 * QUANTUM
    assert len(order) == 1001


async def test_the_loop_has_its_turn(flusher: Flusher, clock: Clock) -> None:
    """However many readers there are: a slice, then everybody else."""
    clock.ticks = 2 * module.SLICE
    hot = live()
    for _ in range(320):
        Reader("hot", hot, [])
    add(hot, 1)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while hot.state != IDLE:
            turns += 1
            await asyncio.sleep(0)

    flusher.arm(hot)
    await others()
    assert turns >= 320 // QUANTUM


@pytest.mark.parametrize(("took", "slices"), [(0.0, 11), (0.004, 11), (0.026, 4), (0.2, 3)])
async def test_a_loop_of_long_turns_gives_longer_slices(
    flusher: Flusher, clock: Clock, took: float, slices: int
) -> None:
    """Each quantum of 32 readers takes 2.1 ms. A slice after the first is a quarter of the turn before, 1 to 10 ms."""
    one = live()

    class Slow(Reader):
        def write(self, body: bytes, live: LiveTopic) -> None:
            super().write(body, live)
            clock.now += 0.0021 / QUANTUM

    readers = [Slow("slow", one, []) for _ in range(10 * QUANTUM)]
    add(one, 1)
    begun: list[int] = []

    async def others() -> None:
        while one.state != IDLE:
            clock.now += took
            begun.append(sum(len(reader.written) for reader in readers))
            await asyncio.sleep(0)

    flusher.arm(one)
    await others()
    assert len(set(begun) - {0}) == slices - 1, begun


@pytest.mark.parametrize(("took", "gap"), [(0.0, 0.0), (0.001, 0.003), (0.1, 0.005)])
async def test_the_gap_is_three_times_the_flush_and_at_most_5_ms(
    flusher: Flusher, clock: Clock, took: float, gap: float
) -> None:
    """A small audience never waits, and a large one takes no more than its share."""
    one = live()

    class Slow(Reader):
        def write(self, body: bytes, live: LiveTopic) -> None:
            clock.now += took

    Slow("slow", one, [])
    add(one, 1)
    flusher.arm(one)
    await settled(one)
    assert one.flush_at - clock.now == pytest.approx(gap)


async def test_an_event_during_a_flush_is_in_the_next_flush(flusher: Flusher, clock: Clock) -> None:
    clock.ticks = 2 * module.SLICE
    one = live()
    readers = [Reader("r", one, []) for _ in range(3 * QUANTUM)]
    add(one, 1)
    flusher.arm(one)
    await until(lambda: readers[0].written)
    assert not readers[-1].written
    add(one, 1)
    flusher.arm(one)
    clock.ticks = 0
    await settled(one)
    assert all(len(reader.written) == 2 for reader in readers)
    assert {reader.position.n for reader in readers} == {2}


async def test_a_batch_larger_than_a_page_is_several_writes(flusher: Flusher) -> None:
    one = live()
    reader = Reader("r", one, [])
    add(one, 3 * WINDOW_EVENTS, 1000)
    flusher.arm(one)
    await settled(one)
    assert all(len(body) < 1.2 * PAGE_BYTES for body in reader.written)
    assert b"".join(reader.written).count(b"id: ") == 3 * WINDOW_EVENTS
    assert reader.position.n == one.head


async def test_a_failing_reader_ends_and_the_others_go_on(flusher: Flusher, caplog: pytest.LogCaptureFixture) -> None:
    one = live()
    readers = [Reader(str(n), one, []) for n in range(3)]
    readers[1].fails = True
    for count in (1, 2):
        add(one, 1)
        flusher.arm(one)
        await settled(one)
        assert len(readers[0].written) == len(readers[2].written) == count
    assert readers[1].ended
    assert "on purpose" in caplog.text


async def test_a_reader_elsewhere_catches_up_by_itself(flusher: Flusher) -> None:
    """A reader that is behind or in another life catches up by itself. A reader that has the events already waits."""
    one = live()
    add(one, 5)
    one.visible = 5
    readers = [Reader(name, one, []) for name in ("behind", "there", "ahead", "foreign", "level")]
    behind, there, ahead, foreign, _ = readers
    behind.position.n = 3
    there.position.n = 6
    ahead.position.n = 9
    foreign.position.epoch = "F"
    add(one, 1)
    flusher.arm(one)
    await settled(one)
    assert [len(reader.written) for reader in readers] == [0, 0, 0, 0, 1]
    assert [bool(reader.kicked) for reader in readers] == [True, False, False, True, False]


async def test_more_redactions_than_a_page_are_announced_in_several_flushes(flusher: Flusher) -> None:
    one = live()
    reader = Reader("r", one, [])
    one.redact([(n, "m") for n in range(1, PAGE + 2)], PAGE + 1)
    flusher.arm(one)
    await settled(one)
    assert one.said == PAGE + 1
    assert [body.count(b"event: tidings.redacted") for body in reader.written] == [PAGE, 1]


async def test_a_lane_that_starts_over_in_the_middle_writes_no_more_of_it(flusher: Flusher, clock: Clock) -> None:
    clock.ticks = 2 * module.SLICE
    one = live()
    readers = [Reader("r", one, []) for _ in range(3 * QUANTUM)]
    add(one, 1)
    flusher.arm(one)
    await until(lambda: readers[0].written)
    one.begin(Head("E", tail=400))
    clock.ticks = 0
    await settled(one)
    assert [len(reader.written) for reader in readers] == [1] * QUANTUM + [0] * (2 * QUANTUM)
    assert all(reader.kicked for reader in readers[QUANTUM:])


async def test_the_end_is_looked_for_by_everybody(flusher: Flusher) -> None:
    one = live()
    readers = [Reader("r", one, []) for _ in range(3)]
    add(one, 1)
    one.closed = True
    flusher.arm(one)
    await settled(one)
    assert [(len(reader.written), reader.kicked) for reader in readers] == [(1, 1)] * 3


async def test_a_topic_that_is_closed_during_its_last_flush_still_ends(flusher: Flusher, clock: Clock) -> None:
    """Closing adds no event, and the readers written to before it had no reason to look for an end."""
    clock.ticks = 2 * module.SLICE
    one = live()
    readers = [Reader("r", one, []) for _ in range(3 * QUANTUM)]
    add(one, 1)
    flusher.arm(one)
    await until(lambda: readers[0].written)
    one.closed = True
    flusher.arm(one)
    await settled(one)
    assert all(b"".join(reader.written).count(b"data") == reader.kicked == 1 for reader in readers)


async def test_a_transient_event_that_comes_during_a_flush_does_not_wait_for_the_next_commit(
    flusher: Flusher, clock: Clock
) -> None:
    clock.ticks = 0.01  # the loop has its turn after each 32 readers
    one = live()
    readers = [Reader(str(n), one, []) for n in range(QUANTUM + 1)]
    typing = Event("t", None, "typing", "{}", 0.0)
    add(one, 1)
    flusher.arm(one)
    await until(lambda: readers[0].written)
    assert not readers[-1].written, "the flush is still under way"
    one.transient.append(typing)
    flusher.arm(one)
    await until(lambda: all(len(reader.written) == 2 for reader in readers))
    assert all(reader.written[1] == b"event: typing\ndata: {}\n\n" for reader in readers)
