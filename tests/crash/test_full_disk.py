"""A full disk under the server as it is run: it says so, goes on reading, and recovers by itself when space returns."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.serving import PATIENCE, ServerProcess
from tests.stores.sqlite.conftest import fill, small_disk

__all__ = ["small_disk"]  # a fixture


def recovered(client: httpx.Client) -> httpx.Response:
    """Ask until the process is ready."""
    until = time.monotonic() + PATIENCE
    while (answer := client.get("/health/ready")).status_code != 200:
        assert time.monotonic() < until, answer.text
        time.sleep(0.05)
    return answer


@pytest.mark.parametrize("path", ["/health", "/health/ready"])
def test_a_process_on_a_full_disk_is_not_ready_until_space_returns(small_disk: Path, path: str) -> None:
    url = f"sqlite:///{small_disk}/tidings.db"
    with ServerProcess(url) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        assert "last_commit" not in client.get(path).json()
        assert client.post("/topics/a/events", content="kept").status_code == 201
        assert client.get(path).json()["last_commit"] >= 0
        waste = fill(small_disk)
        # What the database has of the disk already takes some events more.
        until = time.monotonic() + PATIENCE
        while client.post("/topics/a/events", content="x" * 100_000).status_code == 201:
            assert time.monotonic() < until
        while (answer := client.get(path)).status_code == 200:  # a write of the last half second counts as a proof
            assert time.monotonic() < until
        assert answer.status_code == 503
        assert answer.json()["status"] == "unavailable"
        assert "full" in answer.json()["detail"]
        refused = client.post("/topics/a/events", content="x")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        assert client.get("/health/live").status_code == 200
        assert client.get("/topics/a/events?limit=1").json()["events"][0]["data"] == "kept"
        waste.unlink()
        assert recovered(client).json()["status"] == "ok"
        assert client.post("/topics/a/events", content="after").status_code == 201
        assert client.get(path).json()["last_commit"] < 60
        server.terminate()
        output = "".join(server.output)
        assert "Traceback" not in output
        assert output.count("disk is full") <= 5, "not a line for each request"
