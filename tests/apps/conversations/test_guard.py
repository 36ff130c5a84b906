"""Tests of the rights to a conversation, and of its deletion."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.apps.members import SECRET, Member
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD = "lanternfish"
"""The word of all texts that are deleted."""


async def ask(member: Member, topic: str, question: str) -> str:
    """Ask in a conversation, and return the id of the run when it has ended."""
    answer = await member.post("/runs", {"input": question, "topic": topic})
    assert answer.status_code == 201, answer.text
    run: str = answer.json()["run"]
    await (await member.server.hub.runs.get(run)).wait()
    return run


async def delete(member: Member, topic: str) -> int:
    return (await member.server.client.delete(f"/topics/{topic}", headers=member.headers)).status_code


async def configure(member: Member, topic: str) -> int:
    settings = {"ttl": 600}
    return (await member.server.client.put(f"/topics/{topic}", json=settings, headers=member.headers)).status_code


async def test_a_conversation_is_its_owner_s(server: Server, id: str, mara: Member, tom: Member) -> None:
    topic = f"conversations.{id}"
    problem(await tom.get(f"/topics/{topic}/events"), 404)
    await ask(mara, topic, "hello")
    assert (await mara.get(f"/topics/{topic}/events")).status_code == 200
    problem(await tom.get(f"/topics/{topic}/events"), 403)
    problem(await tom.say(topic, "note", text="mine"), 403)
    problem(await tom.post("/runs", {"input": "x", "topic": topic}), 403)
    assert await delete(tom, topic) == 403
    assert await delete(mara, topic) == 204


async def test_a_list_reads_no_conversation(server: Server, id: str, mara: Member, tom: Member) -> None:
    """The heads of a page of topics come in a single read: 40 conversations cost as much as 1."""
    for n in range(40):
        owner = "Tom" if n % 2 else "Mara Lindqvist"
        await server.hub.log.append(f"conversations.{id}.{n:02}", [("note", "x")], owner=owner)
    described: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        describe = server.hub.log.describe
        patch.setattr(server.hub.log, "describe", lambda topic: described.append(topic) or describe(topic))
        listed = (await tom.get(f"/topics?prefix=conversations.{id}.")).json()["topics"]
    assert listed == [f"conversations.{id}.{n:02}" for n in range(1, 40, 2)]
    assert described == []


async def test_a_conversation_that_begins_with_its_settings_is_its_owner_s(id: str) -> None:
    topic = f"conversations.{id}"
    async with serving(secret=SECRET) as server:
        mara, tom = Member(server, "Mara"), Member(server, "Tom")
        assert (await configure(mara, topic)) == 200
        await mara.said(topic, "note", text="mine")
        problem(await tom.get(f"/topics/{topic}/events"), 403)
        problem(await tom.say(topic, "note", text="his"), 403)
        problem(await tom.post("/runs", {"input": "x", "topic": topic}), 403)
        assert [await configure(tom, topic), await delete(tom, topic)] == [403, 403]
        assert [await configure(mara, topic), await delete(mara, topic)] == [200, 204]


async def test_a_conversation_without_an_owner_is_nobody_s(id: str) -> None:
    topic = f"conversations.{id}"
    async with serving(secret=SECRET) as server:
        mara = Member(server, "Mara")
        await server.hub.publish(topic, "a word of a program")
        problem(await mara.get(f"/topics/{topic}/events"), 403)
        problem(await mara.say(topic, "note", text="hers"), 403)
        problem(await mara.post("/runs", {"input": "x", "topic": topic}), 403)
        assert [await configure(mara, topic), await delete(mara, topic)] == [403, 403]


async def test_a_conversation_begun_by_two_people_at_once_belongs_to_the_first(id: str) -> None:
    async with serving(secret=SECRET) as server:
        people = [Member(server, name) for name in ("Mara", "Tom")]
        for n in range(20):
            topic = f"conversations.{id}-{n}"
            answers = await asyncio.gather(*(configure(person, topic) for person in people))
            assert 200 in answers
            assert {*answers} <= {200, 403, 409}
            assert sum([(await person.get(f"/topics/{topic}")).status_code == 200 for person in people]) == 1
            assert answers.count(200) == 1


async def test_the_runs_of_a_deleted_conversation_are_deleted(server: Server, id: str, mara: Member) -> None:
    topic = f"conversations.{id}"
    runs = [await ask(mara, topic, f"question {n}") for n in range(2)]
    server.script.go.clear()
    under_way = (await mara.post("/runs", {"input": "So far|!wait|!", "topic": topic})).json()["run"]
    assert await delete(mara, topic) == 204
    server.script.go.set()
    for run in (*runs, under_way):
        assert (await mara.get(f"/runs/{run}")).status_code == 404
    assert await server.hub.topics(topic) == []


async def test_a_conversation_deletes_no_run_that_belongs_elsewhere(
    server: Server, id: str, mara: Member, tom: Member
) -> None:
    """The owner of a conversation can publish any `run.created` there."""
    foreign = await ask(tom, f"conversations.{id}-toms", "hello")
    lonely = (await mara.post("/runs", {"input": "hello"})).json()["run"]
    topic = f"conversations.{id}"
    for run in (foreign, lonely, "../x", "", 7, None):
        await mara.said(topic, "run.created", run=run)
    assert (await mara.post(f"/topics/{topic}/events?type=run.created", "no object")).status_code == 201
    assert await delete(mara, topic) == 204
    assert (await tom.get(f"/runs/{foreign}")).status_code == 200
    assert (await mara.get(f"/runs/{lonely}")).status_code == 200


def stored(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def wait_until_gone(folder: Path, word: bytes) -> None:
    """Wait until no file has the word: the rows of deleted logs are overwritten in small steps."""
    while word in stored(folder):
        time.sleep(0.05)


async def test_the_texts_of_a_deleted_conversation_are_gone_from_the_file(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"secret": SECRET, "store": f"sqlite:///{tmp_path}/tidings.db"}
    async with serving(**settings) as server:
        mara = Member(server, "Mara")
        await ask(mara, "conversations.fish", f"What is a {WORD}?|A {WORD} is a fish.")
        assert WORD.encode() in stored(tmp_path)
        assert await delete(mara, "conversations.fish") == 204
        await asyncio.to_thread(wait_until_gone, tmp_path, WORD.encode())


async def test_a_stream_that_returns_to_a_deleted_conversation_stays_open(id: str) -> None:
    """A right to the life that is over must not end the stream again and again."""
    topic = f"conversations.{id}"
    async with serving() as server:
        first = str(await server.hub.publish(topic, {"text": "x"}, "message.posted"))
        path = f"/events?topic={topic}&last_event_id={first}"
        async with asking(server.app, path) as stream:
            assert stream.status == 200
            assert (await server.client.delete(f"/topics/{topic}")).status_code == 204
        async with asking(server.app, path) as stream:
            await stream.reach(lambda: stream.events)
            assert stream.events[0].type == "tidings.reset"
            again = await server.hub.publish(topic, {"text": "y"}, "message.posted")
            await stream.reach(lambda: stream.events[1:])
            assert stream.events[1].id == str(again)
