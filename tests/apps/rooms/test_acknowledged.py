"""A message that is acknowledged is one that counts, whatever another's fact has made of its author meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tidings import Hub
from tidings.access.guards import Items
from tidings.access.subject import named
from tidings.apps.rooms import fold
from tidings.apps.rooms.guard import RoomsGuard
from tidings.apps.rooms.notifying import Notices
from tidings.apps.rooms.room import Room
from tidings.apps.rooms.rooms import Rooms, Stored
from tidings.errors import Conflict, Forbidden, TidingsError
from tidings.events import Offset
from tidings.http.publish import guarded

TOPIC = "rooms.lobby"
BOB = named("Bob")


class Hearing(Notices):
    """Notices that only keep the offsets of the facts that they are told of."""

    def __init__(self, told: list[Offset]) -> None:
        self.told = told

    async def tell(self, stored: Stored) -> None:
        self.told += [at for at, _ in stored.facts]


class Process:
    """A hub, the guard of its rooms, and the offsets of the facts that others were told of."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.rooms = Rooms(hub)
        self.told: list[Offset] = []
        self.guard = RoomsGuard(self.rooms, Hearing(self.told))

    async def say(self, who: str, *facts: tuple[str, dict[str, Any]], key: str | None = None) -> Offset:
        return (await guarded(self.hub, self.guard, named(who), TOPIC, items(*facts), key)).last


def items(*facts: tuple[str, dict[str, Any]]) -> Items:
    return [(type, msgspec.json.encode(data).decode()) for type, data in facts]


JOIN, LEAVE = ("member.joined", {"member": "Bob"}), ("member.left", {"member": "Bob"})
HELLO: tuple[str, dict[str, Any]] = ("message.posted", {"text": "Hello"})


async def lobby(process: Process) -> None:
    await process.say("Ann", ("room.created", {"name": "Lobby"}), JOIN)


@pytest.mark.parametrize("knows", ["what was before", "all", "nothing new"])
async def test_a_message_of_who_was_removed_meanwhile_is_refused(tmp_path: Path, knows: str) -> None:
    """Its process knows of the removal as it was before the message, or of both, or of neither yet."""
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        here, there = Process(one), Process(two)
        await lobby(here)
        first = await here.say("Bob", HELLO)
        admitted = await here.guard.admit(BOB, TOPIC, items(HELLO), transient=False)
        removed = await there.say("Ann", LEAVE)
        if knows == "what was before":
            await here.rooms.states.at(TOPIC, removed)
        done = await one.log.append(TOPIC, admitted.items, key="once")
        if knows == "all":
            await here.rooms.states.at(TOPIC, done.last)
        with pytest.raises(Forbidden, match="not a member"):
            await here.guard.published(BOB, TOPIC, admitted.items, done)
        for process in (here, there):  # whoever asks again, and wherever
            with pytest.raises(Forbidden, match="not a member"):
                await process.say("Bob", HELLO, key="once")
        assert here.told[-1] == first
        assert done.last.n in (await there.rooms.states.get(TOPIC)).state.ignored


async def test_a_fact_of_a_lost_permission_is_refused_although_its_author_is_back(tmp_path: Path) -> None:
    async with Hub(f"sqlite:///{tmp_path}/tidings.db") as hub:
        process = Process(hub)
        await lobby(process)
        admitted = await process.guard.admit(BOB, TOPIC, items(HELLO), transient=False)
        await process.say("Ann", LEAVE)
        done = await hub.log.append(TOPIC, admitted.items)
        await process.say("Ann", JOIN)
        with pytest.raises(Conflict, match="room changed"):
            await process.guard.published(BOB, TOPIC, admitted.items, done)


async def test_the_facts_of_a_batch_that_count_are_reported(hub: Hub) -> None:
    process = Process(hub)
    await lobby(process)
    message = await process.say("Bob", HELLO)
    delete = "message.deleted", {"message": str(message)}
    admitted = await process.guard.admit(BOB, TOPIC, items(delete, HELLO), transient=False)
    await process.say("Ann", delete)
    done = await hub.log.append(TOPIC, admitted.items)
    with pytest.raises(Conflict, match="was deleted"):
        await process.guard.published(BOB, TOPIC, admitted.items, done)
    assert process.told[-1] == done.last
    assert done.first not in process.told


async def test_an_acknowledged_message_counts_in_a_busy_room(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        here, there = Process(one), Process(two)
        await lobby(here)
        acknowledged: set[int] = set()

        async def post(process: Process) -> None:
            for n in range(40):
                try:
                    acknowledged.add((await process.say("Bob", HELLO, key=f"{id(process)}.{n}")).n)
                except TidingsError:
                    await asyncio.sleep(0)

        async def change() -> None:
            for n in range(40):
                with suppress(Conflict):  # others came first, again and again
                    await (here, there)[n % 2].say("Ann", LEAVE if n % 2 else JOIN)

        await asyncio.gather(change(), *[post(process) for process in (here, there) for _ in range(3)])
        state, posted = Room(), set()
        for event in (await one.read(TOPIC)).events:
            fold.apply(state, event)
            assert event.offset
            if event.type == "message.posted":
                posted.add(event.offset.n)
        assert posted - set(state.ignored) == acknowledged


@pytest.mark.parametrize("fate", ["message.deleted", "message.edited", "redacted by an operator"])
async def test_a_message_that_was_redacted_is_answered_again_by_its_key(tmp_path: Path, fate: str) -> None:
    url = f"sqlite:///{tmp_path}/tidings.db"
    async with Hub(url) as one, Hub(url) as two:
        here, there = Process(one), Process(two)
        await lobby(here)
        both = [("message.posted", {"text": "To be removed"}), ("message.posted", {"text": "To stay"})]
        last = await here.say("Bob", *both, key="once")
        at = last._replace(n=last.n - 1)
        if fate == "message.deleted":
            await here.say("Bob", (fate, {"message": str(at)}))
        elif fate == "message.edited":
            await here.say("Bob", (fate, {"message": str(at), "text": "Other words"}))
        await one.redact(TOPIC, at)
        for process in (here, there):
            assert await process.say("Bob", *both, key="once") == last
