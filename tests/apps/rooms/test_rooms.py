"""Rooms by the native protocol: who may do and read what, and what is stamped and refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.apps.members import SECRET, Member, facts, room
from tests.apps.test_projection import Counting
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.subject import named
from tidings.access.tokens import sign
from tidings.apps.projection import EVERY
from tidings.events import Offset
from tidings.log.rules import NEW

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def ann(server: Server) -> Member:
    return Member(server, "Ann Arbor")


@pytest.fixture
def eve(server: Server) -> Member:
    return Member(server, "Eve")


async def opened(member: Member, id: str) -> dict[str, Any]:
    answer = await member.get(f"/rooms/{id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def listed(member: Member, id: str) -> dict[str, Any] | None:
    rooms = (await member.get("/rooms")).json()["rooms"]
    return next((one for one in rooms if one["id"] == id), None)


class TestARoom:
    async def test_a_room_is_created_joined_and_written_in(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = f"rooms.{id}"
        created = await ann.said(topic, "room.created", name="The Lobby", about="All of us", private=False)
        joined = await bob.said(topic, "member.joined", member="Bob")
        said = await bob.said(topic, "message.posted", text="Hello @ann")
        found = await opened(bob, id)
        assert found["room"] == {
            "id": id, "name": "The Lobby", "about": "All of us", "private": False, "direct": False, "archived": False,
            "created": found["events"][0]["time"], "by": "Ann Arbor", "role": "member", "banned": [], "runs": [],
            "invited": [],
            "members": [{"name": "Ann Arbor", "role": "owner"}, {"name": "Bob", "role": "member"}],
        }  # fmt: skip
        assert [(event["offset"], event["type"], event["data"]) for event in found["events"]] == [
            (created, "room.created", {"by": "Ann Arbor", "name": "The Lobby", "about": "All of us", "private": False}),
            (joined, "member.joined", {"by": "Bob", "member": "Bob", "role": "member"}),
            (said, "message.posted", {"by": "Bob", "text": "Hello @ann", "mentions": ["Ann Arbor"]}),
        ]
        assert (found["previous"], found["read"], found["offset"]) == (None, None, said)

    async def test_unread_messages_and_mentions_are_listed(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id)
        await ann.said(topic, "message.posted", text="before Bob came")
        assert (await listed(bob, id) or {})["unread"] == 0
        joined = await bob.said(topic, "member.joined", member="Bob")
        for text in ("one", "two @bob", "three"):
            await ann.said(topic, "message.posted", text=text)
        tail = await bob.said(topic, "message.posted", text="mine")
        assert await listed(bob, id) == {
            "id": id, "name": id.title(), "about": "", "private": False, "archived": False, "role": "member",
            "invited": None, "people": [], "members": 2, "unread": 3, "mentions": 1, "read": None, "tail": tail,
        }  # fmt: skip
        assert (await listed(ann, id) or {})["unread"] == 1
        two = f"{joined.rpartition('-')[0]}-{int(joined.rpartition('-')[2]) + 2}"
        await bob.said("users.Bob", "room.read", room=id, offset=two)
        found = await listed(bob, id) or {}
        assert (found["unread"], found["mentions"], found["read"]) == (1, 0, two)
        assert (await opened(bob, id))["read"] == two

    async def test_the_list_gives_the_offset_of_ones_own_topic(self, server: Server, ann: Member, id: str) -> None:
        newcomer = Member(server, "Nemo")
        assert (await newcomer.get("/rooms")).json()["offset"] == "0-0"
        topic = await room(ann, id, newcomer)  # which they are told
        read = await newcomer.said("users.Nemo", "room.read", room=id, offset=str((await server.hub.read(topic)).tail))
        assert (await newcomer.get("/rooms")).json()["offset"] == read

    async def test_unread_messages_are_counted_up_to_a_hundred(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        lines = '{"type":"message.posted","data":{"text":"@bob"}}\n' * 150
        headers = {**ann.headers, "content-type": "application/x-ndjson"}
        answer = await server.client.post(f"/topics/{topic}/events", content=lines, headers=headers)
        assert answer.status_code == 201, answer.text
        found = await listed(bob, id) or {}
        assert (found["unread"], found["mentions"]) == (100, 100)
        first = (await server.hub.read(topic)).events[3]
        await ann.said(topic, "message.deleted", message=str(first.offset))
        assert (await listed(bob, id) or {})["unread"] == 100

    async def test_pages_backwards_without_end(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        for n in range(120):
            await ann.said(topic, "message.posted", text=str(n))
        found = await opened(ann, id)
        assert len(found["events"]) == 100
        page = (await ann.get(f"/topics/{topic}/events?before={found['previous']}&limit=100")).json()
        texts = [
            event["data"]["text"] for event in page["events"] + found["events"] if event["type"] == "message.posted"
        ]
        assert texts == [str(n) for n in range(120)]

    async def test_a_room_is_renamed_archived_and_restored(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        problem(await bob.say(topic, "room.renamed", name="Bobs"), 403, "owner")
        await ann.said(topic, "room.renamed", name="Hall", about="Talks")
        await ann.said(topic, "room.renamed", name="Big hall")
        await ann.said(topic, "room.archived")
        problem(await bob.say(topic, "message.posted", text="still here?"), 409, "archived")
        problem(await ann.say(topic, "member.left", member="Bob"), 409, "archived")
        answer = await bob.post("/runs", {"input": "?", "topic": topic})
        problem(answer, 409, "archived")
        found = (await opened(bob, id))["room"]
        assert (found["name"], found["about"], found["archived"]) == ("Big hall", "Talks", True)
        await ann.said(topic, "room.restored")
        await bob.said(topic, "message.posted", text="here")

    async def test_a_room_is_not_configured_closed_or_deleted(self, server: Server, ann: Member, id: str) -> None:
        topic = await room(ann, id)
        for method, path in (("PUT", ""), ("POST", "/close"), ("DELETE", "")):
            answer = await server.client.request(method, f"/topics/{topic}{path}", json={}, headers=ann.headers)
            problem(answer, 403, "Archive")
        await ann.said(topic, "message.posted", text="still there")

    @pytest.mark.parametrize("topic", ["rooms", "rooms.a.b", "rooms.search", "rooms." + "x" * 65])
    async def test_an_id_of_several_segments_is_refused(self, server: Server, topic: str) -> None:
        headers = {"authorization": f"Bearer {sign(SECRET, 'Ann', publish=['*'], subscribe=['*'], seconds=60)}"}
        path = f"/topics/{topic}/events"
        answer = await server.client.post(f"{path}?type=room.created", json={"name": "x"}, headers=headers)
        problem(answer, 400, "rooms.ID")
        problem(await server.client.get(path, headers=headers), 400, "rooms.ID")


class TestAPrivateRoom:
    async def test_a_private_room_opens_to_its_members_alone(
        self, server: Server, ann: Member, bob: Member, eve: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob, private=True)
        secret = await bob.said(topic, "message.posted", text="a secret of ours")
        reads = [
            f"/rooms/{id}",
            f"/topics/{topic}",
            f"/topics/{topic}/events",
            f"/topics/{topic}/events?after={secret}",
            f"/topics/{topic}/events?before=tail",
            f"/events?topic={topic}",
            f"/events?topic={topic}&from=earliest",
            f"/events?topic={topic}&last_event_id={secret}",
            f"/events?topic={topic}&from=earliest&envelope=false",
            f"/search?q=secret&room={id}",
        ]
        for path in reads:
            problem(await eve.get(path), 403, "private")
        replay = {**eve.headers, "last-event-id": secret}
        problem(await server.client.get(f"/events?topic={topic}", headers=replay), 403, "private")
        problem(await server.client.get(f"/events?topic=users.Eve&topic={topic}", headers=eve.headers), 403, "private")
        assert topic not in (await eve.get("/topics?prefix=rooms.&limit=1000")).json()["topics"]
        assert await listed(eve, id) is None
        assert (await eve.get("/search?q=secret")).json()["hits"] == []
        for type, data in (
            ("member.joined", {"member": "Eve"}),
            ("message.posted", {"text": "x"}),
            ("room.renamed", {"name": "x"}),
            ("member.left", {"member": "Ann Arbor"}),
            ("message.deleted", {"message": secret}),
        ):
            problem(await eve.say(topic, type, **data), 403)
        problem(await eve.post("/runs", {"input": "?", "topic": topic}), 403, "private")
        for path in reads[:5]:
            assert (await bob.get(path)).status_code == 200
        assert topic in (await bob.get("/topics?prefix=rooms.&limit=1000")).json()["topics"]
        assert [hit["offset"] for hit in (await bob.get("/search?q=secret")).json()["hits"]] == [secret]

    async def test_a_reader_who_leaves_and_joins_stays_a_reader(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id)
        await ann.said(topic, "member.joined", member="Bob", role="reader")
        await bob.said(topic, "member.left", member="Bob")
        await bob.said(topic, "member.joined", member="Bob")
        problem(await bob.say(topic, "message.posted", text="I may not"), 403, "only read")
        assert (await listed(bob, id) or {})["role"] == "reader"

    async def test_bans_and_lifts_the_ban(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        topic = await room(ann, id, bob)
        problem(await bob.say(topic, "member.banned", member="Ann"), 403, "owner")
        problem(await ann.say(topic, "member.banned", member="Bob", role="owner"), 400, "stamps")
        await ann.said(topic, "member.banned", member="Bob")
        problem(await bob.say(topic, "member.joined", member="Bob"), 403, "banned")
        problem(await bob.say(topic, "message.posted", text="Hello"), 403, "banned")
        state = (await opened(ann, id))["room"]
        assert (state["banned"], [member["name"] for member in state["members"]]) == (["Bob"], ["Ann Arbor"])
        assert (await facts(server, topic, "member.banned"))[0]["role"] == "member"
        await ann.said(topic, "member.unbanned", member="Bob")
        await bob.said(topic, "member.joined", member="Bob")

    async def test_a_removal_ends_the_streams_of_the_person(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob, private=True)
        path = f"/events?topic=users.Bob&topic={topic}&envelope=true"
        async with (
            asking(server.app, path, headers=bob.headers) as theirs,
            asking(server.app, f"/events?topic={topic}", headers=ann.headers) as hers,
        ):
            await theirs.reach(lambda: theirs.body)
            await hers.reach(lambda: hers.body)
            await ann.said(topic, "member.left", member="Bob")
            await theirs.reach(lambda: theirs.done)
            said = await ann.said(topic, "message.posted", text="Now that he is gone")
            await hers.reach(lambda: len(hers.events) == 2)
            assert said not in "".join(event.id for event in theirs.events)
            assert not hers.done
        problem(await bob.get(path), 403, "private")
        problem(await bob.say(topic, "message.posted", text="Wait"), 403, "private")

    async def test_a_removal_keeps_the_streams_of_others_open(
        self, server: Server, ann: Member, bob: Member, eve: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob, eve, private=True)
        async with asking(server.app, f"/events?topic={topic}", headers=bob.headers) as stream:
            await stream.reach(lambda: stream.body)
            await eve.said(topic, "member.left", member="Eve")
            await ann.said(topic, "message.posted", text="Bye")
            await stream.reach(lambda: len(stream.events) == 2)
            assert not stream.done

    async def test_a_member_who_leaves_during_the_opening_reads_nothing(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob, private=True)
        guard = server.app.access.guards["rooms"]  # type: ignore[attr-defined]
        subject = await server.app.access.authenticator.authenticate(  # type: ignore[attr-defined]
            [(b"authorization", bob.headers["authorization"].encode())], unsafe=False
        )
        await guard.read(subject, topic)
        watch = guard.watch(subject, topic)
        await bob.said(topic, "member.left", member="Bob")
        ended = asyncio.Event()
        watch.start(ended.set)
        await asyncio.wait_for(ended.wait(), 60)
        watch.stop()


class TestRaces:
    async def test_the_first_of_several_creators_wins(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        answers = await asyncio.gather(
            *[who.say(f"rooms.{id}", "room.created", name=who.name) for who in (ann, bob) for _ in range(4)]
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        problem(next(answer for answer in answers if answer.status_code == 409), 409, "already")
        assert len((await server.hub.read(f"rooms.{id}")).events) == 1

    async def test_permission_facts_are_appended_at_the_offset_of_their_check(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        guard = server.app.access.guards["rooms"]  # type: ignore[attr-defined]
        her = named("Ann Arbor")

        async def expected(topic: str, type: str, data: str) -> object:
            return (await guard.admit(her, topic, [(type, data)], transient=False)).expected

        assert await expected(f"rooms.{id}", "room.created", '{"name":"x"}') is NEW
        topic = await room(ann, id, bob)
        tail = (await server.hub.read(topic)).tail
        assert await expected(topic, "member.left", '{"member":"Bob"}') == tail
        assert await expected(topic, "message.posted", '{"text":"x"}') is None

    async def test_the_last_owner_stays_though_two_leave_at_once(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = await room(ann, id, bob)
        await ann.said(topic, "member.role", member="Bob", role="owner")
        answers = await asyncio.gather(*[who.say(topic, "member.left", member=who.name) for who in (ann, bob)])
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert len((await opened(ann, id))["room"]["members"]) == 1

    async def test_joining_succeeds_in_a_busy_room(self, server: Server, ann: Member, bob: Member, id: str) -> None:
        topic = await room(ann, id)
        people = [Member(server, f"Person {n}") for n in range(6)]
        answers = await asyncio.gather(*[one.say(topic, "member.joined", member=one.name) for one in people])
        assert {answer.status_code for answer in answers} == {201}
        assert len((await opened(ann, id))["room"]["members"]) == 7

    async def test_a_retry_has_its_first_answer_whatever_has_happened_since(
        self, server: Server, ann: Member, bob: Member, id: str
    ) -> None:
        topic = f"rooms.{id}"
        created = await ann.say(topic, "room.created", name="Lobby", key="new")
        assert created.status_code == 201
        await ann.said(topic, "member.joined", member="Bob")
        first = await bob.say(topic, "message.posted", text="Hello", key="one")
        await ann.said(topic, "member.left", member="Bob")
        await ann.said(topic, "room.archived")
        for who, type, data, key, before in (
            (ann, "room.created", {"name": "Lobby"}, "new", created),
            (bob, "message.posted", {"text": "Hello"}, "one", first),
        ):
            again = await who.say(topic, type, key=key, **data)
            assert (again.status_code, again.json()) == (200, before.json())
        problem(await bob.say(topic, "message.posted", text="Hello", key="two"), 409, "archived")


class TestOnAnOpenServer:
    async def test_a_name_is_needed_for_every_action(self) -> None:
        async with serving() as server:
            client = server.client
            path = "/topics/rooms.lobby/events?type={}"
            problem(await client.post(path.format("room.created"), json={"name": "Lobby"}), 403, "name first")
            assert (await client.post("/session", json={"name": "Ann"})).status_code == 200
            assert (await client.post(path.format("room.created"), json={"name": "Lobby"})).status_code == 201
            client.cookies.clear()
            assert (await client.get("/rooms/lobby")).json()["room"]["role"] is None
            assert (await client.get("/rooms")).json()["offset"] is None
            problem(await client.post(path.format("member.joined"), json={"member": "Bob"}), 403, "name first")


class TestALongRoom:
    async def test_a_long_room_opens_without_reading_its_whole_log(self) -> None:
        asked = []
        for count in (2_000, 100_000):
            async with serving(secret=SECRET) as server:
                ann = Member(server, "Ann")
                topic = await room(ann, "long")
                said = [("message.posted", '{"by":"Ann","text":"x"}')] * 1_000
                for _ in range(0, count, 1_000):
                    await server.hub.log.append(topic, said)
                await opened(ann, "long")
                tail = (await server.hub.describe(topic)).tail
                async for event in server.hub.subscribe(f"snapshots.{topic}", "earliest"):
                    # An earlier snapshot, of the first facts alone, may have been written while the room was filled.
                    if event.type == "snapshot" and tail.n - Offset.parse(event.json()["offset"]).n <= EVERY:
                        break
                service = server.app.access.guards["rooms"]._rooms  # type: ignore[attr-defined]
                service.states._kept.clear()  # as in a process that has just begun
                counting = Counting(server.hub._store)
                server.hub.log.store = counting  # type: ignore[assignment]
                assert len((await opened(ann, "long"))["events"]) == 100
                asked.append(counting.calls)
        # The snapshot lies up to 500 events behind the tail: one record more or less is read.
        assert asked[1].total() <= asked[0].total() + 1, asked
        assert asked[0].total() <= 12, asked


class TestManyRooms:
    async def test_many_rooms_are_listed_without_a_read_for_each(self) -> None:
        async with serving(secret=SECRET) as server:
            for n in range(1_200):
                await server.hub.log.append(f"rooms.r{n}", [("room.created", '{"by":"Ann","name":"x"}')])
            ann = Member(server, "Ann")
            assert len((await ann.get("/rooms")).json()["rooms"]) == 1_200
            # Snapshots, which the first listing made due, may be written and trimmed meanwhile.
            counting = Counting(server.hub._store, ignored="snapshots.")
            server.hub.log.store = counting  # type: ignore[assignment]
            assert len((await ann.get("/rooms")).json()["rooms"]) == 1_200
            assert counting.calls.total() <= 5, "a page of a thousand at a time, and the invitations"
