"""Tests of invitations: a pending invitation grants nothing, and only a proven name accepts it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.apps.members import Member, room
from tests.http.conftest import Server, serving
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Guest(Member):
    """A person who has chosen a name on a server without a key."""

    def __init__(self, server: Server, name: str) -> None:
        self.name, self.server = name, server
        self.headers = {"cookie": f"tidings_name={quote(name)}"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_server() -> AsyncIterator[Server]:
    async with serving() as made:
        yield made


async def invitation(member: Member, id: str) -> object:
    """The role with which the list of rooms invites a person to a room; "unlisted" for a room that it lacks."""
    rooms = (await member.get("/rooms")).json()["rooms"]
    return next((listed["invited"] for listed in rooms if listed["id"] == id), "unlisted")


async def joined(member: Member, topic: str, **data: Any) -> int:
    """The status of a person's own `member.joined`."""
    return (await member.say(topic, "member.joined", member=member.name, **data)).status_code


async def state(member: Member, id: str) -> dict[str, dict[str, str]]:
    found = (await member.get(f"/rooms/{id}")).json()["room"]
    return {kind: {one["name"]: one["role"] for one in found[kind]} for kind in ("members", "invited")}


async def test_an_invitation_to_a_private_room_grants_nothing_until_it_is_accepted(
    id: str, ann: Member, tom: Member, bob: Member
) -> None:
    topic = await room(ann, id, private=True)
    await ann.said(topic, "message.posted", text="The pangolin arrives on Monday")
    await ann.said(topic, "member.invited", member="Tom", role="reader")
    assert await state(ann, id) == {"members": {"Ann": "owner"}, "invited": {"Tom": "reader"}}
    assert (await tom.told())[0] == ("invite", f"Ann invited you to #{id.title()}", False)
    for path in (f"/rooms/{id}", f"/topics/{topic}/events", f"/events?topic={topic}"):
        problem(await tom.get(path), 403)
    assert (await tom.get("/search?q=pangolin")).json()["hits"] == []
    assert (await tom.say(topic, "message.posted", text="Hello")).status_code == 403
    assert (await invitation(tom, id), await invitation(bob, id)) == ("reader", "unlisted")
    assert await joined(bob, topic) == 403

    assert await joined(tom, topic) == 201
    assert await state(tom, id) == {"members": {"Ann": "owner", "Tom": "reader"}, "invited": {}}
    assert await invitation(tom, id) is None
    assert await joined(tom, topic) == 409


async def test_only_an_owner_invites_and_revokes(id: str, ann: Member, bob: Member, tom: Member) -> None:
    topic = await room(ann, id, bob, private=True)
    problem(await bob.say(topic, "member.invited", member="Tom"), 403, "Only an owner")
    await ann.said(topic, "member.invited", member="Tom")
    problem(await bob.say(topic, "member.uninvited", member="Tom"), 403, "Only an owner")
    problem(await tom.say(topic, "member.uninvited", member="Tom"), 403, "private")
    problem(await ann.say(topic, "member.invited", member="Tom"), 409, "invited already")
    problem(await ann.say(topic, "member.invited", member="Bob"), 409, "member already")
    problem(await ann.say(topic, "member.invited", member=" Tom"), 400)
    await ann.said(topic, "member.uninvited", member="Tom")
    problem(await ann.say(topic, "member.uninvited", member="Tom"), 404, "not invited")
    assert await invitation(tom, id) == "unlisted"
    assert await joined(tom, topic) == 403


async def test_a_ban_ends_an_invitation_and_an_owner_who_adds_the_person_fulfils_it(
    id: str, ann: Member, tom: Member, bob: Member
) -> None:
    topic = await room(ann, id, private=True)
    for name in ("Tom", "Bob"):
        await ann.said(topic, "member.invited", member=name, role="owner")
    await ann.said(topic, "member.banned", member="Tom")
    problem(await ann.say(topic, "member.invited", member="Tom"), 409, "banned")
    assert await joined(tom, topic) == 403
    await ann.said(topic, "member.joined", member="Bob", role="member")
    assert await state(ann, id) == {"members": {"Ann": "owner", "Bob": "member"}, "invited": {}}
    await ann.said(topic, "member.unbanned", member="Tom")
    assert (await joined(tom, topic), await invitation(tom, id)) == (403, "unlisted")


async def test_only_the_server_says_that_somebody_was_invited(id: str, ann: Member, tom: Member) -> None:
    topic = await room(ann, id)
    for invited in (True, False):
        problem(await tom.say(topic, "member.joined", member="Tom", role="owner", invited=invited), 400, "stamps")
    assert await joined(tom, topic, role="owner") == 403
    await ann.said(topic, "member.invited", member="Tom", role="owner")
    assert await joined(tom, topic) == 201
    assert (await state(ann, id))["members"]["Tom"] == "owner"


async def test_an_archived_room_invites_nobody(id: str, ann: Member, tom: Member) -> None:
    topic = await room(ann, id, private=True)
    await ann.said(topic, "member.invited", member="Tom")
    await ann.said(topic, "room.archived")
    assert (await joined(tom, topic), await invitation(tom, id)) == (409, "unlisted")


@pytest.mark.parametrize("private", [True, False])
async def test_a_guest_who_chooses_the_name_of_an_invited_person_gets_nothing_by_it(
    open_server: Server, private: bool
) -> None:
    ann, tom = Guest(open_server, "Ann"), Guest(open_server, f"Tom {private}")
    id = f"guest-{private}"
    topic = await room(ann, id, private=private)
    await ann.said(topic, "member.invited", member=tom.name, role="owner")
    assert await tom.told() == []
    assert await invitation(tom, id) == ("unlisted" if private else None)
    assert await joined(tom, topic, role="owner") == 403
    assert await joined(tom, topic) == (403 if private else 201)
    assert (await state(ann, id))["members"].get(tom.name) == (None if private else "member")
    if private:
        await ann.said(topic, "member.joined", member=tom.name)
        assert (await tom.get(f"/rooms/{id}")).status_code == 200


async def test_people_are_known_to_those_who_can_read_a_room_of_theirs(
    server: Server, ann: Member, tom: Member, bob: Member
) -> None:
    ada, zoe = Member(server, "Ada Known Lovelace"), Member(server, "Zoe Known")
    await room(ann, "known-secret", ada, tom, private=True)
    await room(zoe, "known-open")

    async def known(who: Member, letters: str) -> list[str]:
        found: list[str] = (await who.get(f"/people/known?q={letters}")).json()["people"]
        return found

    assert await known(tom, "known") == ["Ada Known Lovelace", "Zoe Known"]
    assert await known(tom, "LOVE") == ["Ada Known Lovelace"]
    assert await known(tom, "ove") == []
    assert await known(bob, "known") == ["Zoe Known"]
    problem(await server.client.get("/people/known?q=known"), 401)
    problem(await tom.get(f"/people/known?q={'x' * 61}"), 422)
    crowd = [("member.joined", {"member": f"Crowd {n:02}"}) for n in range(30)]
    for type, data in crowd:
        await zoe.said("rooms.known-open", type, **data)
    assert await known(bob, "crowd") == [f"Crowd {n:02}" for n in range(20)]
