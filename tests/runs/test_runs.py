"""Runs over the real hub: they belong to no request, they always end, and only once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk

from tests.runs.scripted import only, says, sound, story, text, told, types
from tidings.errors import Closed, Invalid, NotFound, TooLarge, Unavailable, Uncertain
from tidings.events import Event
from tidings.hub import Hub
from tidings.runs import Run, runs
from tidings.wire.run_events import TERMINAL


async def until(run: Run, type: str) -> Event:
    async for event in run.events():
        if event.type == type:
            return event
    raise AssertionError(f"the run ended without {type}")


async def forever(_: Any) -> AsyncIterator[str]:
    yield "So far"
    await asyncio.Event().wait()


# Starting.


async def test_a_run_begins_with_what_was_asked(hub: Hub) -> None:
    run = await hub.runs.start(says("Hello"), "Hello?", assistant="docs", model="tiny", by="ann")
    assert run.created
    assert run.topic == f"runs.{run.id}"
    began = (await story(run))[0]
    assert began == {
        "type": "run.started", "turn": run.id, "assistant": "docs", "attempt": 1, "model": "tiny", "input": "Hello?",
    }  # fmt: skip
    shown = await hub.runs.start(says("Hello"), [("user", "Hello?")], text="Hello?")
    assert (await story(shown))[0]["input"] == "Hello?"


async def test_another_attempt_is_of_the_same_turn(hub: Hub) -> None:
    first = await hub.runs.start(says("a"), "?")
    second = await hub.runs.start(says("b"), "?", parent=first.id)
    began = (await story(second))[0]
    assert (began["turn"], began["attempt"], began["parent"]) == (first.id, 2, first.id)
    lost = await hub.runs.start(says("b"), "?", parent=runs.new_id())
    assert (await story(lost))[0]["turn"] == lost.id


async def test_an_async_generator_of_text_is_a_run_too(hub: Hub) -> None:
    async def answer(question: str) -> AsyncIterator[str]:
        yield "You asked: "
        yield question

    said = await told(hub, answer, "Why?")
    sound(said)
    assert text(said) == "You asked: Why?"
    assert said[-1]["outcome"] == "success"


async def test_what_makes_no_run_is_refused_and_nothing_is_left_running(hub: Hub) -> None:
    with pytest.raises(Invalid):
        await hub.runs.start(lambda _: "text", "?")
    assert not await hub.store.lapsed()


async def test_a_conversation_is_told_before_the_model_is_called(hub: Hub) -> None:
    async def answer(question: str) -> AsyncIterator[str]:
        page = await hub.read("rooms.lobby")
        yield page.events[0].data

    run = await hub.runs.start(answer, "Why?", assistant="docs", announce="rooms.lobby", by="ann")
    created = json.loads(text((await story(run))[1:]))
    assert created == {"run": run.id, "assistant": "docs", "input": "Why?", "parent": None, "by": "ann"}
    assert [event.type for event in (await hub.read("rooms.lobby")).events] == ["run.created"]


async def test_a_run_that_cannot_be_announced_fails_without_calling_its_model(hub: Hub) -> None:
    await hub.publish("rooms.old", "bye", close=True)
    model = says("Hello")
    with pytest.raises(Closed):
        await hub.runs.start(model, "?", announce="rooms.old", key="k", by="ann")
    again = await hub.runs.get(runs._derived_id("ann", "k"))
    assert types(await story(again)) == ["run.started", "run.failed"]
    assert model.calls == 0


async def test_the_same_key_of_the_same_subject_is_one_run(hub: Hub) -> None:
    model = says("Hello")
    options: Any = {"key": "k", "by": "ann", "announce": "rooms.lobby"}
    started = await asyncio.gather(*[hub.runs.start(model, "?", **options) for _ in range(5)])
    assert len({run.id for run in started}) == 1
    assert sum(run.created for run in started) == 1
    await started[0].wait()
    late = await hub.runs.start(model, "?", **options)
    assert (late.id, late.created) == (started[0].id, False)
    assert model.calls == 1
    assert len((await hub.read("rooms.lobby")).events) == 1
    assert (await hub.runs.start(says("a"), "?", key="k", by="bob")).id != late.id


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


# Following.


async def test_any_number_of_viewers_from_any_offset_see_the_same(hub: Hub) -> None:
    run = await hub.runs.start(says(*[f"{i} " for i in range(50)]), "?")
    live, late = await asyncio.gather(collect(run), collect(run))
    assert live == late == await collect(run)
    for i in (0, 1, len(live) // 2, len(live) - 1):
        assert await collect(run, live[i]) == live[i + 1 :]


async def collect(run: Run, after: Event | None = None) -> list[Event]:
    return [event async for event in run.events(after.offset if after else None)]


async def test_a_viewer_that_leaves_cancels_nothing(hub: Hub) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    async for event in run.events():
        if event.type == "block.delta":
            break
    gate.set()
    assert text((await story(run))[1:]) == "Hello"


async def test_how_a_failed_run_is(hub: Hub) -> None:
    run = await hub.runs.start(says(RateLimitError("key 1234")), "?")
    await run.wait()
    state = await run.state()
    assert (state.state, state.outcome) == ("failed", None)
    assert state.error is not None
    assert (state.error["code"], state.error["retryable"]) == ("rate_limit", True)
    with pytest.raises(Closed):
        await hub.runs.answer(run.id, "r", "too late")


async def test_how_a_run_is(hub: Hub) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?", assistant="docs", model="tiny")
    await until(run, "block.delta")
    state = await run.state()
    assert (state.state, state.outcome, state.ended, state.error) == ("running", None, None, None)
    assert (state.run, state.topic, state.assistant, state.model) == (run.id, run.topic, "docs", "tiny")
    gate.set()
    end = await run.wait()
    state = await run.state()
    assert (state.state, state.outcome, state.ended, state.offset) == ("finished", "success", end.time, str(end.offset))


async def test_a_run_that_is_not(hub: Hub) -> None:
    for id in (runs.new_id(), "x", "../x", "", "é" * 26):
        with pytest.raises(NotFound):
            await hub.runs.get(id)
        with pytest.raises(NotFound):
            await hub.runs.stop(id)
        with pytest.raises(NotFound):
            await hub.runs.answer(id, "r", "yes")


async def test_a_topic_that_was_closed_by_hand_is_an_interrupted_run(hub: Hub) -> None:
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    await hub.close_topic(run.topic)
    with pytest.raises(Closed):
        await run.wait()
    assert (await run.state()).state == "interrupted"
    await gone(hub)


async def gone(hub: Hub) -> None:
    """No run is made by this process any more."""
    while hub.runs._producers:
        await asyncio.wait([producer.task for producer in hub.runs._producers.values() if producer.task])
        await asyncio.sleep(0)


# Ending: errors.


class RateLimitError(Exception):
    status_code = 429


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [(RuntimeError("the password is 1234"), "internal", False), (RateLimitError("key 1234"), "rate_limit", True)],
)
@pytest.mark.parametrize("before", [[], ["Hel", "lo"]])
async def test_an_error_of_the_model_fails_the_run_in_safe_words(
    hub: Hub, caplog: pytest.LogCaptureFixture, error: Exception, code: str, retryable: bool, before: list[str]
) -> None:
    said = await told(hub, says(*before, error))
    sound(said)
    assert (said[-1]["type"], said[-1]["code"], said[-1]["retryable"]) == ("run.failed", code, retryable)
    assert "1234" not in json.dumps(said)
    assert "1234" in caplog.text, "the log has it all"
    assert [message["finish"] for message in only(said, "message.finished")] == ["error"]
    for block in only(said, "block.finished"):
        assert (block["content"], block["status"]) == ("Hello", "incomplete")


async def test_an_error_that_was_written_to_be_shown_is_shown(hub: Hub) -> None:
    said = await told(hub, says(Unavailable("No model is configured.")))
    assert (said[-1]["code"], said[-1]["message"]) == ("unavailable", "No model is configured.")


@pytest.mark.parametrize("before", [[], ["Hel"]])
async def test_a_model_that_cancels_itself_has_not_finished(hub: Hub, before: list[str]) -> None:
    """LangChain swallows it, and the answer would look whole."""
    said = await told(hub, says(*before, asyncio.CancelledError()))
    sound(said)
    assert (said[-1]["type"], said[-1]["code"]) == ("run.failed", "broken_off")

    async def generator(_: Any) -> AsyncIterator[str]:
        yield "Hel"
        raise asyncio.CancelledError

    said = await told(hub, generator)
    sound(said)
    assert (said[-1]["type"], said[-1]["code"]) == ("run.failed", "broken_off")


# Ending: stop.


async def test_stop_reaches_the_awaiting_model_and_keeps_the_text(hub: Hub) -> None:
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    run = await hub.runs.start(says("So ", "far", hang, "never"), "?")
    await until(run, "block.delta")
    await asyncio.gather(run.stop(by="ann"), run.stop(by="bob"), hub.runs.stop(run.id))
    said = await story(run)
    sound(said)
    assert ended == ["cancelled"]
    assert len(only(said, "stop.requested")) == 1
    [block] = only(said, "block.finished")
    assert (block["content"], block["status"]) == (text(said), "incomplete")
    assert (said[-1]["outcome"], said[-1]["finish"]) == ("cancelled", "interrupted")
    assert (await run.state()).state == "cancelled"
    tail = (await run.state()).offset
    await run.stop()
    assert (await run.state()).offset == tail, "stopping a run that has ended is nothing"


async def test_a_run_stopped_before_its_model_says_anything(hub: Hub) -> None:
    run = await hub.runs.start(says(asyncio.Event()), "?")
    await run.stop()
    said = await story(run)
    sound(said)
    assert said[-1]["outcome"] == "cancelled"


async def test_a_model_that_fails_while_it_is_stopped_was_stopped(hub: Hub) -> None:
    async def stubborn(_: Any) -> AsyncIterator[str]:
        yield "So far"
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("closing the connection failed")

    run = await hub.runs.start(stubborn, "?")
    await until(run, "block.delta")
    await run.stop()
    assert json.loads((await run.wait()).data)["outcome"] == "cancelled"


async def test_a_run_that_is_stopped_and_then_interrupted_was_stopped(hub: Hub) -> None:
    cleaned_up = asyncio.Event()

    async def slow_to_end(_: Any) -> AsyncIterator[str]:
        yield "So far"
        try:
            await asyncio.Event().wait()
        finally:
            await cleaned_up.wait()

    run = await hub.runs.start(slow_to_end, "?")
    await until(run, "block.delta")
    producer = hub.runs._producers[run.id]
    producer.cut("cancelled")
    await asyncio.sleep(0)
    producer.cut("interrupted")
    cleaned_up.set()
    assert json.loads((await run.wait()).data)["outcome"] == "cancelled"


async def test_a_model_that_ignores_being_stopped_is_left_behind(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.runs.producer.STUBBORN", 0.01)
    release = asyncio.Event()
    said_more = asyncio.Event()

    async def deaf(_: Any) -> AsyncIterator[str]:
        yield "So far"
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        said_more.set()
        yield " and more"

    run = await hub.runs.start(deaf, "?")
    await until(run, "block.delta")
    await run.stop()
    said = await story(run)
    release.set()
    await said_more.wait()
    await asyncio.sleep(0)
    sound(said)
    assert said == await story(run), "what it says later is not part of the run"
    assert text(said[1:]) == "So far"


# The fence.


async def test_a_producer_that_finds_its_run_ended_says_nothing_more(
    hub: Hub, caplog: pytest.LogCaptureFixture
) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    await until(run, "block.delta")
    head = await hub.describe(run.topic)
    assert head is not None
    await hub.append(run.topic, [("run.finished", "{}")], expected=head.epoch, close=True)
    gate.set()
    await gone(hub)
    assert [event.type async for event in run.events()][-1] == "run.finished"
    assert "Traceback" not in caplog.text


async def test_a_producer_whose_topic_is_deleted_stops_and_does_not_create_it_anew(hub: Hub) -> None:
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    waiting = asyncio.create_task(run.wait())
    await asyncio.sleep(0)
    await hub.delete(run.topic)
    await gone(hub)
    assert await hub.describe(run.topic) is None
    with pytest.raises(NotFound):
        await waiting
    with pytest.raises(NotFound):
        await run.state()


async def test_a_producer_that_lost_its_lease_stops(hub: Hub) -> None:
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    await hub.store.release(run.topic)
    await hub.runs._renew()
    await gone(hub)


async def test_a_producer_that_is_ending_its_run_is_not_stopped(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It learns that its topic was closed, maybe before it learns that it has closed it."""
    append, ending, go_on = hub.append, asyncio.Event(), asyncio.Event()

    async def slow(topic: str, items: Any, **options: Any) -> Any:
        if options.get("close"):
            ending.set()
            await go_on.wait()
        return await append(topic, items, **options)

    monkeypatch.setattr(hub, "append", slow)
    run = await hub.runs.start(says("Hello"), "?")
    await ending.wait()
    hub.runs._producers[run.id].lose("its topic was closed.")
    go_on.set()
    assert json.loads((await run.wait()).data)["outcome"] == "success"
    assert "is stopped" not in caplog.text


