"""Alerts over HTTP: rules, states, silences, who may change them, and what people are told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from tests.apps.alerts.processes import eventually
from tests.apps.members import SECRET, Member, until_told
from tests.http.conftest import Server, serving
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET, admins=("Ann",)) as made:
        yield made


class Admin(Member):
    """A person, with a token that also reads and publishes some topics of programs."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(server, name)
        topics = ["alerts.*", "silences", "webhooks.*", f"users.{name}", "data.*"]
        token = sign(SECRET, name, publish=topics, subscribe=topics, seconds=600, limits="person")
        self.headers = {"authorization": f"Bearer {token}"}

    async def put(self, path: str, json: Any) -> httpx.Response:
        return await self.server.client.put(path, json=json, headers=self.headers)

    async def delete(self, path: str) -> httpx.Response:
        return await self.server.client.delete(path, headers=self.headers)


@pytest.fixture
def ann(server: Server) -> Admin:
    return Admin(server, "Ann")


@pytest.fixture
def bob(server: Server) -> Admin:
    return Admin(server, "Bob")


async def rule_of(person: Admin, **rule: Any) -> str:
    answer = await person.post("/alerts/rules", rule)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/alerts/rules/{answer.json()['id']}"
    id: str = answer.json()["id"]
    return id


async def until(server: Server, id: str, type: str, count: int = 1, **about: Any) -> list[dict[str, Any]]:
    """Wait for facts of a rule."""
    found = []
    async with asyncio.timeout(30):
        async for event in server.hub.subscribe(f"alerts.{id}", "earliest"):
            if event.type == type and about.items() <= event.json().items():
                found.append(event.json())
                if len(found) == count:
                    return found
    raise AssertionError(type)


async def judged(server: Server, id: str) -> None:
    """Wait until the rule is judged: publishing to its topic is then seen."""
    judge = server.app.state.judging.judge
    await eventually(lambda: id in judge.seats and judge.seats[id].watched is not None)


async def rejudged(server: Server, id: str) -> None:
    """Wait until the rule that is judged is the one that was saved."""
    judge, saved = server.app.state.judging.judge, {"topic": "data.edit", "above": 2.0}
    await eventually(lambda: msgspec.to_builtins(judge.seats[id].judgement.state.rule) == saved)


async def test_a_rule_fires_and_its_author_is_told(server: Server, ann: Admin) -> None:
    id = await rule_of(ann, topic="data.cpu", field="load", above=90, title="CPU")
    await judged(server, id)
    at = await server.hub.publish("data.cpu", {"load": 97})
    [fired] = await until(server, id, "alert.notice", kind="fired")
    assert (fired["limit"], fired["instances"][0]["value"], fired["instances"][0]["offset"]) == (90, 97, str(at))
    await until_told(ann, "alert")
    found = (await ann.get(f"/alerts/rules/{id}")).json()
    assert (found["state"], found["author"], found["rule"]["above"]) == ("firing", "Ann", 90)
    assert [entry["type"] for entry in found["history"]] == ["rule.saved", "alert.changed", "alert.notice"]
    listed = (await ann.get("/alerts")).json()
    assert (listed["may_change"], listed["firing"]) == (True, 1)
    times = [entry["time"] for entry in found["history"]]
    assert times == sorted(times)
    assert abs(time.time() - times[0]) < 60
    done = await ann.post(f"/alerts/rules/{id}/acknowledge", {"note": "On it"})
    assert done.json() == {"episodes": fired["episodes"]}
    [instance] = (await ann.get(f"/alerts/rules/{id}")).json()["instances"]
    assert (instance["acknowledged"], instance["note"], instance["silent"]) == ("Ann", "On it", None)
    await server.hub.publish("data.cpu", {"load": 20})
    await until(server, id, "alert.notice", kind="resolved")
    async with asyncio.timeout(30):
        async for event in server.hub.subscribe("users.Ann", "earliest"):
            if event.json()["title"] == "CPU is over":
                break
    assert [title for _, title, _ in await ann.told()] == ["CPU is over", "CPU is firing"]


async def test_administrators_change_what_all_may_look_at(server: Server, ann: Admin, bob: Admin) -> None:
    id = await rule_of(ann, topic="data.x", above=1)
    assert (await bob.get(f"/alerts/rules/{id}")).status_code == 200
    assert (await bob.get("/alerts")).json()["may_change"] is False
    rule = {"topic": "data.x", "above": 2}
    refusals = [
        await bob.post("/alerts/rules", rule),
        await bob.put(f"/alerts/rules/{id}", rule),
        await bob.delete(f"/alerts/rules/{id}"),
        await bob.post(f"/alerts/rules/{id}/acknowledge", {}),
        await bob.post("/alerts/silences", {"seconds": 60}),
        await ann.say(f"alerts.{id}", "rule.deleted"),
        await ann.say("silences", "silence.began", id="x", until=9e9),
        await ann.delete(f"/topics/alerts.{id}"),
        await ann.get("/topics/judging/events"),
    ]
    assert [answer.status_code for answer in refusals] == [403] * len(refusals)
    stranger = Member(server, "Eve")
    stranger.headers = {"authorization": f"Bearer {sign(SECRET, 'Eve', publish=[], subscribe=[], seconds=60)}"}
    assert (await stranger.get(f"/alerts/rules/{id}")).status_code == 403
    assert (await stranger.get("/alerts")).json()["rules"] == []


