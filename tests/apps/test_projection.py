"""States of topics: as the whole log would have it, from a snapshot and the rest, on any process."""

from __future__ import annotations

import asyncio
from collections import Counter
from copy import copy
from functools import partial
from typing import Any

import msgspec
import pytest

from tidings import Hub
from tidings.apps import projection, snapshots
from tidings.apps.projection import EVERY, KEPT, Projections, ignore
from tidings.apps.snapshots import SNAPSHOTS, Snapshot
from tidings.events import ORIGIN, Event, Offset, Retention
from tidings.stores import open_store


class Sums(msgspec.Struct):
    """The state of these tests: the sum of a topic's numbers, and their count."""

    total: int = 0
    count: int = 0


class Texts(msgspec.Struct):
    """All the texts of a topic."""

    texts: list[str] = []


def apply(sums: Sums, event: Event) -> None:
    sums.total += int(event.data)
    sums.count += 1


def folded(hub: Hub, version: int = 1, keep: int = KEPT, changed: Any = ignore) -> Projections[Sums]:
    return Projections(hub, Sums, apply, version=version, keep=keep, changed=changed)


async def publish(hub: Hub, numbers: range, topic: str = "t") -> Offset:
    return (await hub.log.append(topic, [("n", str(n)) for n in numbers])).last


async def snapshot(hub: Hub, topic: str = "t") -> dict[str, Any]:
    """The topic's snapshot, once there is one."""
    async with asyncio.timeout(60):
        async for event in hub.subscribe(f"{SNAPSHOTS}.{topic}", "earliest"):
            if event.type == "snapshot.part":
                found: dict[str, Any] = msgspec.json.decode(event.data)
                return found
    raise AssertionError


class Counting:
    """A store that counts what is asked of it, but for topics that begin with `ignored`."""

    def __init__(self, store: Any, ignored: str | None = None) -> None:
        self._store = store
        self._ignored = ignored
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name not in ("load", "read", "topics"):
            return method

        def counted(*args: Any, **options: Any) -> Any:
            if self._ignored is None or not (args and args[0].startswith(self._ignored)):
                self.calls[name] += 1
            return method(*args, **options)

        return counted


async def test_a_state_is_as_new_as_its_log(hub: Hub) -> None:
    sums = folded(hub)
    assert (await sums.get("t")).offset == ORIGIN
    tail = await publish(hub, range(10))
    found = await sums.get("t")
    assert (found.state, found.offset) == (Sums(45, 10), tail)
    for n in range(10, 20):
        tail = await publish(hub, range(n, n + 1))
        assert (await sums.get("t")).offset == tail
    assert (await sums.get("t")).state == Sums(190, 20)


async def test_a_state_that_follows_its_topic_needs_no_look(hub: Hub) -> None:
    heard: list[int] = []
    sums = folded(hub, changed=lambda _, events: heard.extend(int(event.data) for event in events))
    await publish(hub, range(3))
    found = await sums.following("t")
    tail = await publish(hub, range(3, 6))
    async with asyncio.timeout(60):
        while found.offset != tail:  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0)
    assert found is await sums.get("t", fresh=False)
    assert (found.state, heard) == (Sums(15, 6), [0, 1, 2, 3, 4, 5])


async def test_a_level_state_holds_every_event_that_a_reader_is_given(tmp_path: Any) -> None:
    """Also those of other processes, and those that come many at a time."""
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        sums = folded(two)
        await publish(one, range(1))
        found = await sums.following("t")
        assert found.level

        async def write() -> None:
            for n in range(1, 100, 3):
                await publish((one, two)[n % 2], range(n, n + 3))

        writing = asyncio.create_task(write())
        async for event in two.subscribe("t", found.offset):
            assert event.offset
            assert found.level
            assert found.holds(event.offset)
            if event.offset.n == 100:
                break
        await writing


async def test_a_state_whose_topic_ran_ahead_is_not_level_until_it_has_caught_up(hub: Hub) -> None:
    told: list[tuple[bool, int]] = []
    sums = folded(hub, changed=lambda found, events: told.append((found.level, len(events))))
    await publish(hub, range(1))
    found = await sums.following("t")
    found.offset = found.offset._replace(n=0)  # as if an event had been skipped
    told.clear()
    await publish(hub, range(1, 2))
    async for _ in hub.subscribe("t", found.offset._replace(n=1)):
        break
    assert told[0] == (False, 0), "readers may have lost their rights meanwhile"
    again = await sums.following("t")
    assert (again.level, again.offset.n) == (True, 2)