# Leases and the reaper.


async def dead_run(hub: Hub) -> Run:
    """A run whose producer fell silent in the middle of an answer, and whose lease has lapsed."""
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    producer = hub.runs._producers.pop(run.id)
    producer._writer._task.cancel()
    assert producer.task is not None
    await asyncio.wait({producer.task})
    await hub.store.lease(run.topic, -1.0, renew=False)
    return run


async def test_a_dead_run_is_interrupted_with_what_there_is_of_it(hub: Hub) -> None:
    run = await dead_run(hub)
    await asyncio.gather(*[hub.runs._reap() for _ in range(3)])
    said = await story(run)
    sound(said)
    assert types(said)[-4:] == ["block.delta", "block.finished", "message.finished", "run.finished"]
    [block] = only(said, "block.finished")
    assert (block["content"], block["status"]) == ("So far", "incomplete")
    assert (said[-1]["outcome"], said[-1]["finish"]) == ("interrupted", "interrupted")
    assert not await hub.store.lapsed()


async def test_a_run_that_ended_is_not_ended_again(hub: Hub) -> None:
    run = await hub.runs.start(says("Hello"), "?")
    end = await run.wait()
    await gone(hub)
    assert not await hub.store.lapsed()
    await hub.store.lease(run.topic, -1.0, renew=False)
    await hub.runs._reap()
    assert (await run.wait()).offset == end.offset
    assert not await hub.store.lapsed()


