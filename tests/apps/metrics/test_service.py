"""The server's own figures, published each second once somebody has read them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.serving import PATIENCE
from tidings import Hub
from tidings.apps.metrics import service
from tidings.apps.metrics.service import TOPIC, Moment, OwnMetrics, figures_between
from tidings.delivery.delivery import Counts
from tidings.errors import NotFound, Unavailable
from tidings.http.figures import Figures, Reading
from tidings.log.timings import Timings


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "EVERY", 0.05)
    monkeypatch.setattr(service, "LOOK", 0.05)


def opened(hub: Hub, worker: int = 0) -> OwnMetrics:
    metrics = OwnMetrics(hub, Figures(hub), worker)
    metrics.open()
    return metrics


async def events(hub: Hub, count: int, after: str = "earliest") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(PATIENCE):
        async for event in hub.subscribe(TOPIC, after):
            found.append(json.loads(event.data))
            if len(found) == count:
                break
    return found


async def test_no_metrics_are_written_before_the_first_request() -> None:
    async with Hub("memory:") as hub:
        metrics = opened(hub)
        await asyncio.sleep(0.2)
        with pytest.raises(NotFound):
            await hub.describe(TOPIC)
        metrics.ask()
        first, second = await events(hub, 2)
        assert first["worker"] == second["worker"] == 0
        assert first["process"] == second["process"] != ""
        assert (await hub.describe(TOPIC)).retention == service.KEPT


async def test_figures_go_on_after_a_restart_without_being_asked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as hub:
        opened(hub).ask()
        await events(hub, 1)
    async with Hub(url) as hub:
        opened(hub, worker=3)
        (event,) = await events(hub, 1, after="tail")
        assert event["worker"] == 3


async def test_a_retention_that_somebody_has_chosen_stays() -> None:
    async with Hub("memory:") as hub:
        await hub.configure(TOPIC, retention=service.KEPT._replace(max_age=60.0))
        opened(hub)
        await events(hub, 2)
        assert (await hub.describe(TOPIC)).retention.max_age == 60.0


async def test_a_second_that_cannot_be_stored_is_a_gap() -> None:
    async with Hub("memory:") as hub:
        append, fails = hub.log.append, 2

        async def failing(*args: Any, **options: Any) -> Any:
            nonlocal fails
            fails -= 1
            if fails >= 0:
                raise Unavailable("The disk is full.")
            return await append(*args, **options)

        hub.log.append = failing  # type: ignore[method-assign]
        opened(hub).ask()
        await events(hub, 1)
        assert fails < 0


def moment(at: float, *, published: int, times: list[float], store: int | None) -> Moment:
    appends = Timings()
    for time in times:
        appends.add(time)
    reading = Reading(
        counts=Counts(published=published, streams=7),
        appends=appends,
        commits=Timings(),
        lag=Timings(),
        store=store,
        runs=1,
        ended={"failed": published},
        first_token=Timings(),
        tokens=10 * published,
        draining=False,
        memory=4096,
    )
    return Moment.now(reading)._replace(at=at, cpu=at / 4)


def test_rates_are_a_seconds_and_unknown_times_are_left_out() -> None:
    before = moment(10.0, published=5, times=[3.0], store=None)
    after = moment(12.0, published=9, times=[3.0, 0.01], store=5000)
    found = figures_between(before, after)
    assert (found["published"], found["tokens"], found["cpu"], found["streams"]) == (2.0, 20.0, 0.25, 7)
    assert (found["runs"], found["runs_failed"], found["runs_success"], found["store_bytes"]) == (1, 4, 0, 5000)
    assert 0.009 < found["publish_p50"] == found["publish_p99"] < 0.011
    assert found["memory"] == 4096
    assert "commit_p50" not in found
    assert "first_token_p99" not in found
    assert "store_bytes" not in figures_between(before, before._replace(at=11.0))