async def test_many_readers_of_a_fresh_state_share_a_look() -> None:
    store = open_store("memory:")
    async with Hub(store) as hub:
        sums = folded(hub)
        await publish(hub, range(10))
        hub.log.store = counting = Counting(store)  # type: ignore[assignment]
        states = await asyncio.gather(*[sums.get("t") for _ in range(100)])
        assert {state.offset.n for state in states} == {10}
        assert counting.calls.total() <= 6


async def test_both_ways_of_getting_on_take_each_event_once(hub: Hub) -> None:
    sums = folded(hub)
    await publish(hub, range(1))
    await sums.following("t")
    for n in range(1, 100):
        await publish(hub, range(n, n + 1))
        if n % 3 == 0:
            await sums.get("t")
        elif n % 7 == 0:
            await asyncio.sleep(0.006)
    assert (await sums.get("t")).state == Sums(sum(range(100)), 100)


async def test_a_snapshot_and_the_rest_are_the_whole_log(hub: Hub) -> None:
    first = folded(hub)
    await publish(hub, range(EVERY + 7))
    await first.get("t")
    taken = await snapshot(hub)
    tail = await publish(hub, range(5))
    assert taken == {"total": sum(range(EVERY + 7)), "count": EVERY + 7}
    found = await folded(hub).get("t")
    assert (found.state, found.offset) == (Sums(sum(range(EVERY + 7)) + 10, EVERY + 12), tail)


async def test_only_one_snapshot_is_kept(hub: Hub) -> None:
    sums = folded(hub)
    for _ in range(5):
        tail = await publish(hub, range(EVERY))
        await sums.get("t")
        async with asyncio.timeout(60):
            async for event in hub.subscribe(f"{SNAPSHOTS}.t", "earliest"):
                if event.type == "snapshot" and event.json()["offset"] == str(tail):
                    break
    async with asyncio.timeout(60):
        # A snapshot is two events here: its text, and the description of it.
        while (await hub.read(f"{SNAPSHOTS}.t")).earliest.n < 9:  # noqa: ASYNC110 (trimming tells nobody)
            await asyncio.sleep(0.01)


async def test_a_snapshot_follows_an_event_that_must_outlive_the_log(hub: Hub) -> None:
    sums = Projections(hub, Sums, apply, version=1, lasting=["kept"])
    await hub.log.append("t", [("n", "1"), ("kept", "2")])
    await sums.get("t")
    assert await snapshot(hub) == {"total": 3, "count": 2}
    await hub.log.append("t", [("n", "4"), ("n", "8")])
    await hub.configure("t", retention=Retention(max_events=1))
    await hub.log.trim("t")
    assert (await hub.read("t")).earliest.n == 3
    assert (await folded(hub).get("t")).state == Sums(15, 4)


async def parts(hub: Hub) -> int:
    """The number of parts of the topic's first snapshot, once it is written."""
    async with asyncio.timeout(60):
        async for event in hub.subscribe(f"{SNAPSHOTS}.t", "earliest"):
            if event.type == "snapshot":
                return int(event.json()["parts"])
    raise AssertionError("the topic was closed")


async def test_a_large_state_has_a_snapshot_of_several_events(hub: Hub) -> None:
    texts = Projections(hub, Texts, lambda state, event: state.texts.append(event.data), version=1)
    long = "\u00e9" * 400_000
    for n in range(EVERY):
        await hub.publish("t", long if n < 3 else "x", "n")
    await texts.get("t")
    assert await parts(hub) > 4
    again = Projections(hub, Texts, lambda state, event: state.texts.append(event.data), version=1)
    found = await again.get("t")
    assert found.saved == EVERY, "it begins at the snapshot"
    assert found.state.texts == [long] * 3 + ["x"] * (EVERY - 3)