async def test_a_run_too_large_to_close_in_full_still_ends(hub: Hub) -> None:
    run = await dead_run(hub)
    append = hub.append

    async def small(topic: str, items: Any, **options: Any) -> Any:
        if len(items) > 1:
            raise TooLarge("One append holds at most so much.")
        return await append(topic, items, **options)

    hub.append = small  # type: ignore[method-assign]
    await hub.runs._reap()
    assert (await run.state()).state == "interrupted"


async def test_a_dead_run_of_many_pages_is_read_to_its_end(hub: Hub) -> None:
    run = await dead_run(hub)
    head = await hub.describe(run.topic)
    assert head is not None
    delta = (await until(run, "block.delta")).data
    await hub.append(run.topic, [("block.delta", delta)] * 2500, expected=head.epoch)
    await hub.runs._reap()
    said = await story(run)
    sound(said)
    assert only(said, "block.finished")[0]["content"] == "So far" * 2501


async def test_a_process_does_not_end_its_own_run_that_it_was_too_busy_to_renew(hub: Hub) -> None:
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    await until(run, "block.delta")
    await hub.store.lease(run.topic, -1.0, renew=False)
    await hub.runs._reap()
    gate.set()
    assert json.loads((await run.wait()).data)["outcome"] == "success"


async def test_a_lease_of_a_run_that_never_began_makes_none(hub: Hub) -> None:
    topic = f"runs.{runs.new_id()}"
    await hub.store.lease(topic, -1.0, renew=False)
    await hub.runs._reap()
    assert await hub.describe(topic) is None
    assert not await hub.store.lapsed()


