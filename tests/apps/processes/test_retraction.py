"""Retraction: deviations of redacted events are redacted, and those of a deleted process are deleted."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.apps.processes.miner import STEPS, Miner, event
from tests.serving import PATIENCE, ServerProcess
from tests.stores.sqlite.test_redaction import is_in_a_file
from tidings import Hub
from tidings.apps.derivations import Derivations, derived_from
from tidings.apps.processes.retraction import PUBLISHED, Retraction
from tidings.apps.processes.service import Processes
from tidings.apps.snapshots import read
from tidings.errors import NotFound
from tidings.log.names import text_of

from .test_deviations import deviations

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def left(miner: Miner) -> list[str]:
    """Look for what is to be redacted, and return the cases and kinds of the deviations that are left."""
    hub = miner.server.hub
    await Retraction(hub, Processes(hub)).look()
    page = await hub.read(f"process.{miner.name}.deviations")
    return [f"{one.json()['case']} {one.json()['kind']}" for one in page.events if not one.redacted]


async def judged(miner: Miner) -> list[str]:
    """Publish events of which five deviate, and return the offsets of all."""
    await miner.change("PUT", "/reference", STEPS)
    done = await miner.publish(
        event("c1", "ordered", 1),
        event("c1", "sent", 3),
        event("c2", "paid", 1),
        event("c3", "ordered", 1),
        event("c3", "refunded", 2),
        event("c4", "paid", 1),
        event("c4", "ordered", 2),
    )
    epoch, _, first = done.json()["first"].partition("-")
    await deviations(miner, 5)
    assert await left(miner) == ["c1 step", "c2 start", "c3 activity", "c4 start", "c4 step"]
    return [f"{epoch}-{int(first) + n}" for n in range(7)]


async def test_a_deviation_that_names_a_redacted_event_is_redacted(miner: Miner) -> None:
    offsets, hub, topic = await judged(miner), miner.server.hub, f"process.{miner.name}"
    await miner.publish(event("c1", "paid", 2))  # comes between two events, of which one deviated
    assert await left(miner) == ["c1 step", "c2 start", "c3 activity", "c4 start", "c4 step"]
    await hub.redact(topic, offsets[2])
    assert await left(miner) == ["c1 step", "c3 activity", "c4 start", "c4 step"]
    await hub.redact(topic, offsets[3])  # no deviation names it
    assert await left(miner) == ["c1 step", "c3 activity", "c4 start", "c4 step"]
    await hub.redact(topic, offsets[0])
    assert await left(miner) == ["c3 activity", "c4 start", "c4 step"]
    await hub.redact(topic, offsets[5])
    assert [one for one in await left(miner) if one.startswith("c4")] == []


async def test_a_deviation_that_comes_after_the_redaction_is_redacted_too(miner: Miner) -> None:
    offsets, hub, topic = await judged(miner), miner.server.hub, f"process.{miner.name}"
    retraction = Retraction(hub, Processes(hub))
    late = (await hub.read(f"{topic}.deviations")).events[1]
    await hub.redact(topic, offsets[2])
    await retraction.look()
    await hub.log.append(f"{topic}.deviations", [(late.type, late.data)])
    await hub.log.append(f"{topic}.deviations", [("deviation", "{}"), ("deviation", '{"offset":"x","from":""}')])
    await retraction.look()
    page = await hub.read(f"{topic}.deviations")
    assert [one.redacted for one in page.events] == [False, True, False, False, False, True, False, False]


async def test_deviations_go_with_the_topic_of_their_process(miner: Miner) -> None:
    await judged(miner)
    hub, topic = miner.server.hub, f"process.{miner.name}"
    await hub.delete(topic)
    await Derivations(hub).look()
    assert await hub.topics(f"{topic}.deviations") == []
    await miner.publish(event("d1", "paid", 1))
    assert [one["case"] for one in await deviations(miner, 1)] == ["d1"]
    await Derivations(hub).look()
    assert await left(miner) == ["d1 start"]


async def test_deviations_of_an_earlier_life_are_deleted_before_those_of_the_next(miner: Miner) -> None:
    await judged(miner)
    hub, topic = miner.server.hub, f"process.{miner.name}"
    await hub.delete(topic)
    await miner.publish(event("d1", "paid", 1))
    async with asyncio.timeout(PATIENCE):
        found: list[str] = []
        while found != ["d1"]:
            await asyncio.sleep(0.02)
            with suppress(NotFound):  # before there is the first of the next life
                found = [one.json()["case"] for one in (await hub.read(f"{topic}.deviations")).events]


async def test_texts_of_a_process_leave_the_file_while_nobody_asks(tmp_path: Path) -> None:
    store, words = f"sqlite:///{tmp_path}/tidings.db", ("lanternfish", "anglerfish")
    offsets: list[Any] = []
    async with Hub(store) as hub:
        for name, word in zip("ab", words, strict=True):
            topic = f"process.{name}"
            data = [("message", text_of(event(word, f"{word} paid", n))) for n in range(600)]
            offsets.append((await hub.log.append(topic, data)).first)
            told = {"from": "", "to": f"{word} paid", "case": word, "offset": str(offsets[-1])}
            marks = {PUBLISHED: True, derived_from(topic, offsets[-1].epoch): True}
            await hub.log.append(f"{topic}.deviations", [("deviation", text_of(told))], labels=marks)
            states = Processes(hub).projections
            await states.get(topic)
            await states.close()
            assert await hub.topics(f"snapshots.{topic}")
    with ServerProcess(store):
        async with Hub(store) as hub:
            await hub.log.redact_all("process.a", offsets[0].epoch, range(1, 601))
            await hub.delete("process.b")
        async with asyncio.timeout(PATIENCE):
            while any(is_in_a_file(word, tmp_path) for word in words):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            async with Hub(store) as hub:  # snapshots are compressed
                while await hub.topics("snapshots.process.b"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
                while (await read(hub, "process.a"))[0].redactions < 600:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
