"""Series over a store: up to date, once for all who ask, and kept over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import pytest

from tidings import Hub
from tidings.apps.derivations import Derivations
from tidings.apps.series import service
from tidings.apps.series.fold import Spec
from tidings.apps.series.service import Answer, SeriesService
from tidings.errors import Unavailable
from tidings.events import Offset, Retention

SPEC = Spec("t", "v", "", False)


class Clock:
    """The time of the logs, which a test sets."""

    def __init__(self) -> None:
        self.now = time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock()
    monkeypatch.setattr(service, "FRESH", 0.0)
    monkeypatch.setattr(service, "STORED_EVERY", 0.0)
    return made


async def published(hub: Hub, clock: Clock, values: list[Any], start: float, step: float) -> Offset:
    """Publish events with these values, `step` seconds apart from `start` seconds before now on."""
    hub.log._clock = hub.log._queues._clock = clock
    for n, value in enumerate(values):
        clock.now = time() - start + n * step
        offset = await hub.publish("t", {"v": value})
    return offset


async def whole(series: SeriesService, length: float = 7200.0, aggregation: str = "sum", spec: Spec = SPEC) -> Answer:
    return await series.answer(spec, aggregation, time() - length, time(), 1000)


def total(answer: Answer) -> float:
    (line,) = answer.lines
    opened = line.open["sum"] if line.open and line.values[-1] is None else 0.0
    return sum(value for value in line.values if value is not None) + opened


async def test_an_answer_ends_at_its_offset_and_live_goes_on_there(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        series = SeriesService(hub)
        assert (await whole(series)).offset == "0-0"
        last = await published(hub, clock, [1, 2, 4], 100, 10)
        answer = await whole(series)
        assert (answer.offset, total(answer)) == (str(last), 7)
        await hub.publish("t", {"v": 8})
        assert total(await whole(series)) == 15


async def test_two_hundred_who_ask_at_once_cost_one_computation(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "FRESH", 30.0)
    made = 0
    lines = service.columns.lines

    def counted(*args: Any) -> Any:
        nonlocal made
        made += 1
        return lines(*args)

    monkeypatch.setattr(service.columns, "lines", counted)
    async with Hub("memory:") as hub:
        await published(hub, clock, [1] * 50, 60, 1)
        series, now = SeriesService(hub), time()
        answers = await asyncio.gather(*[series.answer(SPEC, "mean", now - 60, now, 1000) for _ in range(200)])
        assert made == 1
        assert len({id(answer) for answer in answers}) == 1


async def test_a_restart_and_another_process_go_on_with_what_is_stored(tmp_path: Path, clock: Clock) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as hub:
        await published(hub, clock, [1] * 200, 20_000, 90)
        series = SeriesService(hub)
        seen = total(await whole(series, 21_000))
        assert seen == 200
        await hub.configure("t", retention=Retention(max_events=20))
        before = await hub.describe(f"{series._kept[SPEC].topic}.m")
    async with Hub(url) as hub, Hub(url) as other:
        hub.log._clock = hub.log._queues._clock = clock
        clock.now = time() - 1500
        one, two = SeriesService(hub), SeriesService(other)
        assert total(await whole(one, 21_000)) == seen, "the log has lost most of them, the minutes have not"
        for _ in range(3):
            clock.now += 61
            await hub.publish("t", {"v": 1})
            seen += 1
            assert [total(await whole(each, 21_000)) for each in (one, two)] == [seen, seen]
        after = await hub.describe(before.name)
        assert after.tail.n > before.tail.n


async def test_redaction_takes_a_value_out_of_every_bucket(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        secret = await published(hub, clock, [7_000_000], 9000, 1)
        await published(hub, clock, [1] * 60, 8900, 60)
        series = SeriesService(hub)
        assert total(await whole(series, 9100)) == 7_000_060
        await hub.redact("t", secret)
        assert total(await whole(series, 9100)) == 60
        again = SeriesService(hub)
        assert total(await whole(again, 9100)) == 60
        page = await hub.read(f"{again._kept[SPEC].topic}.m")
        assert not any("7000000" in event.data for event in page.events)


async def test_stored_minutes_go_with_the_events_they_were_made_of(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        series = SeriesService(hub)
        secret = await published(hub, clock, [7_000_000], 9000, 1)
        await published(hub, clock, [1] * 60, 8900, 60)
        await whole(series, 9100)
        stored = f"{series._kept[SPEC].topic}."
        await Derivations(hub).look()
        assert len(await hub.topics(stored)) == 2
        await hub.redact("t", secret)
        await Derivations(hub).look()
        assert await hub.topics(stored) == []
        assert total(await whole(series, 9100)) == total(await whole(SeriesService(hub), 9100)) == 60
        assert len(await hub.topics(stored)) == 2
        await hub.delete("t")
        await Derivations(hub).look()
        assert await hub.topics(stored) == []


async def test_a_series_whose_stored_minutes_are_deleted_is_made_anew(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        series = SeriesService(hub)
        await published(hub, clock, [1] * 60, 8900, 60)
        assert total(await whole(series, 9100)) == 60
        minutes = f"{series._kept[SPEC].topic}.m"
        stored = len((await hub.read(minutes)).events)
        await hub.delete(minutes)
        await published(hub, clock, [1] * 3, 400, 60)
        assert total(await whole(series, 9100)) == 63
        await published(hub, clock, [1], 100, 60)
        assert total(await whole(series, 9100)) == 64
        assert len((await hub.read(minutes)).events) > stored
        assert total(await whole(SeriesService(hub), 9100)) == 64


async def test_a_topic_that_begins_anew_has_no_old_values(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        series = SeriesService(hub)
        await published(hub, clock, [1] * 10, 5000, 100)
        assert total(await whole(series)) == 10
        await hub.delete("t")
        assert (await whole(series)).lines == []
        await hub.publish("t", {"v": 5})
        assert total(await whole(series)) == 5
        assert total(await whole(SeriesService(hub))) == 5


async def test_notes_count_the_values_that_are_not_drawn(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        await published(hub, clock, ["many", 3, True], 30, 1)
        answer = await whole(SeriesService(hub))
        assert (answer.bad, total(answer)) == (2, 3)
        assert answer.notes == ["2 values of v were no numbers, and are not drawn."]
        assert len(service.notes(service.Faults(1, 1, 1), SPEC)) == 3


async def test_a_store_that_refuses_costs_no_answer(clock: Clock) -> None:
    async with Hub("memory:") as hub:
        await published(hub, clock, [1] * 10, 5000, 100)

        async def append(*args: Any, **options: Any) -> Any:
            raise Unavailable("The disk is full.")

        hub.log.append = append  # type: ignore[method-assign]
        assert total(await whole(SeriesService(hub))) == 10


async def test_series_that_nobody_asks_for_are_forgotten_and_looked_after(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BUCKETS", 30)
    monkeypatch.setattr(service, "REFRESH", 0.02)
    async with Hub("memory:") as hub:
        await published(hub, clock, [1] * 10, 5000, 100)
        series = SeriesService(hub)
        series.open()
        for field in ("v", "w", "x"):
            await whole(series, spec=Spec("t", field, "", True), aggregation="p99")
        assert len(series._kept) < 3
        kept = next(iter(series._kept.values()))
        offset = await hub.publish("t", {"v": 2})
        async with asyncio.timeout(10):
            while True:
                if kept.offset == offset:
                    break
                await asyncio.sleep(0.02)