async def test_rules_are_listed_by_the_topics_that_they_watch(ann: Admin) -> None:
    first, second = await rule_of(ann, topic="data.one", above=1), await rule_of(ann, topic="data.two", above=1)
    for query, ids in (("topics=data.one", [first]), ("topics=data.two,data.one", sorted([first, second]))):
        assert sorted(rule["id"] for rule in (await ann.get(f"/alerts?{query}")).json()["rules"]) == ids
    assert (await ann.get("/alerts?topics=data.none")).json()["rules"] == []


async def test_a_rule_watches_only_what_its_author_may_read(ann: Admin) -> None:
    for path in ("/alerts/rules", "/alerts/preview"):
        assert (await ann.post(path, {"topic": "other.x", "above": 1})).status_code == 403


async def test_a_wrong_rule_is_refused_with_the_name_of_its_field(ann: Admin) -> None:
    for path in ("/alerts/rules", "/alerts/preview"):
        answer = await ann.post(path, {"topic": "data.x", "above": "high"})
        assert (answer.status_code, "above" in answer.json()["detail"]) == (400, True)
        nan = await ann.server.client.post(path, content='{"topic": "data.x", "above": NaN}', headers=ann.headers)
        assert (nan.status_code, "above" in nan.json()["detail"]) == (400, True)
        assert (await ann.server.client.post(path, content="{", headers=ann.headers)).status_code == 400


async def test_the_same_key_makes_one_rule(ann: Admin) -> None:
    made = [await ann.post("/alerts/rules", {"topic": "data.k", "above": 1}, key="once") for _ in range(2)]
    assert made[0].json() == made[1].json()
    assert (await ann.delete(f"/alerts/rules/{made[0].json()['id']}")).status_code == 204
    again = await ann.post("/alerts/rules", {"topic": "data.k", "above": 1}, key="once")
    assert (again.status_code, "another key" in again.json()["detail"]) == (409, True)


async def test_a_request_acknowledges_a_thousand_episodes(ann: Admin) -> None:
    id = await rule_of(ann, topic="data.many", above=1)
    about = {"episodes": ["e" * 20] * 1_000, "note": "n" * 500}
    assert (await ann.post(f"/alerts/rules/{id}/acknowledge", about)).status_code == 404
    assert (await ann.post(f"/alerts/rules/{id}/acknowledge", {**about, "note": "n" * 20_000})).status_code == 413


async def test_an_edit_a_pause_and_a_deletion_end_what_fires(server: Server, ann: Admin) -> None:
    id = await rule_of(ann, topic="data.edit", above=1)
    await judged(server, id)
    for n, reason in enumerate(("rule changed", "paused", "rule deleted")):
        await server.hub.publish("data.edit", 5)
        await until(server, id, "alert.notice", n + 1, kind="fired")
        if reason == "rule deleted":
            assert (await ann.delete(f"/alerts/rules/{id}")).status_code == 204
        else:
            rule = {"topic": "data.edit", "above": 2, "paused": n == 1}
            assert (await ann.put(f"/alerts/rules/{id}", rule)).status_code == 204
        ended = await until(server, id, "alert.notice", n + 1, kind="resolved")
        assert ended[n]["instances"][0]["reason"] == reason
        if reason == "paused":
            assert (await ann.put(f"/alerts/rules/{id}", {"topic": "data.edit", "above": 2})).status_code == 204
        if reason != "rule deleted":
            await rejudged(server, id)
            await judged(server, id)
    assert (await ann.get(f"/alerts/rules/{id}")).status_code == 404
    async with asyncio.timeout(30):
        assert [event.type async for event in server.hub.subscribe(f"alerts.{id}", -1)] == ["alert.handed_on"]


async def test_a_silence_keeps_a_notice_back_until_it_ends(server: Server, ann: Admin) -> None:
    id = await rule_of(ann, topic="data.quiet", above=1)
    await judged(server, id)
    silence = (await ann.post("/alerts/silences", {"seconds": 3600, "why": "Deploy", "rules": [id]})).json()
    listed = (await ann.get("/alerts/silences")).json()
    assert [(one["id"], one["why"], one["by"]) for one in listed["silences"]] == [(silence["id"], "Deploy", "Ann")]
    judge = server.app.state.judging.judge
    await eventually(lambda: judge.seats[id].judgement.settling.quiet_until("", time.time()) is not None)
    await server.hub.publish("data.quiet", 5)
    await until(server, id, "alert.changed", state="firing")
    [instance] = (await ann.get(f"/alerts/rules/{id}")).json()["instances"]
    assert instance["silent"] == silence["until"]
    assert (await ann.delete(f"/alerts/silences/{silence['id']}")).status_code == 204
    await until(server, id, "alert.notice", kind="fired")
    assert (await ann.delete(f"/alerts/silences/{silence['id']}")).status_code == 404
    for wrong in ({}, {"until": 1.0, "seconds": 1.0}, {"until": 1.0}, {"seconds": "1"}, {"seconds": 1.0, "rules": []}):
        assert (await ann.post("/alerts/silences", wrong)).status_code == 400


async def test_a_preview_says_what_a_rule_would_have_done(server: Server, ann: Admin) -> None:
    for value in (1, 5, "x", 6, 1, 7):
        await server.hub.publish("data.past", value)
    found = (await ann.post("/alerts/preview", {"topic": "data.past", "above": 4})).json()
    assert (found["events"], found["bad"], found["fired"], found["complete"]) == (6, 1, 2, True)
    assert [notice["kind"] for notice in found["notices"]] == ["fired", "resolved", "fired"]
    id = await rule_of(ann, topic="data.past", above=6)
    assert (await ann.get(f"/alerts/rules/{id}/preview")).json()["fired"] == 1
    assert (await ann.get("/alerts/rules/none/preview")).status_code == 404
    assert (await ann.post("/alerts/preview", {"topic": "data.never", "above": 6})).json()["events"] == 0
