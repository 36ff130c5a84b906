"""An assistant among the people of a room: it is asked by a message, and its answer is an event of the room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.apps.members import SECRET, Member, facts, room, until_told
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tests.runs.scripted import gone
from tidings import Hub
from tidings.apps.rooms.answers import AT_ONCE
from tidings.apps.rooms.context import question_of
from tidings.wire.run_events import RunStarted, from_event

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def answer_in(server: Server, topic: str, count: int = 1) -> list[dict[str, Any]]:
    """The first answers of the room, once they are there."""
    found: list[dict[str, Any]] = []
    async for event in server.hub.subscribe(topic, "earliest"):
        if event.type == "answer.posted":
            found.append(msgspec.json.decode(event.data))
            if len(found) == count:
                break
    return found


async def runs_in(server: Server, topic: str) -> list[str]:
    return [created["run"] for created in await facts(server, topic, "run.created")]


async def input_of(server: Server, run: str) -> RunStarted:
    started = from_event((await server.hub.read(f"runs.{run}")).events[0])
    assert isinstance(started, RunStarted)
    return started


async def test_a_mention_starts_a_run_whose_answer_is_an_event_of_the_room(
    server: Server, mara: Member, tom: Member, id: str
) -> None:
    topic = await room(mara, id, tom)
    asked = await tom.said(topic, "message.posted", text="@assistant Hello| world")
    [answer] = await answer_in(server, topic)
    [created] = await facts(server, topic, "run.created")
    assert created == {
        "run": answer["run"], "assistant": "echo", "input": None, "parent": None, "by": "Tom", "asked": asked,
    }  # fmt: skip
    assert answer == {
        "by": "", "run": created["run"], "assistant": "echo", "text": "Hello world", "outcome": "success",
        "asked": asked,
    }  # fmt: skip
    started = await input_of(server, answer["run"])
    assert (started.by, started.topic, started.asked) == ("Tom", topic, asked)
    await gone(server.hub)
    assert (await mara.get(f"/rooms/{id}")).json()["room"]["runs"] == []
    assert not await server.hub.leases.lapsed()


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("@echo hi", ["hi"]),
        ("hi, @Assistant: say", ["hi,\n\nsay"]),
        ("@assistant @echo once", ["once"]),
        ("write to a@assistant or @assistants", []),
        ("no one", []),
        ("@assistant", ["@assistant"]),
        ("use `@assistant` for that", []),
        ("```\n@assistant hi\n```", []),
        ("> @assistant hi\n\nsays who?", []),
        ("https://example.com/@assistant", []),
    ],
)
async def test_a_mentioned_assistant_is_asked_once(
    server: Server, mara: Member, id: str, text: str, asked: list[str]
) -> None:
    topic = await room(mara, id)
    said = await mara.said(topic, "message.posted", text=text)
    assert [created["asked"] for created in await facts(server, topic, "run.created")] == [said] * len(asked)
    assert [question_of(text, ["assistant", "echo"])] * len(asked) == asked


async def test_the_recent_messages_are_its_context(server: Server, mara: Member, tom: Member, id: str) -> None:
    topic = await room(mara, id, tom)
    heard: list[Any] = []
    call = type(server.script).__call__

    async def listening(script: Any, messages: Any) -> AsyncIterator[str]:
        heard.append(messages)
        async for part in call(script, messages):
            yield part

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(server.script), "__call__", listening)
        first = await mara.said(topic, "message.posted", text="The pump is brokn")
        await mara.said(topic, "message.edited", message=first, text="The pump is broken")
        secret = await tom.said(topic, "message.posted", text="My password is 1234")
        await tom.said(topic, "message.deleted", message=secret)
        await tom.said(topic, "message.posted", text="@assistant Call whom?")
        await answer_in(server, topic)
        await mara.said(topic, "message.posted", text="@assistant And then?")
        await answer_in(server, topic, 2)
    assert heard[0] == [
        {"role": "user", "content": "Mara Lindqvist: The pump is broken"},
        {"role": "user", "content": "Call whom?"},
    ]
    assert heard[1] == [
        {"role": "user", "content": "Mara Lindqvist: The pump is broken\nTom: @assistant Call whom?"},
        {"role": "assistant", "content": "Call whom?"},
        {"role": "user", "content": "And then?"},
    ]


async def test_reasoning_inside_a_text_is_not_posted(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    await mara.said(topic, "message.posted", text="@assistant <think>\nhm\n</think>\n\nYes")
    assert [answer["text"] for answer in await answer_in(server, topic)] == ["Yes"]


async def test_a_message_that_is_published_again_asks_once(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    calls = server.script.calls
    for status in (201, 200, 200):
        answer = await mara.say(topic, "message.posted", text="@assistant hello", key="k1")
        assert answer.status_code == status
    await answer_in(server, topic)
    assert len(await runs_in(server, topic)) == 1
    assert server.script.calls == calls + 1


async def test_several_at_once_and_each_its_own_answer(server: Server, mara: Member, tom: Member, id: str) -> None:
    topic = await room(mara, id, tom)
    server.script.go.clear()
    questions = [await who.said(topic, "message.posted", text=f"@assistant {who.name}|!wait|!") for who in (mara, tom)]
    assert len((await mara.get(f"/rooms/{id}")).json()["room"]["runs"]) == 2
    server.script.go.set()
    answers = await answer_in(server, topic, 2)
    assert {one["asked"]: one["text"] for one in answers} == dict(
        zip(questions, ["Mara Lindqvist!", "Tom!"], strict=True)
    )


async def test_a_room_has_so_many_answers_under_way_and_no_more(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    server.script.go.clear()
    for n in range(AT_ONCE):
        await mara.said(topic, "message.posted", text=f"@assistant {n}|!wait|!")
    more = {"text": "@assistant and this"}
    problem(await mara.say(topic, "message.posted", **more), 429, str(AT_ONCE))
    problem(await mara.post("/runs", {"input": "and this", "topic": topic}), 429)
    await mara.said(topic, "message.posted", text="That is enough")
    server.script.go.set()
    await answer_in(server, topic, AT_ONCE)
    await mara.said(topic, "message.posted", **more)
    await answer_in(server, topic, AT_ONCE + 1)


async def test_a_run_that_has_ended_takes_no_place_though_its_room_lost_the_answer(
    server: Server, mara: Member, id: str
) -> None:
    topic = await room(mara, id)
    ended = (await mara.post("/runs", {"input": "hello"})).json()["run"]
    await (await server.hub.runs.get(ended)).wait()
    lost = [ended, *(f"01JDXAMPLE000000000000000{n}" for n in range(AT_ONCE - 1))]
    await server.hub.log.append(topic, [("run.created", msgspec.json.encode({"run": run}).decode()) for run in lost])
    await mara.said(topic, "message.posted", text="@assistant Hello")
    [answer] = await answer_in(server, topic)
    assert answer["text"] == "Hello"
    assert (await mara.post("/runs", {"input": "and this", "topic": topic})).status_code == 201


async def test_a_model_that_fails_leaves_an_answer_that_says_so(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    await mara.said(topic, "message.posted", text="@assistant So far|!fail")
    [answer] = await answer_in(server, topic)
    assert (answer["outcome"], answer["text"]) == ("failed", "So far")
    assert "secret" not in (await server.hub.read(topic)).events[-1].data


async def test_an_assistant_that_cannot_be_loaded_fails_in_its_run(
    server: Server, mara: Member, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await room(mara, id)

    async def missing(_: Any) -> Any:
        raise RuntimeError("no such model")

    monkeypatch.setattr("tidings.runs.assistant.NamedAssistant.load", missing)
    await mara.said(topic, "message.posted", text="@assistant hello")
    [answer] = await answer_in(server, topic)
    assert answer["outcome"] == "failed"


async def test_any_member_stops_it_and_nobody_else(server: Server, mara: Member, tom: Member, id: str) -> None:
    topic = await room(mara, id, tom)
    reader, outside = Member(server, "Rita Reader"), Member(server, "Olga")
    await mara.said(topic, "member.joined", member=reader.name, role="reader")
    server.script.go.clear()
    await tom.said(topic, "message.posted", text="@assistant So far|!wait|!")
    [run] = await runs_in(server, topic)
    for stranger in (reader, outside):
        problem(await stranger.post(f"/runs/{run}/stop"), 403)
        problem(await stranger.say(f"runs.{run}", "stop.requested", type="stop.requested", run=run), 403)
    assert (await mara.post(f"/runs/{run}/stop")).status_code == 202
    [answer] = await answer_in(server, topic)
    assert answer["outcome"] == "cancelled"
    story = [msgspec.json.decode(event.data) for event in (await server.hub.read(f"runs.{run}")).events]
    assert [said["by"] for said in story if said["type"] == "stop.requested"] == ["Mara Lindqvist"]


async def test_a_run_of_a_room_is_deleted_by_nobody(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    await mara.said(topic, "message.posted", text="@assistant hello")
    [run] = await runs_in(server, topic)
    path = f"/topics/runs.{run}"
    problem(await server.client.delete(path, headers=mara.headers), 403)
    problem(await mara.post(f"{path}/close"), 403)


async def test_an_archived_room_still_gets_the_answer_it_waits_for(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    server.script.go.clear()
    await mara.said(topic, "message.posted", text="@assistant So far|!wait|!")
    await mara.said(topic, "room.archived")
    server.script.go.set()
    [answer] = await answer_in(server, topic)
    assert answer["text"] == "So far!"
    assert (await mara.get(f"/rooms/{id}")).json()["room"]["runs"] == []


async def test_a_run_that_a_program_starts_in_the_room_is_answered_there_too(
    server: Server, mara: Member, id: str
) -> None:
    topic = await room(mara, id)
    started = await mara.post("/runs", {"input": "Hello", "topic": topic})
    assert started.status_code == 201
    [answer] = await answer_in(server, topic)
    assert (answer["run"], answer["text"], answer["asked"]) == (started.json()["run"], "Hello", None)


async def test_the_asker_is_notified_of_the_answer_unless_they_have_left(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id, private=True)
    ada, bob = Member(server, f"Ada {id[-8:]}"), Member(server, f"Bob {id[-8:]}")
    for who in (ada, bob):
        await mara.said(topic, "member.joined", member=who.name)
    server.script.go.clear()
    for who in (ada, bob):
        await who.said(topic, "message.posted", text="@assistant So far|!wait|!")
    await bob.said(topic, "member.left", member=bob.name)
    server.script.go.set()
    await answer_in(server, topic, 2)
    await until_told(ada, "answer")
    await gone(server.hub)
    assert (await ada.told())[0] == ("answer", f"Echo answered you in #{id.title()}", False)
    found = (await ada.notifications())["notifications"][0]
    assert (found["text"], found["topic"], found["by"]) == ("So far!", topic, "Echo")
    assert found["link"] == f"/r/{id}?at={found['event']}"
    assert [kind for kind, _, _ in await bob.told()] == ["invite"]


async def test_the_answer_of_a_dead_process_is_posted_by_whoever_finds_its_run(
    server: Server, mara: Member, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await room(mara, id)
    server.script.go.clear()
    await mara.said(topic, "message.posted", text="@assistant So far|!wait|!")
    [run] = await runs_in(server, topic)
    async for event in server.hub.subscribe(f"runs.{run}", "earliest"):
        if event.type == "block.delta":
            break
    producer = server.hub.runs._producers.pop(run)
    producer._writer._task.cancel()
    assert producer.task is not None
    await asyncio.wait({producer.task})
    await server.hub.leases.lease(f"runs.{run}", -1.0, renew=False)
    await server.hub.runs._reaper.reap()
    [answer] = await answer_in(server, topic)
    assert (answer["outcome"], answer["text"]) == ("interrupted", "So far")


async def test_a_run_that_was_never_announced_is_before_it_is_answered(
    server: Server, mara: Member, id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process died between the two."""
    topic = await room(mara, id)
    died = asyncio.Event()

    async def dies(*_: Any) -> None:
        died.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(server.hub.runs, "_announce", dies)
        posting = asyncio.create_task(mara.said(topic, "message.posted", text="@assistant hello"))
        await died.wait()
    posting.cancel()
    [(run, producer)] = server.hub.runs._producers.items()
    for starting in server.hub.runs._starting:
        starting.cancel()
    await asyncio.wait({posting, producer._writer._task}, timeout=0.1)
    server.hub.runs._producers.pop(run, None)
    await server.hub.leases.lease(f"runs.{run}", -1.0, renew=False)
    await server.hub.runs._reaper.reap()
    assert [(one["run"], one["input"]) for one in await facts(server, topic, "run.created")] == [(run, None)]
    [answer] = await facts(server, topic, "answer.posted")
    assert answer["run"] == run
    assert (await mara.get(f"/rooms/{id}")).json()["room"]["runs"] == []


