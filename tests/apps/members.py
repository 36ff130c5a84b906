"""People with tokens of their own, over the app as `tests.protocols.conftest.serving` opens it."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from tests.http.conftest import Server
from tidings.access.names import slug, topics_of
from tidings.access.tokens import sign

SECRET = "a secret that is long enough for a test"


def token(name: str, *, publish: tuple[str, ...] = (), seconds: float = 600) -> str:
    """A token of somebody who may what people may, and publish to some topics besides."""
    return sign(SECRET, name, publish=[*topics_of(name), *publish], subscribe=topics_of(name), seconds=seconds)


class Member:
    """Somebody, asking the app natively."""

    def __init__(self, server: Server, name: str, *, publish: tuple[str, ...] = ()) -> None:
        self.name = name
        self.server = server
        self.headers = {"authorization": f"Bearer {token(name, publish=publish)}"}

    async def get(self, path: str) -> httpx.Response:
        return await self.server.client.get(path, headers=self.headers)

    async def post(self, path: str, json: Any = None, *, key: str | None = None) -> httpx.Response:
        keyed = {"idempotency-key": key} if key else {}
        return await self.server.client.post(path, json=json, headers={**self.headers, **keyed})

    async def say(self, topic: str, type: str, /, *, key: str | None = None, **data: Any) -> httpx.Response:
        """Publish a fact."""
        return await self.post(f"/topics/{topic}/events?type={type}", data, key=key)

    async def said(self, topic: str, type: str, /, **data: Any) -> str:
        """Publish a fact that is taken; its offset."""
        answer = await self.say(topic, type, **data)
        assert answer.status_code == 201, answer.text
        offset: str = answer.json()["offset"]
        return offset

    async def notifications(self) -> dict[str, Any]:
        answer = await self.get("/notifications")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def told(self) -> list[tuple[str, str, bool]]:
        """Kind, title and whether it is read, of each notification, newest first."""
        return [(one["kind"], one["title"], one["read"]) for one in (await self.notifications())["notifications"]]


async def room(owner: Member, id: str, *members: Member, private: bool = False) -> str:
    """The topic of a new room with these members."""
    topic = f"rooms.{id}"
    await owner.said(topic, "room.created", name=id.title(), private=private)
    for member in members:
        await owner.said(topic, "member.joined", member=member.name)
    return topic


async def until_told(member: Member, kind: str) -> None:
    """Wait for a notification of this kind."""
    async for event in member.server.hub.subscribe(f"users.{slug(member.name)}", "earliest"):
        if event.type == "notification.created" and msgspec.json.decode(event.data)["kind"] == kind:
            return


async def facts(server: Server, topic: str, type: str) -> list[dict[str, Any]]:
    """The data of the topic's events of this type."""
    page = await server.hub.read(topic)
    return [msgspec.json.decode(event.data) for event in page.events if event.type == type]
