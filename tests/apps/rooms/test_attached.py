"""Files in messages: given by id, stamped, named wherever the message is, and there as long as the message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.apps.files.test_files import PDF, upload, uploaded
from tests.apps.members import Member, facts, room
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings import Hub
from tidings.apps.file import File
from tidings.apps.files import files
from tidings.apps.files.files import Files
from tidings.apps.rooms import context
from tidings.apps.rooms.facts import MessagePosted, read
from tidings.errors import NotFound
from tidings.http.request import client_key
from tidings.testing.clock import Clock

pytestmark = pytest.mark.asyncio(loop_scope="module")


class TestAMessage:
    async def test_names_files_as_the_server_knows_them(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        one, two = await uploaded(ann, id), await uploaded(ann, id, b"\x89PNG", "shot.png", "image/png")
        await ann.said(topic, "message.posted", text="", files=[two, one])
        await ann.said(topic, "message.posted", text="No files", files=[])
        posted = await facts(server, topic, "message.posted")
        assert posted[0]["files"] == [
            {"id": two, "name": "shot.png", "type": "image/png", "size": 4},
            {"id": one, "name": "plan.pdf", "type": PDF, "size": 8},
        ]
        assert posted[0]["text"] == ""
        assert posted[1].get("files", []) == []

    async def test_names_whole_files_of_ones_own_in_this_room(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        await room(ann, id + "-2")
        mine = await uploaded(ann, id)
        elsewhere = await uploaded(ann, id + "-2")

        async def half() -> AsyncIterator[bytes]:
            yield b"x" * files.CHUNK
            (topic,) = {*await server.hub.topics(f"files.{id}.")} - {f"files.{id}.{mine}"}
            halves.append(topic.rpartition(".")[2])
            raise ConnectionError

        halves: list[str] = []
        assert (await upload(ann, id, half())).status_code == 500
        stamped = {"id": mine, "name": "plan.pdf", "type": PDF, "size": 8}
        for who, given, status in (
            (bob, [mine], 404), (ann, [elsewhere], 404), (ann, halves, 404), (ann, ["0" * 26], 404),
            (ann, [mine, elsewhere], 404), (ann, [mine, mine], 400), (ann, [mine.lower()], 400),
            (ann, [f"../{id}-2.{elsewhere}"], 400), (ann, [stamped], 400), (ann, [mine, stamped], 400),
            (ann, mine, 400), (ann, [None], 400), (ann, [f"{n:026}" for n in range(11)], 400),
        ):  # fmt: skip
            problem(await who.say(topic, "message.posted", text="x", files=given), status)
        assert await facts(server, topic, "message.posted") == []
        problem(await ann.get(f"/rooms/{id}/files/{halves[0]}"), 404, "no such file")

    async def test_a_deletion_takes_the_files_of_the_message(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        of_bob, other = [await uploaded(bob, id) for _ in range(3)], await uploaded(bob, id)
        message = await bob.said(topic, "message.posted", text="", files=of_bob)
        await bob.said(topic, "message.posted", text="", files=[other])
        deleted = await ann.say(topic, "message.deleted", message=message, key="gone")
        assert deleted.status_code == 201
        for file in of_bob:
            problem(await bob.get(f"/rooms/{id}/files/{file}"), 404, "no such file")
        assert await server.hub.topics(f"files.{id}.") == [f"files.{id}.{other}"]
        problem(await bob.say(topic, "message.posted", text="Again", files=of_bob), 404)
        # Asked again, as whoever was not answered does, it does no more harm.
        assert (await ann.say(topic, "message.deleted", message=message, key="gone")).status_code == 200
        assert (await bob.get(f"/rooms/{id}/files/{other}")).status_code == 200

    async def test_takes_them_with_it_though_a_process_died_between(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        file = await uploaded(ann, id)
        message = await ann.said(topic, "message.posted", text="", files=[file])
        deletion = "message.deleted", f'{{"by":"Ann","message":"{message}"}}'
        await server.hub.log.append(topic, [deletion], key=client_key("Ann", "gone"))  # and then nothing
        assert (await ann.get(f"/rooms/{id}/files/{file}")).status_code == 200
        assert (await ann.say(topic, "message.deleted", message=message, key="gone")).status_code == 200
        problem(await ann.get(f"/rooms/{id}/files/{file}"), 404)

    async def test_several_messages_at_once_may_name_the_same_file(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        file = await uploaded(ann, id)
        answers = await asyncio.gather(*[ann.say(topic, "message.posted", text="", files=[file]) for _ in range(8)])
        assert {answer.status_code for answer in answers} == {201}
        assert len(await facts(server, topic, "message.posted")) == 8
        head = await server.hub.log.describe(f"files.{id}.{file}")
        assert head is not None
        assert head.closed
        assert head.ttl is None
        for answer in answers:
            assert (await ann.get(f"/rooms/{id}/files/{file}")).status_code == 200, "a message attaches it"
            await ann.said(topic, "message.deleted", message=answer.json()["offset"])
        problem(await ann.get(f"/rooms/{id}/files/{file}"), 404)
        assert await server.hub.topics(f"files.{id}.") == []


class TestNames:
    async def test_names_of_files_are_found(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        file = await uploaded(ann, id, name="Quarterly Plan.pdf")
        message = await ann.said(topic, "message.posted", text="Look", files=[file])
        bare = await ann.said(topic, "message.posted", text="", files=[file])

        async def found(words: str) -> list[tuple[str, str]]:
            hits = (await ann.get(f"/search?q={words}&room={id}")).json()["hits"]
            return [(hit["offset"], hit["text"]) for hit in hits]

        both = [(bare, "Quarterly Plan.pdf"), (message, "Look\nQuarterly Plan.pdf")]
        assert await found("quart") == await found("plan.pdf") == await found("pdf") == both
        assert await found("look plan") == both[1:]
        await ann.said(topic, "message.edited", message=message, text="See here")
        assert await found("quart") == [both[0], (message, "See here\nQuarterly Plan.pdf")]
        assert await found("look") == []
        await ann.said(topic, "message.deleted", message=message)
        assert await found("pdf") == both[:1]

    async def test_a_message_without_text_is_quoted_by_its_files(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        file = await uploaded(ann, id)
        message = await ann.said(topic, "message.posted", text="", files=[file])
        said = await ann.said(topic, "message.posted", text="A plan", files=[file])
        for at, quoted in ((message, "plan.pdf"), (said, "A plan")):
            await bob.said(topic, "message.posted", text="Good", reply=at)
            assert (await facts(server, topic, "message.posted"))[-1]["quote"] == {"by": "Ann", "text": quoted}

    async def test_a_mention_notifies_with_the_names_of_the_files(self, ann: Member, server: Server, id: str) -> None:
        zoe = Member(server, f"Zoe {id}")
        topic = await room(ann, id, zoe)
        two = [await uploaded(ann, id), await uploaded(ann, id, name="b.txt")]
        await ann.said(topic, "message.posted", text=f"@{zoe.name} look", files=two)
        told = (await zoe.notifications())["notifications"]
        assert told[0]["text"] == f"@{zoe.name} look\nplan.pdf, b.txt"

    async def test_an_assistant_reads_the_names_of_the_files(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        file = await uploaded(ann, id)
        message = await ann.said(topic, "message.posted", text="First", files=[file])
        await ann.said(topic, "message.edited", message=message, text="Edited")
        await ann.said(topic, "message.posted", text="", files=[file])
        events = (await server.hub.read(topic)).events
        asked = read(events[-1].type, events[-1].data)
        assert isinstance(asked, MessagePosted)
        assert context.conversation(events, asked, "?") == [
            {"role": "user", "content": "Ann: Edited\nplan.pdf\nAnn: plan.pdf"},
            {"role": "user", "content": "?", "files": [file]},
        ]


class TestExpiry:
    async def store(self, hub: Hub, content: bytes = b"x") -> File:
        async def parts() -> AsyncIterator[bytes]:
            yield content

        return await Files(hub).store("den", "Ann", "plan.pdf", PDF, parts())

    async def test_a_file_that_no_message_names_expires(
        self, tidings_clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(files, "UNNAMED", 90.0)
        async with Hub(f"sqlite:///{tmp_path}/tidings.db") as hub:
            kept, lost = await self.store(hub), await self.store(hub)
            store = Files(hub)
            await store.keep("den", kept.id)
            await store.keep("den", kept.id)
            await store.whole("den", lost.id)
            await tidings_clock.advance(31)
            with pytest.raises(NotFound):  # in its last minute it is named no more
                await store.whole("den", lost.id)
            await tidings_clock.advance(60)
            await store.keep("den", lost.id)
            assert await hub.topics("files.") == [f"files.den.{kept.id}"]
            assert (await store.whole("den", kept.id)).kept

    async def test_a_broken_upload_expires(self, tidings_clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files, "BROKEN", 90.0)

        async def broken() -> AsyncIterator[Any]:
            yield b"x" * files.CHUNK * 2
            raise ConnectionError

        async with Hub() as hub:
            with pytest.raises(ConnectionError):
                await Files(hub).store("den", "Ann", "plan.pdf", PDF, broken())
            (topic,) = await hub.topics("files.")
            with pytest.raises(NotFound):
                await Files(hub).whole("den", topic.rpartition(".")[2])
            await tidings_clock.advance(91)
            assert await hub.topics("files.") == []

    async def test_a_retention_of_the_hub_expires_no_chunk(self, tmp_path: Path) -> None:
        from tidings.events import Retention

        async with Hub(f"sqlite:///{tmp_path}/tidings.db", retention=Retention(max_events=1)) as hub:
            content = b"x" * files.CHUNK * 5
            file = await self.store(hub, content)
            store = Files(hub)
            await store.keep("den", file.id)
            found = [part async for part in store.content(await store.whole("den", file.id))]
            assert b"".join(found) == content