async def test_a_process_that_goes_posts_the_answers_it_cuts_short(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/tidings.db"
    async with serving(secret=SECRET, store=store) as going:
        mara = Member(going, "Mara")
        topic = await room(mara, "lobby")
        await mara.said(topic, "message.posted", text="@assistant So far|!wait|!")
        [run] = await runs_in(going, topic)
        async for event in going.hub.subscribe(f"runs.{run}", "earliest"):
            if event.type == "block.delta":
                break
    async with Hub(store) as hub:
        [answer] = [event for event in (await hub.read(topic)).events if event.type == "answer.posted"]
        assert msgspec.json.decode(answer.data)["outcome"] == "interrupted"
        assert not await hub.leases.lapsed()


async def test_the_answer_is_posted_once_however_often_it_is_tried(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    await mara.said(topic, "message.posted", text="@assistant hello")
    [answer] = await answer_in(server, topic)
    await gone(server.hub)
    for _ in range(3):
        await server.hub.leases.lease(f"runs.{answer['run']}", -1.0, renew=False)
        await server.hub.runs._reaper.reap()
    assert len(await facts(server, topic, "answer.posted")) == 1
    about = [one for one in (await mara.notifications())["notifications"] if one["topic"] == topic]
    assert [one["kind"] for one in about] == ["answer"]
    assert not await server.hub.leases.lapsed()


async def test_a_room_that_was_deleted_meanwhile_is_not_made_again(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    server.script.go.clear()
    await mara.said(topic, "message.posted", text="@assistant So far|!wait|!")
    [run] = await runs_in(server, topic)
    await server.hub.delete(topic)
    server.script.go.set()
    await (await server.hub.runs.get(run)).wait()
    await gone(server.hub)
    await server.hub.runs._follow_up(run)
    assert await server.hub.log.describe(topic) is None


async def test_a_client_s_key_is_never_one_of_the_server_s(server: Server, mara: Member, id: str) -> None:
    topic = await room(mara, id)
    server.script.go.clear()
    await mara.said(topic, "message.posted", text="@assistant So far|!wait|!")
    [run] = await runs_in(server, topic)
    for key in (f"answer.{run}", f"run.{run}"):
        assert (await mara.say(topic, "message.posted", text="Mine", key=key)).status_code == 201
    resolved = {"type": "input.resolved", "run": run, "request": "r", "kind": "interrupt", "value": 1}
    assert (await mara.say(f"runs.{run}", "input.resolved", key="stop", **resolved)).status_code == 201
    assert (await mara.post(f"/runs/{run}/stop")).status_code == 202
    [answer] = await answer_in(server, topic)
    server.script.go.set()
    assert (answer["run"], answer["outcome"]) == (run, "cancelled")
