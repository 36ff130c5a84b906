"""The promises of a store by itself: the port."""

from __future__ import annotations

import asyncio
import math

import pytest

from tests.stores.kit import Clock, Connect, labelled, put, until
from tidings.errors import OutcomeUnknown, Unavailable
from tidings.events import ORIGIN, Offset, Retention
from tidings.log import port
from tidings.log.head import Change, Head, Known
from tidings.log.port import Plan, Seal, Store
from tidings.log.records import Record


class PortSuite:
    # ------------------------------------------------------------ the port

    async def test_a_new_store_is_empty(self, store: Store) -> None:
        assert await store.load("a") is None
        assert await store.read("a", 0, 10) == (None, ())
        assert list(await store.topics()) == []
        assert list(await store.lapsed()) == []

    async def test_an_update_writes_head_and_record(self, connect: Connect, store: Store) -> None:
        known = await store.update(
            "a", (), put(3, closed=True, retention=Retention(60.0, 5, 1000), ttl=9.5, touched=7.25)
        )
        head = Head("epoch1", tail=3, closed=True, retention=Retention(60.0, 5, 1000), ttl=9.5, touched=7.25)
        assert known.head == head
        other = await connect()
        assert await other.load("a") == head
        found, records = await other.read("a", 0, 10)
        assert (found, list(records)) == (head, [Record(0, 3, b"id\0\0\0\0", bytes(10))])

    async def test_a_plan_that_answers_none_writes_nothing(self, store: Store) -> None:
        await store.update("a", (), put(2))
        known = await store.update("a", (), lambda known: None)
        assert known.head is not None
        assert known.head.tail == 2
        assert (await store.update("b", (), lambda known: None)).head is None
        assert [name for name, _ in await store.topics()] == ["a"]

    async def test_a_plan_that_fails_fails_alone(self, store: Store) -> None:
        def broken(known: Known) -> Change | None:
            raise ZeroDivisionError

        before, failed, after = await asyncio.gather(
            store.update("a", (), put()), store.update("b", (), broken), store.update("a", (), put()),
            return_exceptions=True,
        )  # fmt: skip
        assert isinstance(before, Known)
        assert isinstance(failed, ZeroDivisionError)
        assert isinstance(after, Known)
        assert after.head == Head("epoch1", tail=2)
        assert await store.load("b") is None

    async def test_the_second_of_two_updates_sees_the_first(self, connect: Connect) -> None:
        stores = [await connect() for _ in range(3)]
        await asyncio.gather(*(store.update("a", (), put()) for store in stores for _ in range(30)))
        head, records = await stores[0].read("a", 0, 1000)
        assert head is not None
        assert head.tail == 90
        assert [(record.base, record.last) for record in records] == [(n, n + 1) for n in range(90)]

    async def test_updates_of_one_caller_are_changes_in_their_order(self, store: Store) -> None:
        seen: list[int] = []

        def plan(n: int) -> Plan:
            def noted(known: Known) -> Change | None:
                seen.append(n)
                return put()(known)

            return noted

        await asyncio.gather(*(store.update("a", (), plan(n)) for n in range(20)))
        assert seen == list(range(20))

    async def test_a_page_holds_enough_records_and_not_many_more(self, store: Store) -> None:
        for n in (1, 4, 1, 5, 1):
            await store.update("a", (), put(n))

        async def bases(after: int, limit: int) -> list[int]:
            return [record.base for record in (await store.read("a", after, limit))[1]]

        assert await bases(0, 1) == [0]
        assert await bases(0, 2) == [0, 1]
        assert await bases(0, 5) == [0, 1]
        assert await bases(0, 6) == [0, 1, 5]
        assert await bases(3, 1) == [1]
        assert await bases(5, 100) == [5, 6, 11]
        assert await bases(12, 100) == []
        assert await bases(99, 100) == []

    async def test_a_page_is_bounded_in_bytes_but_holds_a_record(self, store: Store) -> None:
        for size in (port.PAGE + 1, 10, port.PAGE - 10, 1, 1):
            await store.update("a", (), put(size=size))
        assert [len(record.blob) for record in (await store.read("a", 0, 100))[1]] == [port.PAGE + 1]
        assert [len(record.blob) for record in (await store.read("a", 1, 100))[1]] == [10, port.PAGE - 10]

    async def test_a_moved_start_drops_whole_records(self, store: Store) -> None:
        for n in (2, 2, 2):
            await store.update("a", (), put(n))
        await store.update("a", (), lambda known: Change(Head("epoch1", start=4, tail=6)))
        head, records = await store.read("a", 0, 100)
        assert head == Head("epoch1", start=4, tail=6)
        assert [record.base for record in records] == [4]

    async def test_a_record_is_replaced_in_its_place(self, connect: Connect, store: Store) -> None:
        for n in (2, 3, 1):
            await store.update("a", (), put(n))
        other = await connect()
        feed = other.changes()
        assert await anext(feed) is None
        new = Record(2, 5, b"id\0\0\0\2", b"new")
        await store.update("a", (), lambda known: Change(Head("epoch1", tail=6, redactions=1), replaced=[new]))
        await until(feed, "a", ORIGIN)
        for each in (store, other):
            head, records = await each.read("a", 0, 100)
            assert head == Head("epoch1", tail=6, redactions=1)
            assert [(record.base, record.last) for record in records] == [(0, 2), (2, 5), (5, 6)]
            assert records[1] == new

    async def test_topics_are_due_in_time(self, connect: Connect, store: Store, clock: Clock) -> None:
        now = clock.now
        for name, ttl, touched in (("late", 5.0, now), ("soon", 2.0, now), ("moved", 1.0, now), ("never", None, now)):
            await store.update(name, (), put(ttl=ttl, touched=touched))
        await store.update("moved", (), put(ttl=1.0, touched=now + 9))
        await store.update("aged", (), put(retention=Retention(max_age=3.0), oldest=now))
        await store.update("gone", (), put(ttl=1.0, touched=now))
        await store.update("gone", (), lambda known: Change(None))
        other = await connect()

        async def names(at: float, limit: int = 100) -> set[str]:
            return {name for name, _ in await other.due(now + at, limit)}

        assert await names(1.9) == set()
        assert await names(2.0) == {"soon"}
        assert await names(4.0) == {"soon", "aged"}
        assert len(await names(9.9, 2)) == 2
        assert await names(9.9) == {"soon", "late", "aged"}
        assert await names(10.0) == {"soon", "late", "aged", "moved"}
        assert dict(await other.due(now + 2.0))["soon"] == Head("epoch1", tail=1, ttl=2.0, touched=now)

    async def test_keys_are_known_for_a_day(self, connect: Connect, store: Store, clock: Clock) -> None:
        await store.update("a", ("k", "other"), put(2, keys=("k",)))
        await store.update("b", (), put(1))
        seen: list[dict[str, tuple[int, int]]] = []

        def look(known: Known) -> None:
            seen.append(dict(known.seen))

        clock.now += port.KEYS - 1
        await (await connect()).update("a", ("k", "other"), look)
        await store.update("a", (), look)
        await store.update("b", ("k",), look)
        clock.now += 1
        await store.update("a", ("k",), look)
        assert seen == [{"k": (1, 2)}, {}, {}, {}]
        await store.update("a", ("k",), put(1, keys=("k",)))
        await store.update("a", ("k",), look)
        assert seen[-1] == {"k": (3, 3)}

    async def test_an_update_sees_the_keys_of_those_before_it_at_once(self, store: Store) -> None:
        seen: list[dict[str, tuple[int, int]]] = []

        def look(known: Known) -> None:
            seen.append(dict(known.seen))

        await asyncio.gather(store.update("a", ("k",), put(keys=("k",))), store.update("a", ("k",), look))
        assert seen == [{"k": (1, 1)}]

    async def test_deleting_takes_all(self, connect: Connect, store: Store) -> None:
        await store.update("a", (), put(2, keys=("k",)))
        await store.lease("a", 100, renew=False)
        assert (await store.update("a", (), lambda known: Change(None))).head is None
        other = await connect()
        assert await other.read("a", 0, 10) == (None, ())
        assert list(await other.topics()) == []
        assert not await other.lease("a", 100, renew=True)
        seen: list[Known] = []

        def again(known: Known) -> Change:
            seen.append(known)
            return put(1)(known)

        await other.update("a", ("k",), again)
        assert seen == [Known(None, {})]
        assert [record.base for record in (await store.read("a", 0, 10))[1]] == [0]

    async def test_a_fresh_life_has_nothing_of_the_old(self, store: Store) -> None:
        await store.update("a", (), put(2, keys=("k",)))
        await store.lease("a", 100, renew=False)
        new = Head("epoch2", tail=1)
        await store.update("a", (), lambda known: Change(new, [Record(0, 1, b"x", b"y")], (), fresh=True))
        assert await store.read("a", 0, 10) == (new, [Record(0, 1, b"x", b"y")])
        assert not await store.lease("a", 100, renew=True)
        seen: list[Known] = []
        await store.update("a", ("k",), lambda known: seen.append(known))  # type: ignore[func-returns-value]
        assert seen == [Known(new, {})]

    async def test_all_at_once_on_one_topic_comes_out_as_one_after_another(self, store: Store) -> None:
        def gone(known: Known) -> Change | None:
            return Change(None)

        await asyncio.gather(
            *(store.update("a", (), plan) for plan in (put(2), gone, put(1), gone, gone, put(3), put(1)))
        )
        head, records = await store.read("a", 0, 10)
        assert head == Head("epoch1", tail=4)
        assert [(record.base, record.last) for record in records] == [(0, 3), (3, 4)]

    async def test_topics_come_in_byte_order_by_pages(self, store: Store) -> None:
        names = ["b", "a.b", "a", "a-b", "a.b.c", "a.B", "aa", "a_b", "A", "c", "a.b-c", "9"]
        await asyncio.gather(*(store.update(name, (), put()) for name in names))

        async def listed(**options: object) -> list[str]:
            return [name for name, _ in await store.topics(**options)]  # type: ignore[arg-type]

        assert await listed() == sorted(names)
        assert await listed(limit=5) == sorted(names)[:5]
        assert await listed(after=sorted(names)[4]) == sorted(names)[5:]
        assert await listed(prefix="a.b") == ["a.b", "a.b-c", "a.b.c"]
        assert await listed(prefix="a.b", after="a.b", limit=1) == ["a.b-c"]
        assert await listed(prefix="zz") == []
        assert dict(await store.topics())["a.B"] == Head("epoch1", tail=1)

    async def test_topics_are_found_by_their_labels(self, connect: Connect, store: Store) -> None:
        for name, labels in (("b", ("x", "y")), ("a.2", ("x",)), ("a.1", ("é", "x")), ("c", ()), ("a.3", ("y",))):
            await store.update(name, (), labelled(**dict.fromkeys(labels, True)))
        other = await connect()

        async def listed(*labels: str, **options: object) -> list[str]:
            return [name for name, _ in await other.topics(labels=labels, **options)]  # type: ignore[arg-type]

        assert await listed("x") == ["a.1", "a.2", "b"]
        assert await listed("y", "x", "none") == ["a.1", "a.2", "a.3", "b"]
        assert await listed("y", "x", limit=2) == ["a.1", "a.2"]
        assert await listed("x", "y", prefix="a.", after="a.1") == ["a.2", "a.3"]
        assert await listed() == await listed("none") == []
        assert dict(await other.topics(labels=["é"]))["a.1"] == await other.load("a.1")
        assert await listed(*(f"l{n}" for n in range(1_100)), "é") == ["a.1"]
        assert list(await other.labels()) == ["x", "y", "é"]
        assert list(await other.labels(after="x", limit=1)) == ["y"]
        assert list(await other.labels(prefix="é")) == ["é"]
        assert list(await other.labels(prefix="z")) == []

    async def test_labels_change_with_the_log_and_go_with_it(self, store: Store) -> None:
        async def listed(label: str) -> list[str]:
            return [name for name, _ in await store.topics(labels=[label])]

        await store.update("a", (), labelled(x=True, y=True, z=True))
        await asyncio.gather(
            store.update("a", (), labelled(x=False, z=False, w=False)), store.update("a", (), labelled(z=True))
        )
        assert list(await store.labels()) == ["y", "z"]
        await store.update("a", (), lambda known: Change(Head("epoch2"), fresh=True, labels={"new": True}))
        assert list(await store.labels()) == ["new"]
        gone = store.update("a", (), lambda known: Change(None))
        again = store.update("a", (), labelled(again=True))
        await asyncio.gather(gone, again, store.update("b", (), labelled(x=True)))
        assert (await listed("new"), await listed("again"), await listed("x")) == ([], ["a"], ["b"])
        await store.update("a", (), lambda known: Change(None))
        assert list(await store.labels()) == ["x"]

    async def test_leases(self, connect: Connect, store: Store, clock: Clock) -> None:
        other = await connect()
        assert not await store.lease("a", 5, renew=True)
        assert await store.lease("a", 5, renew=False)
        assert await store.lease("b", 3, renew=False)
        assert await store.lease("c", 9, renew=False)
        assert list(await other.lapsed()) == []
        assert list(await other.lapsed(within=5)) == ["b", "a"]
        assert list(await other.lapsed(within=math.inf)) == ["b", "a", "c"]
        clock.now += 6
        assert list(await other.lapsed()) == ["b", "a"]
        assert list(await other.lapsed(limit=1)) == ["b"]
        assert await other.lease("b", 5, renew=True)
        assert list(await store.lapsed()) == ["a"]
        await store.release("b", lapsed=True)
        assert await store.lease("b", 5, renew=True)
        await store.release("a", lapsed=True)
        assert not await other.lease("a", 5, renew=True)
        assert await store.lease("a", 5, renew=False)
        await store.release("a")
        await store.release("a")
        assert list(await other.lapsed()) == []
        assert not await other.lease("a", 5, renew=True)

    # ------------------------------------------------------------ moving to another store

    async def test_keys_and_labels_come_with_their_times(self, connect: Connect, store: Store, clock: Clock) -> None:
        assert list(map(list, await store.extras("a", 0, 9))) == [[], []]
        for n in (2, 1, 3):
            await store.update("a", (), put(n, keys=(f"k{n}",)))
            clock.now += 1
        await store.update("a", (), labelled(z=True, é=True))
        extras = await (await connect()).extras("a", 3, 5)
        now = clock.now
        assert (sorted(map(tuple, extras.keys)), list(extras.labels)) == ([("k1", 3, 3, now - 2)], ["z", "é"])
        extras = await store.extras("a", 2, 6)
        assert sorted(map(tuple, extras.keys)) == [("k1", 3, 3, now - 2), ("k2", 1, 2, now - 3), ("k3", 4, 6, now - 1)]
        assert list((await store.extras("a", 1, 0)).keys) == []

    async def test_a_key_may_have_been_used_earlier(self, store: Store, clock: Clock) -> None:
        times = {"old": clock.now - port.KEYS + 5}
        keys = [("old", 1, 1), ("new", 1, 1)]
        await store.update("a", (), lambda known: Change(Head("epoch1", tail=1), keys=keys, times=times))
        seen: list[dict[str, tuple[int, int]]] = []
        for _ in range(2):
            await store.update("a", ("old", "new"), lambda known: seen.append(dict(known.seen)))  # type: ignore[func-returns-value]
            clock.now += 5
        assert [sorted(each) for each in seen] == [["new", "old"], ["new"]]

    async def test_a_seal_refuses_the_changes_of_every_process(self, connect: Connect, store: Store) -> None:
        other = await connect()
        await store.update("a", (), put())
        assert await other.seal() is Seal.OPEN
        for seal in (Seal.SEALED, Seal.SEALED, Seal.MOVED):
            await other.seal(seal)
            assert await store.seal() is seal
            for each in (store, other):
                for plan in (put(), lambda known: Change(None), lambda known: Change(Head("x"), fresh=True)):
                    with pytest.raises(Unavailable, match="was moved to another one") as refused:
                        await each.update("a", (), plan)
                    assert not isinstance(refused.value, OutcomeUnknown)
                with pytest.raises(Unavailable, match="was moved to another one"):
                    await each.update("new", (), put())
            assert await store.lease("a", 5, renew=False)
            assert [head.tail for _, head in await store.topics()] == [1]
        await store.seal(Seal.OPEN)
        assert await other.seal() is Seal.OPEN
        await other.update("a", (), put())
        assert [head.tail for _, head in await store.topics()] == [2]

    # ------------------------------------------------------------ changes

    async def test_a_feed_begins_with_look_at_all_and_ends_with_the_store(self, store: Store) -> None:
        changes = store.changes()
        assert await anext(changes) is None
        waiting = asyncio.ensure_future(anext(changes))
        await store.close()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, 10)

    async def test_every_feed_hears_of_every_change(self, connect: Connect, store: Store) -> None:
        other = await connect()
        feeds = [store.changes(), store.changes(), other.changes()]
        for feed in feeds:
            assert await anext(feed) is None
        await store.update("a", (), put(2))
        await asyncio.gather(*(until(feed, "a", Offset("epoch1", 2)) for feed in feeds))
        await other.update("a", (), put(1))
        await asyncio.gather(*(until(feed, "a", Offset("epoch1", 3)) for feed in feeds))
        await store.update("a", (), lambda known: Change(None))
        await asyncio.gather(*(until(feed, "a", None) for feed in feeds))

    async def test_a_change_without_events_asks_to_look(self, connect: Connect, store: Store) -> None:
        other = await connect()
        changes, slow = other.changes(), other.changes()
        assert [await anext(changes), await anext(slow)] == [None, None]
        await store.update("a", (), put(2))
        await until(changes, "a", Offset("epoch1", 2))
        await store.update("a", (), lambda known: Change(Head("epoch1", tail=2, closed=True)))
        await until(changes, "a", ORIGIN)
        await store.update("a", (), put(1))
        await until(changes, "a", Offset("epoch1", 3))
        assert await anext(slow) == {"a": ORIGIN}

    async def test_a_slow_feed_gets_changes_merged(self, store: Store) -> None:
        changes = store.changes()
        assert await anext(changes) is None
        for _ in range(5):
            await store.update("a", (), put())
        await store.update("b", (), put())
        marker = store.changes()
        assert await anext(marker) is None
        await store.update("c", (), put())
        await until(marker, "c", Offset("epoch1", 1))
        assert await anext(changes) == {name: Offset("epoch1", n) for name, n in (("a", 5), ("b", 1), ("c", 1))}

    async def test_changes_in_a_feed_can_be_read(self, connect: Connect, store: Store) -> None:
        other = await connect()
        changes = other.changes()
        assert await anext(changes) is None
        writing = asyncio.gather(*(store.update(f"t{n % 3}", (), put()) for n in range(30)))
        told = {f"t{n}": 0 for n in range(3)}
        async with asyncio.timeout(10):
            async for news in changes:
                assert isinstance(news, dict)
                for topic, tail in news.items():
                    assert tail is not None
                    head = await other.load(topic)
                    assert head is not None
                    assert head.tail >= tail.n
                    told[topic] = max(told[topic], tail.n)
                if set(told.values()) == {10}:
                    break
        await writing

    # ------------------------------------------------------------ closing

    async def test_a_closed_store_refuses(self, store: Store) -> None:
        await store.update("a", (), put())
        await store.close()
        await store.close()
        refused = [
            lambda: store.update("a", (), put()), lambda: store.load("a"), lambda: store.read("a", 0, 1),
            store.topics, lambda: store.lease("a", 1, renew=False), lambda: store.release("a"), store.lapsed,
        ]  # fmt: skip
        for call in refused:
            with pytest.raises(Unavailable):
                await call()

    async def test_closing_finishes_what_is_under_way(self, connect: Connect, store: Store) -> None:
        other = await connect()
        updates = [asyncio.ensure_future(store.update(f"t{n % 5}", (), put())) for n in range(50)]
        if store is not other:
            await store.close()
        assert [known.head.epoch for known in await asyncio.gather(*updates) if known.head] == ["epoch1"] * 50
        assert [head.tail for _, head in await other.topics()] == [10] * 5
