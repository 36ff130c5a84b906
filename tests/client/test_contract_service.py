"""The service of the public contract suite, without the suite: `scripts/sse-contract DIR` runs the suite itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.client.contract_service import CAPABILITIES
from tests.client.scripted import Answer, script
from tests.serving import PATIENCE

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sync", "async"])
def service(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of the service."""
    command = [sys.executable, "-m", "tests.client.contract_service", request.param]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


def test_the_events_of_a_stream_are_reported_in_order(service: str) -> None:
    assert httpx.get(service).json()["capabilities"] == CAPABILITIES
    held = Answer(b": c\nid: 1\nevent: t\ndata: a\n\n", end="hold")
    with script(held, Answer(b"data: b\n\n", end="hold"), Answer(status=404)) as server, script() as callbacks:
        asked = {"streamUrl": server.url, "callbackUrl": callbacks.url, "method": "POST", "body": "x"}
        asked |= {"headers": {"x-k": "v"}, "lastEventId": "0"}
        made = httpx.post(service, json={**asked, "readTimeoutMs": round(PATIENCE * 1000)})
        stream = f"{service}{made.headers['location']}"
        for count in (2, 1, 1):
            for _ in range(count):
                assert callbacks.came.acquire(timeout=PATIENCE)
            httpx.post(stream, json={"command": "restart"}).raise_for_status()
        assert httpx.delete(stream).status_code == 204
    assert [(post.path, json.loads(post.body)) for post in callbacks.asked] == [
        ("/1", {"kind": "comment", "comment": "c"}),
        ("/2", {"kind": "event", "event": {"type": "t", "data": "a", "id": "1"}}),
        ("/3", {"kind": "event", "event": {"type": "message", "data": "b", "id": "1"}}),
        ("/4", {"kind": "error", "error": f"{server.url} answered 404 Not Found."}),
    ]
    assert [(post.method, post.body, post.headers["x-k"]) for post in server.asked] == [("POST", b"x", "v")] * 3
    assert [post.headers["last-event-id"] for post in server.asked] == ["0", "1", "1"]
