"""The right to see a rule and to be told of it, which is that to read what the rule watches."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.apps.members import SECRET
from tidings import Hub
from tidings.access.access import Access
from tidings.access.guards import Guard, Guards, Watch
from tidings.access.subject import NO_TOPICS, Patterns, Subject
from tidings.access.tokens import Authenticator
from tidings.apps.alerts.fold import State
from tidings.apps.alerts.guard import RulesGuard, WebhooksGuard
from tidings.apps.alerts.rights import Rights
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.service import Alerts
from tidings.errors import Forbidden, NotFound


class Members(Guard):
    """Lets members read, and ends the streams of those who leave."""

    def __init__(self) -> None:
        self.names = {"Ann", "Bob"}
        self.watching: list[tuple[str | None, Any]] = []

    async def read(self, subject: Subject, topic: str) -> None:
        if subject.name not in self.names:
            raise Forbidden("Only members read.")

    def watch(self, subject: Subject, topic: str) -> Watch:
        guard = self

        class Membership(Watch):
            def start(self, end: Any) -> None:
                guard.watching.append((subject.name, end))

        return Membership()

    def leave(self, name: str) -> None:
        self.names.discard(name)
        for watched, end in self.watching:
            if watched == name:
                end()


def person(name: str, *topics: str) -> Subject:
    return Subject(name, NO_TOPICS, Patterns(topics or ("*",)), session=b"1")


@pytest.fixture
def members() -> Members:
    return Members()


@pytest.fixture
def rights(hub: Hub, members: Members) -> Rights:
    guards = Guards(club=members, rooms=members, webhooks=WebhooksGuard(), users=Guard())
    made = Rights(Alerts(hub), Access(Authenticator(secret=SECRET, admins=["Ann"]), guards))
    guards["alerts"] = RulesGuard(made)
    return made


async def rule_on(rights: Rights, topic: str) -> str:
    return await rights.alerts.create(parse({"topic": topic, "above": 1}), "Ann")


async def seen(rights: Rights, subject: Subject, id: str) -> bool:
    state = (await rights.alerts.state(id)).state
    sees = await rights.may_see(subject, state)
    if not sees:
        with pytest.raises(NotFound, match="no such rule"):
            await rights.read(subject, f"alerts.{id}")
    return sees


async def test_a_rule_is_seen_by_those_who_may_read_its_topic_now(rights: Rights, members: Members) -> None:
    id = await rule_on(rights, "club.a")
    assert [await seen(rights, person(name), id) for name in ("Ann", "Bob", "Cee")] == [True, True, False]
    assert not await seen(rights, person("Ann", "alerts.*"), id)
    members.leave("Ann")
    assert not await seen(rights, person("Ann"), id)


async def test_the_history_of_another_topic_keeps_its_readers(rights: Rights) -> None:
    id = await rule_on(rights, "club.a")
    await rights.alerts.save(id, parse({"topic": "open", "above": 1}), "Ann")
    assert [await seen(rights, person(name), id) for name in ("Bob", "Cee")] == [True, False]


async def test_a_rule_that_watches_a_rule_is_seen_by_the_readers_of_both(rights: Rights) -> None:
    inner = await rule_on(rights, "club.a")
    outer = await rule_on(rights, f"alerts.{inner}")
    await rights.alerts.save(inner, parse({"topic": f"alerts.{outer}", "above": 1}), "Ann")
    assert [await seen(rights, person(name), outer) for name in ("Bob", "Cee")] == [True, False]
    assert not await seen(rights, person("Bob", "club.*", f"alerts.{outer}"), outer)
    assert not await seen(rights, person("Bob"), await rule_on(rights, "alerts.none"))


async def test_people_are_told_of_what_they_may_read(rights: Rights, members: Members) -> None:
    async def told(topic: str) -> list[str]:
        state = State(parse({"topic": topic, "above": 1}), [topic])
        return [name for name in ("Ann", "Bob", "Cee", "\ud800") if await rights.may_be_told(name, state)]

    assert await told("rooms.a") == ["Ann", "Bob"]
    assert await told("club.a") == []  # no person reads it by the topics that all people have
    assert await told("users.Bob") == ["Bob"]
    assert await told("webhooks.w") == ["Ann"]
    assert await told("data.load") == ["Ann", "Bob", "Cee"]
    assert await told("alerts.none") == []
    members.leave("Ann")
    assert await told("rooms.a") == ["Bob"]


async def test_a_stream_ends_with_the_right_to_what_the_rule_watches(rights: Rights, members: Members) -> None:
    id = await rule_on(rights, "club.a")
    ends: list[asyncio.Event] = []
    for name in ("Ann", "Bob"):
        await rights.read(person(name), f"alerts.{id}")
        watch = rights.watch(person(name), f"alerts.{id}")
        assert watch is not None
        ends.append(asyncio.Event())
        watch.start(ends[-1].set)
    async with asyncio.timeout(30):
        while len(members.watching) < 2:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)
        members.leave("Ann")
        await ends[0].wait()
        assert not ends[1].is_set()
        await rights.alerts.save(id, parse({"topic": "club.b", "above": 1}), "Bob")
        await ends[1].wait()
    assert rights.watch(person("Cee"), f"alerts.{id}") is None


async def test_a_right_that_is_lost_before_the_stream_begins_ends_it(rights: Rights, members: Members) -> None:
    id = await rule_on(rights, "club.a")
    await rights.read(person("Ann"), f"alerts.{id}")
    watch = rights.watch(person("Ann"), f"alerts.{id}")
    assert watch is not None
    members.leave("Ann")
    ended = asyncio.Event()
    watch.start(ended.set)
    async with asyncio.timeout(30):
        await ended.wait()
    watch.stop()
