"""Tests of the index of rooms: the work for a list follows from what changed, and not from how many rooms there are."""

from __future__ import annotations

import asyncio

from tests.apps.test_projection import Counting
from tidings import Hub
from tidings.access.subject import named
from tidings.apps.rooms.index import Index
from tidings.apps.rooms.rooms import Rooms

ANN, EVE = named("Ann"), named("Eve")


async def create(hub: Hub, id: str, *, private: bool = False, by: str = "Zoe") -> None:
    await hub.publish(f"rooms.{id}", {"by": by, "name": id, "private": private}, "room.created")


async def ids(index: Index, who: object) -> list[str]:
    return [found.id for found in await index.readable_by(who)]  # type: ignore[arg-type]


async def test_public_rooms_and_a_person_s_own_private_rooms_are_listed(hub: Hub) -> None:
    index = Index(Rooms(hub))
    await create(hub, "a")
    await create(hub, "b", private=True)
    await create(hub, "c", private=True, by="Ann")
    await hub.publish("rooms.d", {}, "message.posted")
    assert await ids(index, ANN) == ["a", "c"]
    assert await ids(index, EVE) == ["a"]
    await hub.publish("rooms.b", {"by": "Zoe", "member": "Ann"}, "member.joined")
    await hub.publish("rooms.c", {"by": "Ann", "name": "renamed"}, "room.renamed")
    assert [(found.id, found.entry.name) for found in await index.readable_by(ANN)][1:] == [
        ("b", "b"),
        ("c", "renamed"),
    ]
    await hub.publish("rooms.b", {"by": "Zoe", "member": "Ann"}, "member.banned")
    assert await ids(index, ANN) == ["a", "c"]


async def test_only_rooms_that_changed_are_read(hub: Hub) -> None:
    rooms = Rooms(hub)
    rooms.states._keep = 8  # far fewer states than there are rooms
    index = Index(rooms)
    await asyncio.gather(*[create(hub, f"r{n}", private=n % 2 == 0) for n in range(100)])
    await create(hub, "mine", by="Ann")
    assert len(await ids(index, ANN)) == 51
    counting = Counting(hub._store, ignored="snapshots.")  # they may be written, and trimmed, meanwhile
    hub.log.store = counting  # type: ignore[assignment]
    assert len(await ids(index, ANN)) == 51
    assert counting.calls.total() <= 4, "one room is the person's own, whose unread messages are counted"
    before = counting.calls.total()
    await hub.publish("rooms.r1", {"by": "Zoe", "text": "Hello"}, "message.posted")
    assert len(await ids(index, EVE)) == 51
    assert counting.calls.total() - before <= 4, "one room changed"
