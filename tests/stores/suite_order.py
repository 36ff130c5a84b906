"""The promises of a log over any store: order, keys, expectations, the fence."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from contextlib import suppress

import pytest

from tests.stores.kit import Clock, Logs, data_of, everything, items
from tidings.errors import Closed, Conflict, InvalidRequest, NotFound, TooLarge
from tidings.events import ORIGIN, Event, Offset, Retention
from tidings.log import names, port, queues, records
from tidings.log.journal import Journal
from tidings.log.records import Record
from tidings.log.rules import NEW, Appended


class OrderSuite:
    # ------------------------------------------------------------ the log: order

    async def test_order_without_gap_or_duplicate_for_readers_from_anywhere(self, logs: Logs) -> None:
        """4 writers over 2 logs, 6 readers that join at random and look again when they are told."""
        one, two = await logs(), await logs()
        done = asyncio.Event()
        acknowledged: dict[Offset, str] = {}

        async def write(log: Journal, name: str) -> None:
            for n in range(60):
                batch = [f"{name}.{n}.{m}" for m in range(1 + n % 3)]
                answer = await log.append("a", items(*batch))
                assert answer.last.n - answer.first.n == len(batch) - 1
                for m, text in enumerate(batch):
                    acknowledged[Offset(answer.first.epoch, answer.first.n + m)] = text

        async def follow(log: Journal, after: Offset | None, limit: int) -> list[Event]:
            found: list[Event] = []
            async for _ in log.store.changes():
                while True:
                    finished = done.is_set()
                    with suppress(NotFound):
                        page = await log.read("a", after, limit)
                        assert page.lost is None
                        found += page.events
                        after = page.next
                        if not page.up_to_date:
                            continue
                    break
                if finished:
                    return found
            raise AssertionError("the feed ended")

        dice = random.Random("late readers")

        async def join_late(log: Journal, limit: int) -> list[Event]:
            for _ in range(dice.randrange(1, 6)):
                await log.append("b", items("x"))
            page = await log.read("a", None, dice.randrange(1, 20))
            return await follow(log, page.next, limit)

        await one.append("a", items("first"))
        readers = [asyncio.ensure_future(follow(log, None, 5)) for log in (one, two)]
        readers += [asyncio.ensure_future(join_late(log, 3)) for log in (one, two, one, two)]
        await asyncio.gather(*(write(log, f"w{n}") for n, log in enumerate((one, two, one, two))))
        done.set()
        await one.append("b", items("wake up, and see that it is done"))
        for reader in readers:
            found = await asyncio.wait_for(reader, 10)
            first = found[0].offset
            assert first is not None
            offsets = [event.offset for event in found]
            assert offsets == [Offset(first.epoch, n) for n in range(first.n, 4 * 120 + 2)]
            assert [event.data for event in found] == [
                acknowledged.get(offset, "first") for offset in offsets if offset
            ]

    @pytest.mark.parametrize("size", [1, 300_000])
    async def test_pages_that_go_back_hold_every_event_once(self, log: Journal, size: int) -> None:
        """Also where the events are so large that the store gives few at a time."""
        for n in range(9):
            await log.append("a", items(*(f"{n}.{i}|" + "x" * size for i in range(n % 3 + 1))))
        forward = await everything(log, "a")
        back: list[Event] = []
        page = await log.read_before("a", None, 4)
        while page.events:
            assert page.lost is None
            assert page.next == page.events[-1].offset
            assert len(page.events) <= 4
            back[:0] = page.events
            first = page.events[0].offset
            assert first
            page = await log.read_before("a", first._replace(n=first.n - 1), 4)
        assert back == forward
        assert (page.lost, page.next.n) == (None, 0)

    async def test_a_page_that_goes_back_is_of_its_own_life_and_ends_where_the_log_begins(self, log: Journal) -> None:
        for data in "12345678":
            await log.append("a", items(data))
        old = (await log.read("a", None)).tail
        assert (await log.read_before("a", ORIGIN)).events == ()
        await log.configure("a", retention=Retention(max_events=3), ttl=None)
        await log.trim("a")
        page = await log.read_before("a", old, 100)
        assert ([event.data for event in page.events], page.lost) == (list("678"), None)
        trimmed = await log.read_before("a", old._replace(n=2))
        assert (trimmed.events, trimmed.lost, trimmed.earliest.n) == ((), "trimmed", 6)
        await log.delete("a")
        assert (await log.read_before("a", old)).lost == "deleted"
        with pytest.raises(NotFound):
            await log.read_before("a", None)
        await log.append("a", items("new"))
        assert (await log.read_before("a", old)).lost == "recreated"

    async def test_appends_of_one_caller_are_stored_in_their_order(self, log: Journal) -> None:
        tasks = [asyncio.ensure_future(log.append("a", items(str(n)))) for n in range(200)]
        answers = await asyncio.gather(*tasks)
        assert [answer.first.n for answer in answers] == list(range(1, 201))
        assert data_of(await everything(log, "a")) == [str(n) for n in range(200)]

    async def test_appends_that_wait_become_one_change(self, log: Journal) -> None:
        await asyncio.gather(*(log.append("a", items(str(n))) for n in range(100)))
        _, records = await log.store.read("a", 0, 1000)
        assert [(record.base, record.last) for record in records] == [(0, 1), (1, 100)]

    async def test_a_change_is_bounded(self, log: Journal) -> None:
        big = "x" * (300 << 10)
        await asyncio.gather(*(log.append("a", items(big)) for _ in range(8)))
        changes = Counter(record.id for record in await every_record(log))
        assert list(changes.values()) == [1, 3, 3, 1]

    async def test_an_append_of_many_events_is_several_records_and_one_change(self, logs: Logs) -> None:
        log, other = await logs(), await logs()
        batch = items(*map(str, range(2500)), "x" * records.RECORD_CHARACTERS, "end")
        answer = await log.append("a", batch, key="k")
        assert (answer.first.n, answer.last.n) == (1, 2502)
        kept = await every_record(other)
        assert [(record.base, record.last) for record in kept] == [
            (0, 1000), (1000, 2000), (2000, 2500), (2500, 2501), (2501, 2502)
        ]  # fmt: skip
        assert len({record.id for record in kept}) == 1
        assert data_of(await everything(other, "a", limit=900)) == [data for _, data in batch]
        again = await other.append("a", items("again"), key="k")
        assert (again.duplicate, again.first.n, again.last.n) == (True, 1, 2502)

    async def test_publishers_wait_where_too_much_is_under_way(
        self, log: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queues, "WAITING", 1000)
        tasks = [asyncio.ensure_future(log.append(f"t{n % 2}", items(f"{n:0400}"))) for n in range(20)]
        tasks.append(asyncio.ensure_future(log.append("t0", items("x" * 5000))))  # alone it is over: it has its turn
        tasks.append(asyncio.ensure_future(log.append("t0", items("small"))))
        assert log._queues._bytes <= 1000
        await asyncio.sleep(0)
        assert log._queues._bytes <= 1000
        await asyncio.gather(*tasks)
        assert [int(data) for data in data_of(await everything(log, "t1"))] == list(range(1, 20, 2))
        assert data_of(await everything(log, "t0"))[-2:] == ["x" * 5000, "small"]
        assert log._queues._bytes == 0

    async def test_events_come_back_as_they_were(self, log: Journal, clock: Clock) -> None:
        texts = ["", "plain", "naïve\r\n\n\0 \x01", "😀" * 100, '{"a": [1, null]}', "x" * names.MAX_DATA]
        await log.append("a", [(f"type.{n}", text) for n, text in enumerate(texts)])
        found = await everything(log, "a")
        assert [(event.type, event.data) for event in found] == [(f"type.{n}", text) for n, text in enumerate(texts)]
        assert {event.time for event in found} == {clock.now}

    async def test_the_size_of_the_store_grows_with_what_it_keeps(self, log: Journal) -> None:
        before = await log.store.size()
        for n in range(4):
            await log.append(f"t{n}", [("m", secrets.token_hex(200_000))])
        assert await log.store.size() > before + 800_000

    async def test_limits(self, log: Journal) -> None:
        await log.append("a", items(*["x" * names.MAX_DATA] * 16))
        assert (await log.read("a", None)).tail.n == 16
        with pytest.raises(TooLarge):
            await log.append("a", items(*["x" * names.MAX_DATA] * 16, "y"))
        with pytest.raises(TooLarge):
            await log.append("a", items("x" * (names.MAX_DATA + 1)))
        for bad in ([], [("", "x")], [("tidings.end", "x")], [("a\nb", "x")], [("m", "\ud800")]):
            with pytest.raises(InvalidRequest):
                await log.append("a", bad)
        with pytest.raises(InvalidRequest):
            await log.append("a b", items("x"))
        with pytest.raises(InvalidRequest):
            await log.read("a", None, 0)
        assert (await log.read("a", None)).tail.n == 16

    # ------------------------------------------------------------ the log: keys, expectations, the fence

    async def test_a_key_is_accepted_once_whoever_sends_it(self, logs: Logs) -> None:
        senders = [await logs(), await logs()]
        answers = await asyncio.gather(
            *(log.append("a", items(f"k{n}", "more"), key=f"k{n}") for n in range(20) for log in senders * 2)
        )
        spans = {(answer.first, answer.last) for answer in answers}
        assert len(spans) == 20
        assert sum(not answer.duplicate for answer in answers) == 20
        for n in range(20):
            assert len({answer.first for answer in answers[4 * n : 4 * n + 4]}) == 1
        found = data_of(await everything(senders[0], "a"))
        assert sorted(found[::2]) == sorted(f"k{n}" for n in range(20))

    async def test_a_retry_of_the_closing_append_gets_its_offsets(self, log: Journal) -> None:
        first = await log.append("a", items("1", "end"), key="k", close=True)
        assert await log.append("a", items("1", "end"), key="k", close=True) == Appended(first.first, first.last, True)
        with pytest.raises(Closed):
            await log.append("a", items("1", "end"), key="other", close=True)

    async def test_a_key_is_forgotten_after_a_day_and_with_its_life(self, log: Journal, clock: Clock) -> None:
        first = await log.append("a", items("x"), key="k")
        clock.now += port.KEYS
        second = await log.append("a", items("x"), key="k")
        assert (second.first.n, second.duplicate) == (first.first.n + 1, False)
        await log.delete("a")
        third = await log.append("a", items("x"), key="k")
        assert (third.first.n, third.duplicate) == (1, False)

    async def test_the_first_of_several_that_expect_a_new_topic_wins(self, logs: Logs) -> None:
        rivals = [await logs(), await logs()]
        answers = await asyncio.gather(
            *(log.append("a", items("x"), expected=NEW) for log in rivals * 5), return_exceptions=True
        )
        assert sum(isinstance(answer, Appended) for answer in answers) == 1
        assert sum(isinstance(answer, Conflict) for answer in answers) == 9
        assert len(await everything(rivals[0], "a")) == 1

    async def test_an_expected_tail_or_epoch(self, log: Journal) -> None:
        at = (await log.append("a", items("1"))).last
        assert (await log.append("a", items("2"), expected=at)).last.n == 2
        for wrong in (at, Offset(at.epoch, 3), Offset("other1", 2), ORIGIN, "other1", NEW):
            with pytest.raises(Conflict) as refused:
                await log.append("a", items("no"), expected=wrong)
            assert refused.value.members == {"tail": f"{at.epoch}-2"}
        assert (await log.append("a", items("3"), expected=at.epoch)).last.n == 3
        with pytest.raises(Conflict):
            await log.append("none", items("no"), expected=at.epoch)
        assert await log.describe("none") is None

    async def test_closed_is_the_fence(self, logs: Logs) -> None:
        producer, reaper = await logs(), await logs()
        epoch = (await producer.append("run", items("1"), expected=NEW)).last.epoch
        answers = await asyncio.gather(
            reaper.append("run", items("interrupted"), expected=epoch, close=True),
            *(producer.append("run", items(str(n)), expected=epoch) for n in range(30)),
            return_exceptions=True,
        )
        found = data_of(await everything(producer, "run"))
        assert found[-1] == "interrupted"
        assert sum(isinstance(answer, Appended) for answer in answers) == len(found) - 1
        assert all(isinstance(answer, Appended | Closed) for answer in answers)
        with pytest.raises(Closed):
            await producer.append("run", items("late"))
        page = await reaper.read("run", None)
        assert page.closed
        assert data_of(page) == found

    async def test_a_sleeper_does_not_re_create_what_was_deleted(self, logs: Logs) -> None:
        producer, other = await logs(), await logs()
        epoch = (await producer.append("run", items("1"))).last.epoch
        await other.delete("run")
        with pytest.raises(Conflict):
            await producer.append("run", items("2"), expected=epoch)
        await other.append("run", items("of another life"))
        with pytest.raises(Conflict):
            await producer.append("run", items("2"), expected=epoch)
        assert data_of(await everything(other, "run")) == ["of another life"]

    async def test_closing_a_topic_is_idempotent(self, log: Journal) -> None:
        with pytest.raises(NotFound):
            await log.close_topic("a")
        await log.append("a", items("1"))
        assert (await log.close_topic("a")).closed
        assert (await log.close_topic("a")).closed
        assert (await log.configure("a", retention=None, ttl=5)).closed
        answer = await log.append("b", [], close=True)
        assert (answer.first, answer.last) == (Offset(answer.last.epoch, 0),) * 2
        assert (await log.read("b", None)).closed

    async def test_some_of_what_is_merged_may_be_refused(self, log: Journal) -> None:
        epoch = (await log.append("a", items("0"))).last.epoch
        answers = await asyncio.gather(
            log.append("a", items("first")),
            log.append("a", items("1"), key="k"), log.append("a", items("1"), key="k"),
            log.append("a", items("no"), expected=NEW), log.append("a", items("2"), expected=epoch),
            log.append("a", items("3"), close=True), log.append("a", items("1"), key="k"),
            log.append("a", items("no")),
            return_exceptions=True,
        )  # fmt: skip
        told = [(each.first.n, each.duplicate) if isinstance(each, Appended) else type(each) for each in answers]
        assert told == [(2, False), (3, False), (3, True), Conflict, (4, False), (5, False), (3, True), Closed]
        assert data_of(await everything(log, "a")) == ["0", "first", "1", "2", "3"]


async def every_record(log: Journal) -> list[Record]:
    """Return all records of topic `a`."""
    after, found = 0, []
    while part := (await log.store.read("a", after, 100))[1]:
        found += part
        after = part[-1].last
    return found