async def test_leases_of_others_are_left_alone(hub: Hub) -> None:
    await hub.publish("runs.of-somebody-else", "x")
    await hub.store.lease("runs.of-somebody-else", -1.0, renew=False)
    await hub.store.lease("jobs.1", -1.0, renew=False)
    await hub.runs._reap()
    assert set(await hub.store.lapsed()) == {"runs.of-somebody-else", "jobs.1"}


async def test_a_producer_that_says_something_after_all_is_not_interrupted(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await dead_run(hub)
    read = hub.read

    async def read_and_let_it_wake(*args: Any) -> Any:
        page = await read(*args)
        await hub.append(run.topic, [("data", "{}")], expected=page.tail.epoch)
        return page

    monkeypatch.setattr(hub, "read", read_and_let_it_wake)
    await hub.runs._reap()
    assert (await run.state()).state == "running"


async def test_the_reaper_survives_a_store_that_is_away(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await dead_run(hub)
    monkeypatch.setattr(runs, "BEAT", 0.01)
    lapsed, asked = hub.store.lapsed, []

    async def away(limit: int = 100) -> Sequence[str]:
        asked.append(limit)
        if len(asked) < 3:
            raise (Unavailable("away") if len(asked) == 1 else RuntimeError("a bug"))
        return await lapsed(limit)

    monkeypatch.setattr(hub.store, "lapsed", away)
    for keeper in hub.runs._keepers:
        keeper.cancel()
    await asyncio.wait(hub.runs._keepers)
    hub.runs._keepers.clear()
    hub.runs.open()
    assert (await run.wait()).type == "run.finished"


# The store.


async def test_a_store_that_is_away_for_a_moment_costs_no_run(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.01)
    append = hub.append
    refused: list[str] = []

    async def away(topic: str, *args: Any, **options: Any) -> Any:
        if len(refused) < 3 and topic.startswith("runs.") and refused_from_now:
            refused.append(topic)
            raise Unavailable("The disk is full.")
        return await append(topic, *args, **options)

    refused_from_now = False
    monkeypatch.setattr(hub, "append", away)
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    await until(run, "block.delta")
    refused_from_now = True
    gate.set()
    said = await story(run)
    sound(said)
    assert text(said) == "Hello"
    assert len(refused) == 3


async def test_a_store_that_cannot_say_whether_it_wrote_is_not_asked_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tokens could be in the log twice. The run is left to whoever finds its lease lapsed."""
    append, asked = hub.append, []
    refused = asyncio.Event()

    async def unsure(topic: str, items: Any, **options: Any) -> Any:
        if "block.delta" in dict(items):
            asked.append(items)
            refused.set()
            raise Uncertain("The connection died.")
        return await append(topic, items, **options)

    monkeypatch.setattr(hub, "append", unsure)
    run = await hub.runs.start(says("Hel", "lo"), "?")
    await refused.wait()
    await gone(hub)
    assert (len(asked), (await run.state()).state) == (1, "running")
    await hub.store.lease(run.topic, -1.0, renew=False)
    await hub.runs._reap()
    assert (await run.state()).state == "interrupted"


async def test_a_store_that_stays_away_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.runs.writer.PATIENCE", 0.0)
    monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.001)
    append = hub.append

    async def away(topic: str, items: Any, **options: Any) -> Any:
        if "block.delta" in dict(items):
            raise Unavailable("The disk is full.")
        return await append(topic, items, **options)

    monkeypatch.setattr(hub, "append", away)
    run = await hub.runs.start(forever, "?")
    await gone(hub)
    assert (await run.state()).state == "running"
    assert await hub.store.lease(run.topic, 6.0, renew=True), "its lease stays, for another to find"


async def test_a_follower_that_the_store_refuses_comes_back(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.runs.producer.PAUSE", 0.001)
    subscribe, asked = hub.subscribe, []

    def away(*args: Any) -> Any:
        asked.append(args)
        if len(asked) == 1:
            raise Unavailable("away")
        return subscribe(*args)

    monkeypatch.setattr(hub, "subscribe", away)
    run = await hub.runs.start(forever, "?")
    await run.stop()
    assert json.loads((await run.wait()).data)["outcome"] == "cancelled"


async def test_a_slow_store_merges_tokens_and_does_not_hold_up_the_model(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, said_all = hub.append, asyncio.Event()

    async def slow(topic: str, items: Any, **options: Any) -> Any:
        if any(type == "block.delta" for type, _ in items):
            await said_all.wait()
        return await append(topic, items, **options)

    async def finish() -> None:
        said_all.set()

    monkeypatch.setattr(hub, "append", slow)
    said = await told(hub, says(*[f"{i} " for i in range(500)], finish, "end"))
    sound(said)
    assert text(said) == "".join(f"{i} " for i in range(500)) + "end"
    assert len(only(said, "block.delta")) <= 3


async def test_a_store_that_never_comes_holds_up_the_model_before_memory_is_full(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, open_store, made = hub.append, asyncio.Event(), 0

    async def stuck(topic: str, items: Any, **options: Any) -> Any:
        if any(type == "block.delta" for type, _ in items):
            await open_store.wait()
        return await append(topic, items, **options)

    async def endless(_: Any) -> AsyncIterator[str]:
        nonlocal made
        for made in range(200):  # noqa: B007
            yield "x" * 50_000

    monkeypatch.setattr(hub, "append", stuck)
    run = await hub.runs.start(endless, "?")
    before = -1
    while before != made or not made:
        before = made
        await asyncio.sleep(0.05)
    assert 20 < made < 60
    open_store.set()
    said = await story(run)
    sound(said[1:])
    assert text(said) == "x" * 50_000 * 200


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
async def test_whatever_happens_a_run_ends_once(hub: Hub, seed: int) -> None:
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
            await hub.store.lease(run.topic, -1.0, renew=False)
            hub.runs._producers.pop(run.id, None)
            await hub.runs._reap()
        said = await story(run)
        sound(said)
        assert (await run.wait()).type in TERMINAL

    await asyncio.gather(*[one() for _ in range(30)])


async def test_a_run_has_its_lease_before_it_begins(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies in between leaves nothing, or a run that somebody ends."""
    append = hub.append

    async def checked(topic: str, items: Any, **options: Any) -> Any:
        assert await hub.store.lease(topic, 60.0, renew=True)
        return await append(topic, items, **options)

    monkeypatch.setattr(hub, "append", checked)
    assert (await told(hub, says("Hello")))[-1]["outcome"] == "success"
