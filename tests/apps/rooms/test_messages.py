"""Messages in rooms by the native protocol: stamped, changed and refused; and people who type."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest

from tests.apps.members import Member, facts, room
from tests.asgi import asking
from tests.http.conftest import Server
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def ann(server: Server) -> Member:
    return Member(server, "Ann Arbor")


@pytest.fixture
def eve(server: Server) -> Member:
    return Member(server, "Eve")


class TestMessages:
    async def test_a_message_is_stamped_with_its_author(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        for given in (
            {"by": "Ann Arbor"},
            {"mentions": ["Ann Arbor"]},
            {"quote": {"by": "Ann Arbor", "text": "I agree"}},
        ):
            problem(await bob.say(topic, "message.posted", text="I am Ann", **given), 400, "stamps")
        for type, data in (
            ("answer.posted", {"run": "R1", "text": "I am the assistant"}),
            ("run.created", {"run": "R1", "assistant": "echo"}),
        ):
            problem(await bob.say(topic, type, **data), 403, "Only the server")
        assert await facts(server, topic, "message.posted") == []

    async def test_a_reply_quotes_the_present_text(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        topic = await room(ann, id, bob)
        first = await ann.said(topic, "message.posted", text="My password is 1234. " + "x" * 300)
        await ann.said(topic, "message.edited", message=first, text="Forget it. " + "y" * 300)
        await bob.said(topic, "message.posted", text="What?", reply=first)
        assert (await facts(server, topic, "message.posted"))[-1] == {
            "by": "Bob", "text": "What?", "reply": first, "mentions": [],
            "quote": {"by": "Ann Arbor", "text": ("Forget it. " + "y" * 300)[:200]},
        }  # fmt: skip
        await ann.said(topic, "message.deleted", message=first)
        problem(await bob.say(topic, "message.posted", text="What?", reply=first), 409, "deleted")

    async def test_speaks_of_messages_that_there_are(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        said = await ann.said(topic, "message.posted", text="Hello")
        epoch = said.rpartition("-")[0]
        for offset in (f"{epoch}-0", f"{epoch}-1", f"{epoch}-99", "zzzzzz-2", "0-0"):
            for type, data in (
                ("message.edited", {"text": "x"}),
                ("message.deleted", {}),
                ("reaction.added", {"emoji": "👍"}),
            ):
                problem(await ann.say(topic, type, message=offset, **data), 404, "no such message")
            problem(await ann.say(topic, "message.posted", text="x", reply=offset), 404, "no such message")
        await ann.said(topic, "reaction.added", message=said, emoji="👍")
        await ann.said(topic, "reaction.removed", message=said, emoji="👍")

    async def test_a_message_is_changed_by_its_author_alone(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        said = await bob.said(topic, "message.posted", text="Hello")
        problem(await ann.say(topic, "message.edited", message=said, text="Bye"), 403, "author")
        hers = await ann.said(topic, "message.posted", text="Mine")
        problem(await bob.say(topic, "message.deleted", message=hers), 403, "author")
        await ann.said(topic, "message.deleted", message=said)
        problem(await bob.say(topic, "message.edited", message=said, text="Hello"), 409, "deleted")

    async def test_any_text_stays_text(self, server: Server, ann: Member, id: str) -> None:
        script = "<script>alert(1)</script>"
        rude = Member(server, script)
        topic = f"rooms.{id}"
        await ann.said(topic, "room.created", name=script, about=script)
        await rude.said(topic, "member.joined", member=script)
        said = await rude.said(topic, "message.posted", text=f"@{script} {script}")
        problem(await rude.say(topic, "reaction.added", message=said, emoji=script), 400, "emoji")
        answer = await ann.get(f"/rooms/{id}")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["room"]["name"] == script
        assert answer.json()["events"][-1]["data"]["text"] == f"@{script} {script}"

    async def test_a_message_is_bounded(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        problem(await ann.say(topic, "message.posted", text="x" * 16_001), 413, "16,000 characters")
        problem(await ann.say(topic, "message.posted", text="x" * (1 << 20)), 413, "bytes")
        problem(await ann.say(topic, "message.posted", text="  "), 400, "text")
        problem(await ann.say(topic, "message.posted", text="x", colour="red"), 400, "colour")
        problem(await ann.say(topic, "message", text="x"), 400, "message.posted")
        headers = {**ann.headers, "content-type": "text/plain"}
        path = f"/topics/{topic}/events?type=message.posted"
        problem(await server.client.post(path, content="Hello", headers=headers), 400, "no message.posted")

    async def test_a_batch_is_stored_whole_or_refused(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        async def batch(who: Member, *items: tuple[str, dict[str, Any]]) -> httpx.Response:
            lines = b"\n".join(msgspec.json.encode({"type": type, "data": data}) for type, data in items)
            headers = {**who.headers, "content-type": "application/x-ndjson"}
            return await server.client.post(f"/topics/rooms.{id}/events", content=lines, headers=headers)

        text = {"text": "Hello"}
        problem(await batch(bob, ("message.posted", text), ("room.created", {"name": "x"})), 404)
        new = ("room.created", {"name": "x"}), ("member.joined", {"member": "Bob"}), ("message.posted", text)
        assert (await batch(ann, *new)).status_code == 201
        problem(await batch(bob, ("message.posted", text), ("room.archived", {})), 403, "owner")
        problem(await batch(ann, ("room.archived", {}), ("message.posted", text)), 409, "archived")
        problem(await batch(bob, ("member.left", {"member": "Bob"}), ("message.posted", text)), 403, "Join it to write")
        assert len((await server.hub.read(f"rooms.{id}")).events) == 3


class TestTyping:
    async def test_typing_is_transient_stamped_and_open_to_writers_only(
        self, server: Server, ann: Member, bob: Member, eve: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        path = f"/topics/{topic}/events?type=typing&transient=true"
        async with asking(server.app, f"/events?topic={topic}", headers=ann.headers) as stream:
            await stream.reach(lambda: stream.body)
            assert (await bob.post(path, {"by": "Ann Arbor"})).status_code == 202
            await stream.reach(lambda: stream.events)
            assert [(e.type, e.data, e.id) for e in stream.events] == [("typing", '{"by":"Bob"}', "")]
        problem(await eve.post(path), 403, "Join it to write")
        problem(await bob.post(f"/topics/{topic}/events?type=typing"), 400, "transient")
        problem(
            await bob.post(f"/topics/{topic}/events?type=message.posted&transient=true", {"text": "x"}), 400, "typing"
        )
        await ann.said(topic, "member.role", member="Bob", role="reader")
        problem(await bob.post(path), 403, "only read")
        problem(await bob.post("/topics/rooms.nowhere/events?type=typing&transient=true"), 404, "nowhere")