async def test_a_state_may_have_its_own_form_of_a_snapshot(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snapshot is written in several appends, and the longer the log is, the less often."""
    monkeypatch.setattr(snapshots, "PART", 4)
    monkeypatch.setattr(snapshots, "PARTS", 2)
    forms: dict[str, Any] = {
        "freeze": lambda sums: partial("{0.total:08}/{0.count:08}".format, copy(sums)),
        "thaw": lambda text: Sums(*map(int, text.split("/"))),
        "growth": 2.0,
    }
    sums = Projections(hub, Sums, apply, version=1, **forms)
    await publish(hub, range(EVERY))
    await sums.get("t")
    assert await parts(hub) == 5
    await publish(hub, range(EVERY))
    assert (await sums.get("t")).saved == EVERY, "twice as many events are needed for the next"
    again = await Projections(hub, Sums, apply, version=1, **forms).get("t")
    assert again.saved == EVERY
    assert again.state == Sums(2 * sum(range(EVERY)), 2 * EVERY)
    assert (await folded(hub).get("t")).state == again.state, "another form is not read"


async def test_a_large_state_is_written_when_its_topic_pauses_or_the_hub_is_closed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection, "QUIET", 600.0)
    forms: dict[str, Any] = {
        "freeze": lambda sums: partial("{0.total:08}/{0.count:08}".format, copy(sums)),
        "thaw": lambda text: Sums(*map(int, text.split("/"))),
    }
    sums = Projections(hub, Sums, apply, version=1, **forms)
    for _ in range(2):
        await publish(hub, range(EVERY))
        assert (await sums.get("t")).saved == 0, "events still come"
    await sums.close()
    assert (await Projections(hub, Sums, apply, version=1, **forms).get("t")).saved == 2 * EVERY
    tail = (await hub.describe(f"{SNAPSHOTS}.t")).tail
    await sums.close()
    assert (await hub.describe(f"{SNAPSHOTS}.t")).tail == tail, "nothing is due"


@pytest.mark.parametrize("spoiled", ["version", "epoch", "ahead", "text"])
async def test_a_snapshot_that_does_not_fit_is_not_taken(hub: Hub, spoiled: str) -> None:
    tail = await publish(hub, range(EVERY + 1))
    version, offset, state = {
        "version": (2, tail, '{"total": -1, "count": -1}'),
        "epoch": (1, "zzz-5", '{"total": -1, "count": -1}'),
        "ahead": (1, tail._replace(n=9999), '{"total": -1, "count": -1}'),
        "text": (1, tail, '{"total": "many"}'),
    }[spoiled]
    wrong = msgspec.json.encode(Snapshot(version, str(offset), 1)).decode()
    await hub.log.append(f"{SNAPSHOTS}.t", [("snapshot.part", state), ("snapshot", wrong)])
    assert (await folded(hub).get("t")).state == Sums(sum(range(EVERY + 1)), EVERY + 1)


async def test_a_topic_that_is_deleted_and_made_again_is_another(hub: Hub) -> None:
    heard: list[int] = []
    sums = folded(hub, changed=lambda _, events: heard.append(len(events)))
    await publish(hub, range(EVERY + 1))
    found = await sums.following("t")
    await snapshot(hub)
    heard.clear()
    await hub.delete("t")
    assert (await sums.get("t")).state == Sums()
    assert set(heard) == {0}
    await publish(hub, range(4))
    assert (await sums.get("t")).state == Sums(6, 4)
    assert (await folded(hub).get("t")).state == Sums(6, 4)
    del found


async def test_reads_of_the_store_do_not_grow_with_the_log() -> None:
    """A room of 100,000 events is opened by another process as fast as one of 2,000."""
    asked = []
    for count in (2_000, 100_000):
        store = open_store("memory:")
        async with Hub(store) as hub:
            writer = folded(hub)
            for n in range(0, count, 1_000):
                await publish(hub, range(n, n + 1_000))
            await writer.get("t")
            await snapshot(hub)
            counting = Counting(store)
            hub.log.store = counting  # type: ignore[assignment]
            found = await folded(hub).get("t")
            assert found.state.count == count
            asked.append(counting.calls)
    assert asked[0] == asked[1]
    assert asked[1].total() <= 8


async def test_no_more_states_are_kept_than_there_is_room_for(hub: Hub) -> None:
    sums = folded(hub, keep=16)
    await publish(hub, range(3), "pinned")
    pinned = await sums.get("pinned")
    release = sums.pin(pinned)
    for n in range(21):
        await publish(hub, range(1), f"t{n}")
        await sums.get(f"t{n}")
    assert sums.kept("t0") is None
    assert sums.kept("pinned") is pinned
    assert (await sums.get("t0")).state.count == 1
    for n in range(21):
        assert (await sums.get(f"nothing{n}")).offset == ORIGIN
    assert sums.kept("t20") is not None, "topics that are not there take nobody's place"
    release()


async def test_two_processes_fold_alike(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        here, there = folded(one), folded(two)
        for n in range(30):
            tail = await publish((one, two)[n % 2], range(n, n + 1))
            found = await (there, here)[n % 2].get("t")
            assert (found.offset, found.state.count) == (tail, n + 1)
