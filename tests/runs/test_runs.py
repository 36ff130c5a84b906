"""Starting runs over the real hub, and leaving them: they belong to no request and always end."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from tests.runs.scripted import Scripted, forever, only, says, sound, story, text, told, types, until
from tidings import Hub
from tidings.errors import Closed, InvalidRequest, NotFound, Unavailable
from tidings.runs import runs
from tidings.runs.runs import About
from tidings.wire.run_events import TERMINAL

# Starting.


async def test_a_run_begins_with_what_was_asked(hub: Hub) -> None:
    run = await hub.runs.start(says("Hello"), "Hello?", about={"assistant": "docs", "model": "tiny", "by": "ann"})
    assert run.created
    assert run.topic == f"runs.{run.id}"
    began = (await story(run))[0]
    assert began == {
        "type": "run.started", "turn": run.id, "assistant": "docs", "attempt": 1, "model": "tiny", "input": "Hello?",
        "by": "ann",
    }  # fmt: skip
    shown = await hub.runs.start(says("Hello"), [("user", "Hello?")], about={"text": "Hello?"})
    assert (await story(shown))[0]["input"] == "Hello?"


async def test_another_attempt_is_of_the_same_turn(hub: Hub) -> None:
    first = await hub.runs.start(says("a"), "?")
    second = await hub.runs.start(says("b"), "?", about={"parent": first.id})
    began = (await story(second))[0]
    assert (began["turn"], began["attempt"], began["parent"]) == (first.id, 2, first.id)


@pytest.mark.parametrize("parent", ["0" * 26, "x", "", 7])
async def test_a_parent_that_is_no_run_is_refused_and_nothing_is_stored(hub: Hub, parent: Any) -> None:
    with pytest.raises(InvalidRequest if parent == 7 else NotFound):
        await hub.runs.start(says("b"), "?", key="k", announce="conv", about={"parent": parent})
    assert await hub.topics() == []
    assert not await hub.leases.lapsed()


async def test_a_start_that_is_repeated_after_its_parent_was_deleted_is_the_same_run(hub: Hub) -> None:
    first = await hub.runs.start(says("a"), "?")
    await first.wait()
    second = await hub.runs.start(says("b"), "?", key="k", about={"parent": first.id})
    await hub.delete(first.topic)
    again = await hub.runs.start(says("b"), "?", key="k", about={"parent": first.id})
    assert (again.id, again.created) == (second.id, False)


async def test_a_parent_whose_beginning_is_redacted_leaves_a_turn_of_its_own(hub: Hub) -> None:
    first = await hub.runs.start(says("a"), "?")
    await first.wait()
    await hub.redact(first.topic, (await hub.read(first.topic)).events[0].offset)
    second = await hub.runs.start(says("b"), "?", about={"parent": first.id})
    began = (await story(second))[0]
    assert (began["turn"], began["attempt"], began["parent"]) == (second.id, 1, first.id)


async def test_an_async_generator_of_text_is_a_run_too(hub: Hub) -> None:
    async def answer(question: str) -> AsyncIterator[str]:
        yield "You asked: "
        yield question

    said = await told(hub, answer, "Why?")
    sound(said)
    assert text(said) == "You asked: Why?"
    assert said[-1]["outcome"] == "success"


async def coroutine(question: str) -> str:
    return question


@pytest.mark.parametrize("runnable", ["notarunnable", None, 7, lambda _: "text", coroutine, Scripted])
async def test_an_invalid_runnable_starts_no_run_and_frees_its_key(hub: Hub, runnable: Any) -> None:
    with pytest.raises(InvalidRequest):
        await hub.runs.start(runnable, "?", key="k", announce="conv")
    assert await hub.topics() == []
    assert not await hub.leases.lapsed()
    run = await hub.runs.start(says("Hello"), "?", key="k", announce="conv")
    assert run.created
    assert text(await story(run)) == "Hello"


@pytest.mark.parametrize(
    "wrong",
    [
        {"announce": "a~b"},
        {"announce": 7},
        {"key": 7},
        {"about": {"who": "ann"}},
        *[{"about": {name: 7}} for name in About.__annotations__],
        {"input": "\ud800"},
        {"about": {"by": "\ud800"}, "key": "k"},
        {"key": "\ud800"},
    ],
)
async def test_a_start_with_a_wrong_parameter_stores_nothing(hub: Hub, wrong: Any) -> None:
    with pytest.raises(InvalidRequest):
        await hub.runs.start(says("Hello"), **{"input": "?", **wrong})
    assert await hub.topics() == []
    assert not await hub.leases.lapsed()


async def test_a_conversation_is_told_before_the_model_is_called(hub: Hub) -> None:
    async def answer(question: str) -> AsyncIterator[str]:
        page = await hub.read("rooms.lobby")
        yield page.events[0].data

    run = await hub.runs.start(answer, "Why?", announce="rooms.lobby", about={"assistant": "docs", "by": "ann"})
    created = json.loads(text((await story(run))[1:]))
    assert created == {"run": run.id, "assistant": "docs", "input": "Why?", "parent": None, "by": "ann"}
    assert [event.type for event in (await hub.read("rooms.lobby")).events] == ["run.created"]


async def test_a_run_knows_where_it_was_announced_and_what_asked_for_it(hub: Hub) -> None:
    question = await hub.publish("rooms.lobby", "Why?")
    run = await hub.runs.start(says("a"), "Why?", announce="rooms.lobby", about={"by": "ann", "asked": question})
    began = (await story(run))[0]
    assert (began["topic"], began["asked"], began["by"]) == ("rooms.lobby", str(question), "ann")
    created = json.loads((await hub.read("rooms.lobby")).events[1].data)
    assert created["asked"] == str(question)


async def test_a_run_that_cannot_be_announced_fails_without_calling_its_model(hub: Hub) -> None:
    await hub.publish("rooms.old", "bye", close=True)
    model = says("Hello")
    with pytest.raises(Closed):
        await hub.runs.start(model, "?", announce="rooms.old", key="k", about={"by": "ann"})
    again = await hub.runs.get(runs._derived_id("ann", "k"))
    assert types(await story(again)) == ["run.started", "run.failed"]
    assert model.calls == 0


async def test_the_same_key_of_the_same_subject_is_one_run(hub: Hub) -> None:
    model = says("Hello")
    options: Any = {"key": "k", "about": {"by": "ann"}, "announce": "rooms.lobby"}
    started = await asyncio.gather(*[hub.runs.start(model, "?", **options) for _ in range(5)])
    assert len({run.id for run in started}) == 1
    assert sum(run.created for run in started) == 1
    await started[0].wait()
    late = await hub.runs.start(model, "?", **options)
    assert (late.id, late.created) == (started[0].id, False)
    assert model.calls == 1
    assert len((await hub.read("rooms.lobby")).events) == 1
    assert (await hub.runs.start(says("a"), "?", key="k", about={"by": "bob"})).id != late.id


async def test_a_caller_that_leaves_while_starting_leaves_a_run(hub: Hub) -> None:
    """Cancelled at any of its steps, a start leaves a run that ends, or none."""
    for steps in range(8):
        start = asyncio.create_task(hub.runs.start(says("Hello"), "?", key=str(steps), announce="rooms.lobby"))
        for _ in range(steps):
            await asyncio.sleep(0)
        start.cancel()
        await asyncio.wait({start})
        run = await hub.runs.start(says("Hello"), "?", key=str(steps), announce="rooms.lobby")
        assert (await run.wait()).type == "run.finished"
    assert len((await hub.read("rooms.lobby")).events) == 8


def test_ids_sort_by_time_and_fit_a_topic() -> None:
    ids = [runs.new_id() for _ in range(100)]
    assert [id[:10] for id in ids] == sorted(id[:10] for id in ids)
    assert all(len(id) == 26 and id.isalnum() and id == id.upper() for id in ids)
    assert len(set(ids)) == 100
    assert runs._derived_id("a", "b") == runs._derived_id("a", "b") != runs._derived_id("ab", "")


async def test_a_run_has_its_lease_before_it_begins(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies in between leaves nothing, or a run that somebody ends."""
    append = hub.log.append

    async def checked(topic: str, items: Any, **options: Any) -> Any:
        assert await hub.leases.lease(topic, 60.0, renew=True)
        return await append(topic, items, **options)

    monkeypatch.setattr(hub.log, "append", checked)
    assert (await told(hub, says("Hello")))[-1]["outcome"] == "success"


