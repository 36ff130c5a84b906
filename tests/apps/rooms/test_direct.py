"""Direct messages: rooms of a few people that keep those people, and of which there is one for the same people."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.apps.members import Member, facts
from tests.http.conftest import Server
from tests.http.problems import problem
from tidings.apps.rooms.direct import MOST, id_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def people(server: Server, request: pytest.FixtureRequest) -> list[Member]:
    """Four people of the test's own."""
    return [
        Member(server, f"{first} {abs(hash(request.node.name)) % 10**6}") for first in ("Mara", "Tom", "Ada", "Ben")
    ]


async def found(member: Member, *others: Member) -> tuple[str, bool]:
    """The topic of the direct message of some people, and whether it was begun."""
    answer = await member.get(f"/people/direct?{urlencode({'name': [one.name for one in others]}, doseq=True)}")
    assert answer.status_code == 200, answer.text
    return f"rooms.{answer.json()['room']}", answer.json()["exists"]


async def begin(member: Member, *others: Member, invited: tuple[Member, ...] = ()) -> str:
    """Begin a direct message. Return its topic."""
    topic, exists = await found(member, *others)
    assert not exists
    names = [one.name for one in (member, *others)]
    await member.said(topic, "room.created", private=True, people=names, invited=[one.name for one in invited])
    return topic


async def test_the_same_people_have_one_direct_message(people: list[Member]) -> None:
    mara, tom, ada, _ = people
    topic = await begin(mara, tom)
    assert await found(tom, mara) == (topic, True)
    assert await found(mara, tom, mara) == (topic, True), "your own name may be among the names"
    assert (await found(mara, tom, ada))[0] != topic
    names = {"people": [tom.name, mara.name], "private": True}
    problem(await tom.say(topic, "room.created", **names), 409, "exists")


