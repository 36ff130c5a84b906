"""The reaper: a run whose producer is gone is ended once, by any process that finds its lease lapsed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.runs.scripted import forever, gone, only, says, sound, story, types, until
from tidings import Hub
from tidings.errors import TooLarge, Unavailable
from tidings.runs import Run, runs


async def dead_run(hub: Hub, lease: float = -1.0) -> Run:
    """A run whose producer fell silent in the middle of an answer, and whose lease has lapsed or lapses later."""
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    producer = hub.runs._producers.pop(run.id)
    producer._writer._task.cancel()
    assert producer.task is not None
    await asyncio.wait({producer.task})
    await hub.leases.lease(run.topic, lease, renew=False)
    return run


async def test_a_dead_run_is_interrupted_with_what_there_is_of_it(hub: Hub) -> None:
    run = await dead_run(hub)
    await asyncio.gather(*[hub.runs._reaper.reap() for _ in range(3)])
    said = await story(run)
    sound(said)
    assert types(said)[-4:] == ["block.delta", "block.finished", "message.finished", "run.finished"]
    [block] = only(said, "block.finished")
    assert (block["content"], block["status"]) == ("So far", "incomplete")
    assert (said[-1]["outcome"], said[-1]["finish"]) == ("interrupted", "interrupted")
    assert not await hub.leases.lapsed()


async def test_a_run_that_ended_is_not_ended_again(hub: Hub) -> None:
    run = await hub.runs.start(says("Hello"), "?")
    end = await run.wait()
    await gone(hub)
    assert not await hub.leases.lapsed()
    await hub.leases.lease(run.topic, -1.0, renew=False)
    await hub.runs._reaper.reap()
    assert (await run.wait()).offset == end.offset
    assert not await hub.leases.lapsed()


async def test_the_end_of_a_dead_run_is_reported_once(hub: Hub) -> None:
    run, ended = await dead_run(hub), []

    async def follow(id: str) -> None:
        ended.append((id, (await run.state()).state))

    hub.runs.on_end = follow
    await hub.runs._reaper.reap()
    assert ended == [(run.id, "interrupted")]
    await hub.runs._reaper.reap()
    assert len(ended) == 1


async def test_a_failing_follow_up_is_repeated_and_delays_no_other_run(hub: Hub) -> None:
    """Also where the process that made the run died between the run's end and what follows from it."""
    failures: list[Exception] = [Unavailable("away"), RuntimeError("a bug")]
    ended = []

    async def follow(id: str) -> None:
        ended.append(id)
        if failures and id == run.id:
            raise failures.pop()

    hub.runs.on_end = follow
    run, other = await dead_run(hub), await dead_run(hub)
    await hub.runs._reaper.reap()
    assert await hub.leases.lapsed() == [run.topic]
    assert (await other.state()).state == (await run.state()).state == "interrupted"
    await hub.runs._reaper.reap()
    await hub.runs._reaper.reap()
    assert not await hub.leases.lapsed()
    assert ended.count(run.id) == 3


async def test_a_run_too_large_to_close_in_full_still_ends(hub: Hub) -> None:
    run = await dead_run(hub)
    append = hub.log.append

    async def small(topic: str, items: Any, **options: Any) -> Any:
        if len(items) > 1:
            raise TooLarge("One append holds at most so much.")
        return await append(topic, items, **options)

    hub.log.append = small  # type: ignore[method-assign]
    await hub.runs._reaper.reap()
    assert (await run.state()).state == "interrupted"


async def test_a_dead_run_of_many_pages_is_read_to_its_end(hub: Hub) -> None:
    run = await dead_run(hub)
    head = await hub.log.describe(run.topic)
    assert head is not None
    delta = (await until(run, "block.delta")).data
    await hub.log.append(run.topic, [("block.delta", delta)] * 2500, expected=head.epoch)
    await hub.runs._reaper.reap()
    said = await story(run)
    sound(said)
    assert only(said, "block.finished")[0]["content"] == "So far" * 2501


async def test_a_process_does_not_end_its_own_run_that_it_was_too_busy_to_renew(hub: Hub) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    await until(run, "block.delta")
    await hub.leases.lease(run.topic, -1.0, renew=False)
    await hub.runs._reaper.reap()
    gate.set()
    assert json.loads((await run.wait()).data)["outcome"] == "success"


async def test_a_lease_of_a_run_that_never_began_makes_none(hub: Hub) -> None:
    topic = f"runs.{runs.new_id()}"
    await hub.leases.lease(topic, -1.0, renew=False)
    await hub.runs._reaper.reap()
    assert await hub.log.describe(topic) is None
    assert not await hub.leases.lapsed()


async def test_leases_of_others_are_left_alone(hub: Hub) -> None:
    await hub.publish("runs.of-somebody-else", "x")
    await hub.leases.lease("runs.of-somebody-else", -1.0, renew=False)
    await hub.leases.lease("jobs.1", -1.0, renew=False)
    await hub.runs._reaper.reap()
    assert set(await hub.leases.lapsed()) == {"runs.of-somebody-else", "jobs.1"}


async def test_a_producer_that_says_something_after_all_is_not_interrupted(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await dead_run(hub)
    read = hub.read

    async def read_and_let_it_wake(*args: Any, **options: Any) -> Any:
        page = await read(*args, **options)
        await hub.log.append(run.topic, [("data", "{}")], expected=page.tail.epoch)
        return page

    monkeypatch.setattr(hub, "read", read_and_let_it_wake)
    await hub.runs._reaper.reap()
    assert (await run.state()).state == "running"


async def test_the_reaper_survives_a_store_that_is_away(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await dead_run(hub)
    monkeypatch.setattr(runs, "BEAT", 0.01)
    monkeypatch.setattr(runs, "LEASE", 0.1)
    lapsed, asked = hub.leases.lapsed, []

    async def away(limit: int = 100, within: float = 0.0) -> Sequence[str]:
        asked.append(limit)
        if len(asked) < 3:
            raise (Unavailable("away") if len(asked) == 1 else RuntimeError("a bug"))
        return await lapsed(limit, within)

    monkeypatch.setattr(hub.leases, "lapsed", away)
    hub.runs.open()
    assert (await run.wait()).type == "run.finished"