# Leaving.


async def test_a_hub_that_closes_lets_runs_finish_within_the_grace(store_url: str) -> None:
    gate = asyncio.Event()
    async with Hub(store_url) as hub:
        run = await hub.runs.start(says("Hel", gate, "lo"), "?")
        end = asyncio.create_task(run.wait())
        await until(run, "block.delta")
        hub.drain()
        with pytest.raises(Unavailable):
            await hub.runs.start(says("no"), "?")
        asyncio.get_running_loop().call_soon(gate.set)
    assert json.loads((await end).data)["outcome"] == "success"


async def test_a_hub_that_closes_interrupts_what_takes_longer(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as hub:
        hub.runs.grace = 0.01
        run = await hub.runs.start(forever, "?")
        await until(run, "block.delta")
    async with Hub(url) as hub:
        said = await story(await hub.runs.get(run.id))
        sound(said)
        assert said[-1]["outcome"] == "interrupted"
        assert only(said, "block.finished")[0]["content"] == "So far"


# All of it at once.


@pytest.mark.parametrize("seed", range(3))
async def test_every_run_ends_exactly_once(hub: Hub, seed: int) -> None:
    """Many runs, ended by themselves, by errors, by stops and by the reaper, in any order: one end each, the last."""
    dice = random.Random(seed)

    def script() -> list[Any]:
        parts: list[Any] = [AIMessageChunk(content="a ") for _ in range(dice.randint(0, 20))]
        parts.insert(dice.randint(0, len(parts)), lambda: asyncio.sleep(dice.random() * 0.02))
        if dice.random() < 0.3:
            parts.insert(dice.randint(0, len(parts)), RuntimeError("no"))
        return parts

    async def one() -> None:
        run = await hub.runs.start(says(*script()), "?")
        await asyncio.sleep(dice.random() * 0.02)
        if dice.random() < 0.4:
            await run.stop()
        if dice.random() < 0.4:
            await hub.leases.lease(run.topic, -1.0, renew=False)
            hub.runs._producers.pop(run.id, None)
            await hub.runs._reaper.reap()
        said = await story(run)
        sound(said)
        assert (await run.wait()).type in TERMINAL

    await asyncio.gather(*[one() for _ in range(30)])