async def test_two_who_begin_at_once_begin_one(people: list[Member]) -> None:
    mara, tom, *_ = people
    (topic, _), (other, _) = await asyncio.gather(found(mara, tom), found(tom, mara))
    assert topic == other
    names = {"people": [mara.name, tom.name], "private": True}
    answers = await asyncio.gather(*[one.say(topic, "room.created", **names) for one in (mara, tom, mara, tom)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(await facts(mara.server, topic, "room.created")) == 1
    for one in (mara, tom):
        assert (await one.say(topic, "message.posted", text="Hello")).status_code == 201


async def test_only_its_people_find_it_and_each_sees_who_they_are(people: list[Member]) -> None:
    mara, tom, ada, ben = people
    topic = await begin(mara, tom, ada)
    id = topic.removeprefix("rooms.")
    for one in (mara, tom, ada):
        [listed] = [room for room in (await one.get("/rooms")).json()["rooms"] if room["id"] == id]
        assert listed["people"] == sorted([mara.name, tom.name, ada.name])
        assert (listed["name"], listed["private"], listed["role"], listed["members"]) == ("", True, "member", 3)
    opened = (await ada.get(f"/rooms/{id}")).json()["room"]
    assert (opened["direct"], opened["name"]) == (True, "")
    assert [one["role"] for one in opened["members"]] == ["member"] * 3
    problem(await ben.get(f"/rooms/{id}"), 403, "private")
    problem(await ben.get(f"/topics/{topic}/events"), 403, "private")
    problem(await ben.say(topic, "message.posted", text="Hello"), 403, "private")
    assert id not in str((await ben.get("/rooms")).json())


async def test_a_direct_message_keeps_its_people_and_has_no_name(people: list[Member]) -> None:
    mara, tom, _, ben = people
    topic = await begin(mara, tom)
    for type, data in (
        ("member.joined", {"member": ben.name}),
        ("member.invited", {"member": ben.name}),
        ("member.left", {"member": mara.name}),
        ("member.left", {"member": tom.name}),
        ("member.banned", {"member": tom.name}),
        ("member.role", {"member": mara.name, "role": "owner"}),
        ("room.renamed", {"name": "Lair"}),
        ("room.archived", {}),
        ("room.restored", {}),
    ):
        problem(await mara.say(topic, type, **data), 403, "keeps its people")
    problem(await ben.say(topic, "member.joined", member=ben.name), 403, "private")
    said = await tom.said(topic, "message.posted", text="Hello")
    problem(await mara.say(topic, "message.deleted", message=said), 403, "Only its author")
    await mara.said(topic, "reaction.added", message=said, emoji="👍")


async def test_each_message_notifies_the_others_as_a_mention_does(people: list[Member]) -> None:
    mara, tom, ada, _ = people
    topic = await begin(mara, tom, ada)
    assert await tom.told() == []
    said = await mara.said(topic, "message.posted", text=f"Lunch, @{ada.name}?")
    assert await tom.told() == [("message", f"{mara.name} sent you a direct message", False)]
    assert await ada.told() == [("mention", f"{mara.name} mentioned you in a direct message", False)]
    assert await mara.told() == []
    assert (await facts(mara.server, topic, "message.posted"))[0]["everyone"] == [tom.name]
    [listed] = (await tom.get("/rooms")).json()["rooms"]
    assert (listed["unread"], listed["mentions"]) == (1, 1)
    await tom.said(topic, "message.posted", text="Yes", reply=said)
    assert [kind for kind, _, _ in await mara.told()] == ["message"]
    await mara.said(topic, "message.edited", message=said, text="Dinner?")
    assert (await tom.notifications())["notifications"][0]["text"] == "Dinner?"
    await mara.said(topic, "message.deleted", message=said)
    assert await tom.told() == []
    assert [kind for kind, _, _ in await ada.told()] == ["message"], "Tom's stays"


async def test_an_invited_person_joins_later(people: list[Member]) -> None:
    mara, tom, ada, ben = people
    topic = await begin(mara, tom, ada, ben, invited=(ada, ben))
    id = topic.removeprefix("rooms.")
    assert await ada.told() == [("invite", f"{mara.name} invited you to a direct message", False)]
    problem(await ada.get(f"/rooms/{id}"), 403, "private")
    [listed] = (await ada.get("/rooms")).json()["rooms"]
    assert (listed["invited"], listed["role"]) == ("member", None)
    problem(await ada.say(topic, "member.joined", member=ben.name), 403, "private")
    await ada.said(topic, "member.joined", member=ada.name)
    problem(await tom.say(topic, "member.joined", member=ben.name, role="owner"), 400, "members")
    await tom.said(topic, "member.joined", member=ben.name)
    for one in (ada, ben):
        await one.said(topic, "message.posted", text="Here I am")
    assert (await ben.get("/rooms")).json()["rooms"][0]["people"] == sorted(one.name for one in people)


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"people": ["ME"]}, 400, "2 to 10"),
        ({"people": ["ME", "ME"]}, 400, "each of them once"),
        ({"people": ["ME", *[f"P{n}" for n in range(MOST)]]}, 400, "2 to 10"),
        ({"people": ["Ann", "Bob"]}, 400, "your own name"),
        ({"people": ["ME", "Bob\n"]}, 400, "name"),
        ({"private": False}, 400, "private"),
        ({"name": "Lair"}, 400, "neither a name"),
        ({"invited": ["ME"]}, 400, "other `people`"),
        ({"invited": ["Bob"]}, 400, "other `people`"),
        ({"people": ["ME", "Bob"]}, 403, "follows from its people"),
        ({"people": [], "name": "Lair"}, 403, "follows from its people"),
        ({"people": [], "invited": ["Tom"]}, 400, "2 to 10"),
    ],
)
async def test_a_direct_room_is_created_only_as_itself(
    server: Server, request: pytest.FixtureRequest, change: dict[str, Any], status: int, word: str
) -> None:
    me = Member(server, f"Mara {abs(hash(request.node.name)) % 10**6}")
    data: dict[str, Any] = {"private": True, "people": ["ME", "Tom"], **change}
    for key in ("people", "invited"):
        if key in data:
            data[key] = [me.name if name == "ME" else name for name in data[key]]
    topic = f"rooms.{id_of(data['people'] if status == 400 else [me.name, 'Tom'])}"
    problem(await me.say(topic, "room.created", **data), status, word)
    other = {"private": True, "people": [me.name, "Tom"]}
    problem(await me.say("rooms.lair-of-mine", "room.created", **other), 403, "follows from its people")


async def test_a_direct_room_is_named_only_for_people_with_names(server: Server, ann: Member) -> None:
    problem(await ann.get("/people/direct?name=Ann"), 400, "2 to 10")
    problem(await ann.get("/people/direct"), 422, "name")
    nameless = await server.client.get("/people/direct?name=Bob")
    assert nameless.status_code == 401
