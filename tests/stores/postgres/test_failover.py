"""A standby that is promoted: readers are told of what it lacks, and nothing else changes for anybody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals
from typing import NamedTuple

import pytest

from tests.postgres import Cluster
from tests.runs.counting import counting, ends_well, long_after, told_to_stop, under_way
from tests.runs.scripted import sound, story
from tests.stores.kit import line, put
from tidings import Hub
from tidings.errors import Unavailable
from tidings.events import Event, Offset
from tidings.log import uncertain
from tidings.runs import runs
from tidings.stores.postgres import store as module
from tidings.stores.postgres.store import PostgresStore

pytestmark = pytest.mark.slow


class Pair(NamedTuple):
    primary: Cluster
    standby: Cluster
    database: str

    @property
    def url(self) -> str:
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://tidings@{hosts}/{self.database}"

    async def catch_up(self) -> None:
        await asyncio.to_thread(self.standby.catch_up, self.primary)

    async def cut_off(self) -> None:
        await asyncio.to_thread(self.standby.cut_off)

    async def replicate_synchronously(self) -> None:
        """Let the primary acknowledge a commit only once the standby has it."""

        def change() -> None:
            self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.primary.sql("SELECT pg_reload_conf()")
            while self.primary.sql("SELECT sync_state FROM pg_stat_replication") != ["sync"]:
                pass

        await asyncio.to_thread(change)

    async def fail_over(self) -> None:
        await asyncio.to_thread(self.primary.kill)
        await asyncio.to_thread(self.standby.promote)


@pytest.fixture
def pair(postgres: Cluster) -> Iterator[Pair]:
    with Cluster(postgres.programs) as primary, Cluster(postgres.programs) as standby:
        primary.make()
        database = primary.create()
        yield Pair(primary, standby.follow(primary), database)


@pytest.fixture
async def hub(pair: Pair) -> AsyncIterator[Hub]:
    async with Hub(pair.url) as hub:
        yield hub


async def published(hub: Hub, topic: str, data: object, **options: object) -> Offset:
    """Publish until the new primary is there."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await hub.publish(topic, data, **options)  # type: ignore[arg-type]
            except Unavailable:
                await asyncio.sleep(0.1)


async def test_readers_are_told_of_what_the_new_primary_lacks_and_of_nothing_else(hub: Hub, pair: Pair) -> None:
    for n in range(1, 11):
        kept = await hub.publish("a", n)
        whole = await hub.publish("b", n)
    await pair.catch_up()
    await pair.cut_off()
    for n in range(11, 16):
        ahead = await hub.publish("a", n)
    await pair.fail_over()
    first = await published(hub, "a", "new 11")
    assert (first.n, first.epoch == kept.epoch) == (11, False)

    page = await hub.read("a", kept)
    assert ([event.data for event in page.events], page.lost) == (["new 11"], None)
    page = await hub.read("a", ahead)
    assert (page.lost, page.earliest.n) == ("recreated", 1)
    for n in range(12, 20):  # past where the lost events were
        await hub.publish("a", f"new {n}")
    assert (await hub.read("a", ahead)).lost == "recreated"
    assert (await hub.read("a", first)).lost is None

    page = await hub.read("b", whole)
    assert (list(page.events), page.lost, page.up_to_date) == ([], None, True)
    assert (await hub.publish("b", "go on", expected=whole)).n == 11
    assert (await hub.read("b", whole)).lost is None


async def test_open_streams_go_on_or_are_reset(hub: Hub, pair: Pair) -> None:
    for topic in ("lost", "kept"):
        await hub.publish(topic, "1")
    await pair.catch_up()
    await pair.cut_off()
    await hub.publish("lost", "2")
    seen: dict[str, list[object]] = {"lost": [], "kept": []}
    complete = asyncio.Event()

    async def follow(topic: str) -> None:
        async for item in hub.subscribe(topic, after="earliest"):
            seen[topic].append(item.data if isinstance(item, Event) else item)
            if seen["kept"][-1:] == ["end"] and seen["lost"][-1:] == ["end"]:
                complete.set()

    following = [asyncio.ensure_future(follow(topic)) for topic in seen]
    async with asyncio.timeout(20):
        while seen["lost"] != ["1", "2"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await pair.fail_over()
    for topic in seen:
        await published(hub, topic, "end")
    async with asyncio.timeout(60):
        await complete.wait()
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    assert seen["kept"] == ["1", "end"]
    assert seen["lost"][:2] == ["1", "2"]
    assert json.loads(str(seen["lost"][2]))["reason"] == "recreated"
    assert seen["lost"][3:] == ["1", "end"]


async def test_an_acknowledged_key_is_known_after_a_failover(hub: Hub, pair: Pair) -> None:
    first = await hub.publish("a", "once", key="k")
    await pair.catch_up()
    await pair.fail_over()
    again = await published(hub, "a", "once", key="k")
    assert again.n == first.n
    assert len((await hub.read("a", "earliest")).events) == 1


async def test_a_standby_alone_cannot_be_written(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 0.0)
    async with Hub(pair.url) as hub:
        await hub.publish("a", "1")
        await pair.catch_up()
    store = PostgresStore(pair.standby.url(pair.database))
    with pytest.raises(Unavailable, match="read-only, as a standby is"):
        await store.open()
    await store.close()
    await pair.fail_over()
    await store.open()
    try:
        head = (await store.update("a", (), put())).head
        assert head is not None
        assert head.tail == 2
    finally:
        await store.close()


async def fail_over_late(pair: Pair) -> None:
    """Promote the standby when leases have lapsed, and neither updates nor their outcomes are waited for any more."""
    await asyncio.to_thread(pair.primary.kill)
    await asyncio.sleep(runs.LEASE + uncertain.PATIENCE)
    await asyncio.to_thread(pair.standby.promote)


async def test_a_run_under_way_goes_on(hub: Hub, pair: Pair) -> None:
    """Also the commit that was under way is stored once: the standby has each commit before it is acknowledged."""
    await pair.replicate_synchronously()
    async with counting(pair.url) as process, Hub(pair.url), Hub(pair.url):  # with the reapers of three processes
        run = await under_way(hub, process)
        await fail_over_late(pair)
        await published(hub, "a", "the new primary is there")
        await long_after(hub, run)
        await ends_well(run, process)


@pytest.mark.parametrize("signal", [SIGKILL, SIGSTOP])
async def test_a_run_whose_process_fell_silent_is_ended_and_stays_so(hub: Hub, pair: Pair, signal: Signals) -> None:
    await pair.replicate_synchronously()
    async with counting(pair.url) as process:
        run = await under_way(hub, process)
        process.send_signal(signal)
        await fail_over_late(pair)
        await published(hub, "a", "the new primary is there")
        async with asyncio.timeout(60):
            end = await run.wait()
        assert json.loads(end.data)["outcome"] == "interrupted"
        if signal == SIGSTOP:
            process.send_signal(SIGCONT)
            await told_to_stop(process)
            assert await line(process) == "ended"
        sound(await story(run))
        assert [event async for event in run.events()][-1] == end
