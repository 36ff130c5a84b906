"""The ends of a run: its own, an error, a stop, the loss of its log, and a store that is away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.runs.scripted import RateLimitError, forever, gone, only, says, sound, story, text, told, until
from tidings import Hub
from tidings.errors import NotFound, OutcomeUnknown, Unavailable

# Ending: errors.


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


async def test_a_generator_of_bytes_fails_at_once(hub: Hub) -> None:
    async def confused(_: Any) -> AsyncIterator[Any]:
        yield "So far"
        yield b"bytes"

    said = await told(hub, confused)
    sound(said)
    assert text(said) == "So far"
    assert (said[-1]["code"], said[-1]["message"]) == (
        "invalid_request", "An async generator of a run yields text, and this one yielded bytes.",
    )  # fmt: skip


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
    head = await hub.log.describe(run.topic)
    assert head is not None
    await hub.log.append(run.topic, [("run.finished", "{}")], expected=head.epoch, close=True)
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
    assert await hub.log.describe(run.topic) is None
    with pytest.raises(NotFound):
        await waiting
    with pytest.raises(NotFound):
        await run.state()


async def test_a_producer_that_lost_its_lease_stops(hub: Hub) -> None:
    run = await hub.runs.start(forever, "?")
    await until(run, "block.delta")
    await hub.leases.release(run.topic)
    await hub.runs._renew()
    await gone(hub)


async def test_a_producer_that_is_ending_its_run_is_not_stopped(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The producer learns that its topic is closed, perhaps before it learns that it closed the topic itself."""
    append, ending, go_on = hub.log.append, asyncio.Event(), asyncio.Event()

    async def slow(topic: str, items: Any, **options: Any) -> Any:
        if options.get("close"):
            ending.set()
            await go_on.wait()
        return await append(topic, items, **options)

    monkeypatch.setattr(hub.log, "append", slow)
    run = await hub.runs.start(says("Hello"), "?")
    await ending.wait()
    hub.runs._producers[run.id].abandon("its topic was closed.")
    go_on.set()
    assert json.loads((await run.wait()).data)["outcome"] == "success"
    assert "is stopped" not in caplog.text


# The store.


async def test_a_store_that_is_away_for_a_moment_costs_no_run(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.01)
    append = hub.log.append
    refused: list[str] = []

    async def away(topic: str, *args: Any, **options: Any) -> Any:
        if len(refused) < 3 and topic.startswith("runs.") and refused_from_now:
            refused.append(topic)
            raise Unavailable("The disk is full.")
        return await append(topic, *args, **options)

    refused_from_now = False
    monkeypatch.setattr(hub.log, "append", away)
    gate = asyncio.Event()
    run = await hub.runs.start(says("Hel", gate, "lo"), "?")
    await until(run, "block.delta")
    refused_from_now = True
    gate.set()
    said = await story(run)
    sound(said)
    assert text(said) == "Hello"
    assert len(refused) == 3


async def test_a_store_that_cannot_say_whether_it_wrote_costs_no_run_and_doubles_no_token(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.001)
    append, asked = hub.log.append, []

    async def unsure(topic: str, items: Any, **options: Any) -> Any:
        appended = await append(topic, items, **options)
        if "block.delta" in dict(items):
            asked.append(items)
            raise OutcomeUnknown("The connection died.")
        return appended

    monkeypatch.setattr(hub.log, "append", unsure)
    said = await story(await hub.runs.start(says("Hel", "lo"), "?"))
    sound(said)
    assert text(said) == "Hello"
    assert asked


async def test_a_store_that_stays_away_is_given_up(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidings.runs.writer.PATIENCE", 0.0)
    monkeypatch.setattr("tidings.runs.writer.PAUSE", 0.001)
    append = hub.log.append

    async def away(topic: str, items: Any, **options: Any) -> Any:
        if "block.delta" in dict(items):
            raise Unavailable("The disk is full.")
        return await append(topic, items, **options)

    monkeypatch.setattr(hub.log, "append", away)
    run = await hub.runs.start(forever, "?")
    await gone(hub)
    assert (await run.state()).state == "running"
    assert await hub.leases.lease(run.topic, 6.0, renew=True), "its lease stays, for another to find"


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
    append, said_all = hub.log.append, asyncio.Event()

    async def slow(topic: str, items: Any, **options: Any) -> Any:
        if any(type == "block.delta" for type, _ in items):
            await said_all.wait()
        return await append(topic, items, **options)

    async def finish() -> None:
        said_all.set()

    monkeypatch.setattr(hub.log, "append", slow)
    said = await told(hub, says(*[f"{i} " for i in range(500)], finish, "end"))
    sound(said)
    assert text(said) == "".join(f"{i} " for i in range(500)) + "end"
    assert len(only(said, "block.delta")) <= 3


async def test_a_store_that_never_comes_holds_up_the_model_before_memory_is_full(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, open_store, many, made = hub.log.append, asyncio.Event(), asyncio.Event(), 0

    async def stuck(topic: str, items: Any, **options: Any) -> Any:
        if any(type == "block.delta" for type, _ in items):
            await open_store.wait()
        return await append(topic, items, **options)

    async def endless(_: Any) -> AsyncIterator[str]:
        nonlocal made
        for made in range(200):
            if made > 20:
                many.set()
            yield "x" * 50_000

    monkeypatch.setattr(hub.log, "append", stuck)
    run = await hub.runs.start(endless, "?")
    await many.wait()
    # The model goes on without a pause until it has to wait, within one turn of the loop or a few.
    before = -1
    while before != made:
        before = made
        for _ in range(100):
            await asyncio.sleep(0)
    assert made < 60
    open_store.set()
    said = await story(run)
    sound(said[1:])
    assert text(said) == "x" * 50_000 * 200
