"""The news of a log over any store: what is lost, what was committed, and what became of the unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.stores.kit import Clock, Connect, Flaky, Logs, data_of, everything, items, quiet
from tidings.errors import Conflict, NotFound, OutcomeUnknown, Unavailable
from tidings.events import ORIGIN, Event, Offset, Page, Retention
from tidings.log import uncertain as unknown
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.log.port import Store
from tidings.log.rules import NEW, Appended


class ToldSuite:
    # ------------------------------------------------------------ the log: told of what is lost

    async def test_trimmed_is_told(self, logs: Logs) -> None:
        log, other = await logs(), await logs()
        for n in range(10):
            await log.append("a", items(str(n)))
        epoch = (await log.read("a", None)).tail.epoch
        await log.configure("a", retention=Retention(max_events=4), ttl=None)
        await log.trim("a")
        for after, data, lost in (
            (None, "6789", None), (ORIGIN, "6789", "trimmed"), (Offset(epoch, 2), "6789", "trimmed"),
            (Offset(epoch, 5), "6789", "trimmed"), (Offset(epoch, 6), "6789", None), (Offset(epoch, 8), "89", None),
            (Offset(epoch, 10), "", None),
        ):  # fmt: skip
            page = await other.read("a", after)
            assert ("".join(data_of(page)), page.lost) == (data, lost)
            assert (page.earliest, page.tail, page.next) == (Offset(epoch, 7), Offset(epoch, 10), Offset(epoch, 10))
            assert page.up_to_date

    async def test_deleted_and_re_created_are_told(self, logs: Logs) -> None:
        log, other = await logs(), await logs()
        old = (await log.append("a", items("1", "2", "3"))).last
        await log.delete("a")
        await log.delete("a")
        assert await other.read("a", old) == Page((), ORIGIN, ORIGIN, ORIGIN, True, False, "deleted")
        for after in (None, ORIGIN):
            with pytest.raises(NotFound):
                await other.read("a", after)
        new = (await log.append("a", items("new"))).last
        assert new.epoch != old.epoch
        for after in (old, Offset(old.epoch, 0), Offset(new.epoch, 2)):
            page = await other.read("a", after)
            assert (data_of(page), page.lost, page.earliest) == (["new"], "recreated", new)
        for n in range(4):  # past where the old offsets were
            await log.append("a", items(str(n)))
        for after in (old, Offset(old.epoch, 1)):
            page = await other.read("a", after)
            assert (data_of(page), page.lost, page.earliest) == (["new", *"0123"], "recreated", new)

    async def test_an_expired_topic_is_gone_before_it_is_swept(self, logs: Logs, clock: Clock) -> None:
        log, other = await logs(), await logs()
        old = (await log.append("a", items("1"), ttl=60, key="k")).last
        await log.append("b", items("stays"))
        clock.now += 59.5
        await log.append("a", items("2"))
        clock.now += 59.5
        assert (await other.describe("a")) is not None
        clock.now += 0.5
        assert await other.describe("a") is None
        assert await other.topics() == ["b"]
        assert (await other.read("a", old)).lost == "deleted"
        with pytest.raises(Conflict):
            await other.append("a", items("3"), expected=old.epoch)
        new = await other.append("a", items("new"), key="k")
        assert (new.duplicate, new.first.n, new.first.epoch == old.epoch) == (False, 1, False)
        assert (await log.read("a", old)).lost == "recreated"
        assert data_of(await everything(log, "a")) == ["new"]

    async def test_a_sweep_deletes_what_expired_and_trims_what_is_old(self, log: Journal, clock: Clock) -> None:
        deleted: list[str] = []
        log.on_delete = deleted.append
        await log.append("expires", items("1"), ttl=60)
        await log.append("stays", items("1"), ttl=61)
        await log.append("aged", items("1"), retention=Retention(max_age=30))
        clock.now += 20
        await log.append("aged", items("2"))
        await log.append("aged", items("3"))
        clock.now += 40
        await log.sweep()
        assert [name for name, _ in await log.store.topics()] == ["aged", "stays"]
        page = await log.read("aged", ORIGIN)
        assert (data_of(page), page.lost) == (["3"], "trimmed")  # the last record stays
        await asyncio.sleep(0)
        assert deleted == ["expires"]

    async def test_a_page_of_topics_is_not_cut_short_by_expired_ones(self, log: Journal, clock: Clock) -> None:
        for name in ("a", "b", "c", "d", "e"):
            await log.append(name, items("x"), ttl=10 if name in "bcd" else None)
        clock.now += 10
        assert await log.topics(limit=2) == ["a"]
        assert await log.topics(after="a", limit=2) == ["e"]
        assert await log.topics(after="e", limit=2) == []

    @pytest.mark.parametrize(
        ("retention", "left"), [(Retention(max_events=100), 112), (Retention(max_bytes=3000), 116)]
    )
    async def test_appends_keep_a_log_at_its_retention(self, log: Journal, retention: Retention, left: int) -> None:
        """By an eighth over at most; a record of one event with 8 bytes of data is 29 bytes."""
        await log.append("a", items("x"), retention=retention)
        for n in range(300):
            await log.append("a", items(f"{n:08}"))
        await quiet(log)
        head = await log.describe("a")
        assert head is not None
        assert head.tail - head.start <= left
        assert (await log.read("a", None, 1)).events[0].offset == Offset(head.epoch, head.start + 1)
        after, size = 0, 0
        while records := (await log.store.read("a", after, 1000))[1]:
            size += sum(len(record.blob) for record in records)
            after = records[-1].last
        assert head.size == size

    async def test_trimming_under_readers_never_makes_a_silent_hole(self, logs: Logs) -> None:
        log, other = await logs(), await logs()
        await log.append("a", items("0"), retention=Retention(max_events=10))

        async def write() -> None:
            for n in range(1, 300):
                await log.append("a", items(str(n)))
            await log.close_topic("a")

        async def follow(limit: int) -> int:
            after, at, resets = ORIGIN, 0, 0
            while True:
                page = await other.read("a", after, limit)
                if page.lost:
                    assert page.lost == "trimmed"
                    resets += 1
                    at = page.earliest.n - 1
                for event in page.events:
                    assert event.offset is not None
                    assert event.offset.n == at + 1
                    assert event.data == str(at)
                    at += 1
                assert page.next.n == at
                after = page.next
                if page.closed and page.up_to_date:
                    return resets
                await asyncio.sleep(0)  # a store in memory never waits

        await asyncio.gather(write(), *(follow(limit) for limit in (1, 3, 1000)))

    # ------------------------------------------------------------ the log: what it says, and when

    async def test_commits_are_told_in_order_after_the_answers(self, log: Journal) -> None:
        told: list[tuple[str, int, int, list[str]]] = []
        answered = 0
        seen_by_callers: list[int] = []

        def on_commit(topic: str, head: Head, base: Offset, events: Sequence[Event]) -> None:
            assert base.epoch == head.epoch
            assert base.n + len(events) == head.tail
            assert [event.offset for event in events] == [
                Offset(head.epoch, base.n + n + 1) for n in range(len(events))
            ]
            told.append((topic, base.n, answered, [event.data for event in events]))

        async def publish(n: int) -> None:
            nonlocal answered
            await log.append("a", items(str(n)))
            answered += 1
            seen_by_callers.append(len(told))

        log.on_commit = on_commit
        await asyncio.gather(*(publish(n) for n in range(10)))
        await asyncio.sleep(0)
        assert [each[3] for each in told] == [["0"], [str(n) for n in range(1, 10)]]
        assert [each[2] for each in told] == [1, 10]
        assert seen_by_callers == [0] + [1] * 9

    async def test_changes_of_the_head_are_told_too(self, log: Journal) -> None:
        told: list[object] = []
        log.on_commit = lambda topic, head, base, events: told.append((head.closed, base.n, len(events)))
        log.on_delete = told.append
        await log.append("a", items("1", "2"))
        await log.configure("a", retention=Retention(max_events=5), ttl=None)
        await log.close_topic("a")
        await log.close_topic("a")
        await log.delete("a")
        await log.delete("a")
        await asyncio.sleep(0)
        assert told == [(False, 0, 2), (False, 2, 0), (True, 2, 0), "a"]

    async def test_duplicates_and_refusals_are_not_told(self, log: Journal) -> None:
        told: list[list[str]] = []
        log.on_commit = lambda topic, head, base, events: told.append([event.data for event in events])
        await log.append("a", items("1"), key="k")
        await log.append("a", items("1"), key="k")
        await asyncio.gather(
            log.append("a", items("2")), log.append("a", items("1"), key="k"), log.append("a", items("3")),
            log.append("a", items("no"), expected=NEW), return_exceptions=True,
        )  # fmt: skip
        await asyncio.sleep(0)
        assert told == [["1"], ["2"], ["3"]]

    async def test_a_process_hears_its_own_commits_before_the_feed_tells_of_them(self, log: Journal) -> None:
        heard: list[str] = []
        log.on_commit = lambda topic, head, base, events: heard.append("commit")
        changes = log.store.changes()
        assert await anext(changes) is None

        async def follow() -> None:
            await anext(changes)
            heard.append("feed")

        following = asyncio.ensure_future(follow())
        await asyncio.sleep(0)
        await log.append("a", items("1"))
        await asyncio.wait_for(following, 10)
        assert heard == ["commit", "feed"]

    async def test_a_broken_callback_hurts_nobody(self, log: Journal, caplog: pytest.LogCaptureFixture) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError

        log.on_commit = broken
        await log.append("a", items("1"))
        await log.append("a", items("2"))
        await asyncio.sleep(0)
        assert "ZeroDivisionError" in caplog.text
        assert data_of(await everything(log, "a")) == ["1", "2"]

    # ------------------------------------------------------------ the log: cancelling, closing, unknown outcomes

    async def test_cancelled_is_whole_or_not_at_all(self, log: Journal) -> None:
        rounds = 60
        tasks = [asyncio.ensure_future(log.append("a", items(f"{n}a", f"{n}b"))) for n in range(rounds)]
        for n, task in enumerate(tasks):
            if n % 3 == 0:
                task.cancel()
            if n % 7 == 0:
                await asyncio.sleep(0)
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        found = data_of(await everything(log, "a"))
        assert [each[:-1] for each in found[::2]] == [each[:-1] for each in found[1::2]]
        assert {each[-1] for each in found[::2]} == {"a"}
        for n, answer in enumerate(answers):
            if isinstance(answer, Appended):
                assert found[answer.first.n - 1] == f"{n}a"
            else:
                assert isinstance(answer, asyncio.CancelledError)
        assert (await log.append("a", items("after"))).last.n == len(found) + 1

    async def test_closing_the_log_finishes_what_is_under_way(self, connect: Connect, clock: Clock) -> None:
        store, reader = await connect(), await connect()
        log = Journal(store, clock=clock)
        tasks = [asyncio.ensure_future(log.append(f"t{n % 3}", items(str(n)))) for n in range(90)]
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(log._queues.close() if store is reader else log.close())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await log.append("t0", items("late"))
        await closing
        assert all(isinstance(answer, Appended) for answer in await asyncio.gather(*tasks))
        found = Journal(reader, clock=clock)
        for n in range(3):
            assert data_of(await everything(found, f"t{n}")) == [str(m) for m in range(n, 90, 3)]

    @pytest.mark.parametrize("how", ["before", "after", "late"])
    async def test_an_unknown_outcome_is_found_out(
        self, store: Store, clock: Clock, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unknown, "PAUSE", 0.001)
        flaky = Flaky(store, how)
        log = Journal(flaky, clock=clock)
        acks: dict[str, Offset] = {}

        async def publish(name: str) -> None:
            for n in range(20):
                acks[f"{name}{n}"] = (await log.append("a", items(f"{name}{n}"))).last

        await asyncio.gather(*(publish(name) for name in "abc"))
        assert flaky.died > 5
        found = await everything(log, "a")
        assert {event.data: event.offset for event in found} == acks
        assert len(found) == 60
        epoch = found[0].offset
        assert epoch
        await log.append("a", [], close=True, expected=epoch.epoch)
        assert (await log.read("a", None)).closed

    async def test_an_outcome_that_cannot_be_found_out_is_told(
        self, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(unknown, "PAUSE", 0.001)
        log = Journal(Flaky(store, "after, then deleted"), clock=clock)
        await log.append("a", items("1"))
        with pytest.raises(OutcomeUnknown):
            await log.append("a", items("2"))
        monkeypatch.setattr(unknown, "PATIENCE", 0.0)
        log = Journal(Flaky(store, "away"), clock=clock)
        with pytest.raises(OutcomeUnknown):
            await log.append("b", items("1"))
