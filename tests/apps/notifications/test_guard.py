"""The guard of a person's topic: allowed publishers, and notifications that are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.apps.members import SECRET, Member, facts
from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARA = "users.Mara_20Lindqvist"


@pytest.fixture
def shop(server: Server) -> Member:
    """A program that may notify everybody."""
    return Member(server, "shop", publish=("users.*",))


async def test_any_program_that_may_publish_there_notifies(server: Server, mara: Member, shop: Member) -> None:
    whole = {
        "kind": "order", "title": "Your order is on its way", "text": "Two parcels.", "link": "https://shop.example/o/1",
        "topic": "orders.1", "event": "x7Kp2Q-42",
    }  # fmt: skip
    offset = await shop.said(MARA, "notification.created", **whole)
    assert (await facts(server, MARA, "notification.created"))[-1] == {**whole, "by": "shop"}
    found = await mara.notifications()
    assert {key: value for key, value in found["notifications"][0].items() if key != "time"} == {
        **whole, "by": "shop", "offset": offset, "read": False,
    }  # fmt: skip
    assert (found["topic"], found["offset"]) == (MARA, offset)
    await shop.said(MARA, "notification.created", title="Only a title")
    assert (await mara.notifications())["notifications"][0]["kind"] == "notice"


async def test_once_for_each_key(mara: Member, shop: Member) -> None:
    before = (await mara.notifications())["unread"]
    for status in (201, 200):
        answer = await shop.say(MARA, "notification.created", title="Once", key="order.1")
        assert answer.status_code == status
    assert (await mara.notifications())["unread"] == before + 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"title": ""}, 400),
        ({"title": "  "}, 400),
        ({"title": "a" * 201}, 413),
        ({"title": "a\x00b"}, 400),
        ({"title": "two\nlines\x1b[31m"}, 400),
        ({"title": 5}, 400),
        ({}, 400),
        ({"title": "a", "text": "b" * 2001}, 413),
        ({"title": "a", "text": "\x00"}, 400),
        ({"title": "a", "kind": "two words"}, 400),
        ({"title": "a", "kind": ""}, 400),
        ({"title": "a", "colour": "red"}, 400),
        ({"title": "a", "read": True}, 400),
        ({"title": "a", "topic": "no topic"}, 400),
        ({"title": "a", "event": "x-1"}, 400),
        ({"title": "a", "topic": "a", "event": "one"}, 400),
        ({"title": "a", "by": "Tom"}, 403),
        *[
            ({"title": "a", "link": link}, 400)
            for link in (
                "javascript:alert(1)",
                "JAVASCRIPT:alert(1)",
                "java\nscript:alert(1)",
                "data:text/html,<script>alert(1)</script>",
                "vbscript:x",
                "http://plain.example/",
                "//evil.example/",
                "/\\evil.example/",
                "/\t/evil.example/",
                "https:///nowhere",
                "https://[::1",
                "https://bank.example@evil.example/",
                "https://evil.example/\u202e",
                "rooms",
                " /r/lobby",
                "",
                "/" + "a" * 2000,
            )
        ],
    ],
)
async def test_an_invalid_notification_is_refused(
    server: Server, shop: Member, wrong: dict[str, Any], status: int
) -> None:
    before = await server.hub.log.describe(MARA)
    problem(await shop.say(MARA, "notification.created", **wrong), status)
    assert await server.hub.log.describe(MARA) == before


@pytest.mark.parametrize(
    "body", [b"", b"hello", b"[]", b"null", b'"x"', b"[" * 100_000, b'{"title": "\xff"}', b"{" * 9]
)
async def test_a_body_that_is_no_object_is_refused(server: Server, shop: Member, body: bytes) -> None:
    path = f"/topics/{MARA}/events?type=notification.created"
    problem(await server.client.post(path, content=body, headers=shop.headers), 400)


async def test_ten_megabytes_are_refused(server: Server, shop: Member) -> None:
    path = f"/topics/{MARA}/events?type=notification.created"
    body = msgspec.json.encode({"title": "a", "text": "b" * 10_000_000})
    problem(await server.client.post(path, content=body, headers=shop.headers), 413)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "[x](javascript:1)"])
async def test_markup_stays_text(mara: Member, shop: Member, text: str) -> None:
    await shop.said(MARA, "notification.created", title=text, text=text)
    found = (await mara.notifications())["notifications"][0]
    assert (found["title"], found["text"]) == (text, text)


async def test_a_batch_is_taken_whole_or_not_at_all(server: Server, mara: Member, shop: Member) -> None:
    before = (await mara.notifications())["unread"]
    lines = [{"type": "notification.created", "data": {"title": "a"}}, {"type": "dnd.set", "data": {"until": None}}]
    body = b"\n".join(map(msgspec.json.encode, lines))
    headers = {**shop.headers, "content-type": "application/x-ndjson"}
    path = f"/topics/{MARA}/events"
    problem(await server.client.post(path, content=body, headers=headers), 403)
    assert (await mara.notifications())["unread"] == before


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("notification.read", {"upto": "x-1"}),
        ("room.read", {"room": "lobby", "offset": "x-1"}),
        ("topic.muted", {"topic": "rooms.lobby"}),
        ("topic.unmuted", {"topic": "rooms.lobby"}),
        ("dnd.set", {"until": 1e9}),
    ],
)
async def test_all_else_is_the_person_s_to_say(mara: Member, shop: Member, type: str, data: dict[str, Any]) -> None:
    problem(await shop.say(MARA, type, **data), 403)
    await mara.said(MARA, type, **data)


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("notification.read", {}),
        ("notification.read", {"upto": "x-1", "offsets": []}),
        ("notification.read", {"offsets": ["one"]}),
        ("notification.read", {"upto": "one"}),
        ("room.read", {"room": "a.b", "offset": "x-1"}),
        ("room.read", {"room": "lobby", "offset": "1"}),
        ("topic.muted", {"topic": "*"}),
        ("dnd.set", {"until": "tomorrow"}),
        ("dnd.set", {"until": -1}),
        ("dnd.set", {}),
        ("message", {}),
    ],
)
async def test_an_invalid_fact_is_refused(mara: Member, type: str, data: dict[str, Any]) -> None:
    problem(await mara.say(MARA, type, **data), 400)


async def test_a_batch_above_the_limit_is_refused(mara: Member) -> None:
    problem(await mara.say(MARA, "notification.read", offsets=["x-1"] * 1001), 413)
    problem(await mara.post(f"/topics/{MARA}/events?type=notification.created&transient=true", {"title": "a"}), 400)


@pytest.mark.parametrize("topic", [MARA, f"{MARA}.conversations"])
async def test_nobody_reads_another_s(server: Server, mara: Member, topic: str) -> None:
    """Not even with a token whose patterns would allow it."""
    data = {"title": "for me"} if topic == MARA else {"id": "c1", "title": "Mine"}
    await mara.said(topic, "notification.created" if topic == MARA else "conversation.created", **data)
    nosy = Member(server, "Nosy")
    nosy.headers = {"authorization": f"Bearer {_all_seeing('Nosy')}"}
    for path in (f"/topics/{topic}", f"/topics/{topic}/events", f"/topics/{topic}/events?before=tail"):
        problem(await nosy.get(path), 403)
        assert (await mara.get(path)).status_code == 200
    for path in (f"/events?topic={topic}", f"/events?topic={topic}&from=earliest&topic=chat.a"):
        async with asking(server.app, path, headers=nosy.headers) as stream:
            assert stream.status == 403
    assert topic not in (await nosy.get("/topics?prefix=users.")).json()["topics"]
    assert topic in (await mara.get("/topics?prefix=users.")).json()["topics"]
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/close")):
        answer = await server.client.request(method, f"/topics/{topic}{path}", json={}, headers=nosy.headers)
        problem(answer, 403)
    problem(await nosy.post("/runs", {"input": "x", "topic": topic}), 403)
    problem(await mara.get(f"/topics/snapshots.{topic}"), 403)


def _all_seeing(name: str) -> str:
    from tidings.access.tokens import sign

    return sign(SECRET, name, publish=["*"], subscribe=["*"], seconds=60)


async def test_an_inbox_is_not_closed_or_deleted_by_its_person_either(server: Server, mara: Member) -> None:
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/close")):
        answer = await server.client.request(method, f"/topics/{MARA}{path}", json={}, headers=mara.headers)
        problem(answer, 403)


async def test_other_topics_of_a_user_are_ruled_by_the_token(server: Server, shop: Member) -> None:
    await shop.said("users.4711.inbox", "notification", title="as before")


class TestOpen:
    """A server without a key."""

    async def test_without_a_name_one_notifies_and_has_no_notifications(self) -> None:
        async with serving() as server:
            path = f"/topics/{MARA}/events?type=notification.created"
            assert (await server.client.post(path, json={"title": "a", "by": "curl"})).status_code == 201
            for refused in (f"/topics/{MARA}", "/notifications"):
                problem(await server.client.get(refused), 403)
            read = f"/topics/{MARA}/events?type=notification.read"
            problem(await server.client.post(read, json={"upto": "x-1"}), 403)
            local = "/topics/users.local.conversations/events"
            assert (await server.client.post(local, json={"id": "c1"})).status_code == 201
            assert (await server.client.get(local)).status_code == 200

    async def test_a_named_person_has_a_topic_of_their_own(self) -> None:
        async with serving() as server:
            chosen = await server.client.post("/session", json={"name": "Mara Lindqvist"})
            assert chosen.status_code == 200
            path = f"/topics/{MARA}/events?type=notification.created"
            assert (await server.client.post(path, json={"title": "a"})).status_code == 201
            found = (await server.client.get("/notifications")).json()
            assert [one["by"] for one in found["notifications"]] == ["Mara Lindqvist"]
            problem(await server.client.get("/topics/users.Tom/events"), 403)
