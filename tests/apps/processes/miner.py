"""A program that publishes to processes and reads them, and the events of two orders."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.apps.members import SECRET
from tests.http.conftest import Server
from tidings.access.tokens import sign


class Miner:
    """A program whose token allows every process, and a process of the test's own."""

    def __init__(self, server: Server, name: str) -> None:
        topics = ["process.*", "snapshots.*"]
        self.server, self.name = server, name
        token = sign(SECRET, "miner", publish=topics, subscribe=topics, seconds=600)
        self.headers = {"authorization": f"Bearer {token}"}

    async def get(self, path: str = "", **params: Any) -> httpx.Response:
        return await self.server.client.get(f"/processes{path}", params=params, headers=self.headers)

    async def figures(self, **params: Any) -> dict[str, Any]:
        answer = await self.get(f"/{self.name}", **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def publish(self, *events: Any, type: str = "message", topic: str = "", **query: Any) -> httpx.Response:
        lines = "\n".join(json.dumps({"type": type, "data": event}) for event in events)
        return await self.post(lines, "application/x-ndjson", topic, **query)

    async def post(self, content: str, kind: str, topic: str = "", **query: Any) -> httpx.Response:
        headers = {**self.headers, "content-type": kind}
        url = f"/topics/{topic or 'process.' + self.name}/events"
        return await self.server.client.post(url, content=content, headers=headers, params=query)

    async def change(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Change the reference of the process, or what it allows."""
        url = f"/processes/{self.name}{path}"
        return await self.server.client.request(method, url, json=body, headers=self.headers)


STEPS = {"starts": ["ordered"], "steps": [["ordered", "paid"], ["paid", "sent"]]}
"""A reference of orders."""


def event(case: str, activity: str, time: Any, **more: Any) -> dict[str, Any]:
    return {"case": case, "activity": activity, "timestamp": time, **more}


ORDERS = [
    event("o1", "ordered", "2024-01-01T10:00:00Z"),
    event("o2", "ordered", "2024-01-01T10:00:10Z"),
    event("o1", "paid", "2024-01-01T10:01:00Z", resource="Pete"),
    event("o2", "paid", "2024-01-01T10:00:40Z"),
    event("o1", "sent", "2024-01-01T11:01:00Z"),
]
