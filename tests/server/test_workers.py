"""The parent of workers: it replaces those that die or hang, ends with the store, and gives up with a reason."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.server import hasty
from tests.server.workers import serving, until
from tests.serving import PATIENCE
from tests.streams import request, streaming
from tidings.server.listening import listen
from tidings.server.settings import Settings
from tidings.server.workers import Workers

pytestmark = pytest.mark.slow

SECRET = "0123456789abcdef0123456789abcdef"


async def test_a_worker_that_dies_is_replaced_and_its_clients_come_back(tmp_path: Path) -> None:
    async with serving(tmp_path, TIDINGS_LOG_FORMAT="json") as server:
        first, second = sorted(server.workers())
        assert (first, second) == (1, 2)
        await request(f"{server.url}/topics/a/events", "POST", "before")
        async with streaming(f"{server.url}/events?topic=a", "0-0") as stream:
            (seen,) = await stream.take(1)
            for worker in (first, second):
                server.signal(worker, signal.SIGKILL)
            assert await stream.take(1) == []
        assert stream.clean is False
        await until(lambda: server.workers().keys() == {3, 4}, "two new workers")
        await server.said("Worker 1 ended by SIGKILL")
        async with streaming(f"{server.url}/events?topic=a", seen.id) as stream:
            await request(f"{server.url}/topics/a/events", "POST", "after")
            assert [event.data for event in await stream.take(1)] == ["after"]
        await server.connections(3, 4)  # both have started, so both have an end to log
        assert await asyncio.to_thread(server.terminate) == 0
    lines = [json.loads(line) for line in server.output if line.startswith("{")]
    assert {line.get("worker") for line in lines if line["logger"] == "tidings.server"} == {3, 4}
    assert {line.get("worker") for line in lines if line["logger"] == "tidings.workers"} == {None}


async def test_a_worker_that_hangs_is_killed_and_replaced(tmp_path: Path) -> None:
    """A server that is halted as a whole, as by Ctrl-Z or with the machine, has no hung workers afterwards."""
    async with serving(tmp_path, hasty=True) as server:
        before = server.workers()
        os.killpg(server.pid, signal.SIGSTOP)
        await asyncio.sleep(hasty.HUNG + 2)
        os.killpg(server.pid, signal.SIGCONT)
        assert (await request(f"{server.url}/health/live")).status == 200
        os.kill(before[2], signal.SIGSTOP)
        await server.said(f"Worker 2 has given no sign of life for {hasty.HUNG} s and is killed")
        await until(lambda: server.workers().keys() == {1, 3}, "another worker instead of worker 2 alone")
        assert not psutil.pid_exists(before[2])


async def test_workers_over_postgresql_are_replaced_when_they_die_or_hang_and_leave_together(postgres_url: str) -> None:
    async with serving(postgres_url, hasty=True) as server:
        at = await server.connections(1, 2)
        stream = await at[1].follow("/events?topic=a", "0-0")
        for n in range(3):
            assert (await at[2].request("/topics/a/events", "POST", str(n))).status == 201
        seen = await stream.take(3)
        assert [event.data for event in seen] == ["0", "1", "2"]
        server.signal(2, signal.SIGSTOP)
        server.signal(1, signal.SIGKILL)
        assert await stream.take(1) == []
        assert stream.clean is False
        await server.said(f"Worker 2 has given no sign of life for {hasty.HUNG} s and is killed")
        await until(lambda: server.workers().keys() == {3, 4}, "two new workers")
        async with streaming(f"{server.url}/events?topic=a", seen[-1].id) as stream:
            assert (await request(f"{server.url}/topics/a/events", "POST", "3")).status == 201
            assert [event.data for event in await stream.take(1)] == ["3"]
            assert await asyncio.to_thread(server.terminate) == 0
            assert await stream.take(1) == []
            assert stream.clean is False
        assert "Traceback" not in "".join(server.output)


@pytest.fixture(params=["sqlite", "postgres"])
def missing(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that cannot be made: its folder or its database, named `missing`, is not there."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/missing/tidings.db"
    url: str = request.getfixturevalue("postgres_url")
    return url.rpartition("/")[0] + "/missing"


def test_workers_that_cannot_start_say_why_once(missing: str) -> None:
    words = [sys.executable, "-m", "tidings", "serve", "--workers", "2", "--port", "0", "--store", missing]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    (reason, log) = done.stderr.splitlines()
    assert reason.startswith("tidings: ")
    assert "missing" in reason or "does not exist" in reason
    assert "Worker 1 ended with status 1" in log


async def test_workers_that_cannot_start_any_more_end_the_server_with_a_reason(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET)
    async with serving(tmp_path, hasty=True, TIDINGS_SECRET=f"@{key}") as server:
        process = server.process
        assert process is not None
        key.write_text("too short")
        for worker in server.workers():
            server.signal(worker, signal.SIGKILL)
        assert await asyncio.to_thread(process.wait, PATIENCE) == 1
        await server.said(r"tidings: \d workers in a row have died, the last one with status 1")
        await server.said("tidings: TIDINGS_SECRET is shorter than 32 bytes")
        assert "Traceback" not in "".join(server.output)


async def test_a_lost_store_ends_the_server_with_status_74(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        process = server.process
        assert process is not None
        async with streaming(f"{server.url}/events?topic=a") as stream:
            await asyncio.to_thread(os.unlink, tmp_path / "tidings.db")
            assert await stream.take(1) == []
        assert await asyncio.to_thread(process.wait, PATIENCE) == os.EX_IOERR
        await server.said("tidings: .* Restart the server")
        assert "Traceback" not in "".join(server.output)


async def test_workers_end_when_their_parent_was_killed(tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        workers = [psutil.Process(pid) for pid in server.workers().values()]
        os.kill(server.pid, signal.SIGKILL)
        gone, alive = await asyncio.to_thread(psutil.wait_procs, workers, PATIENCE)
        assert (len(gone), alive) == (2, [])
        await server.said("The parent is gone")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_to_the_whole_group_end_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    """A terminal sends SIGINT, and systemd SIGTERM, to the parent and its workers alike. No worker hurries for that."""
    async with (
        serving(tmp_path, TIDINGS_DRAIN_WINDOW="1") as server,
        streaming(f"{server.url}/events?topic=a") as stream,
    ):
        process = server.process
        assert process is not None
        os.killpg(server.pid, number)
        assert await stream.take(1) == []
        assert stream.clean is False
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0
        ended = "Stopped: every stream has ended"
        await until(lambda: "".join(server.output).count(ended) == 2, "the end of both workers in the log")
        assert "Traceback" not in "".join(server.output)


async def test_a_server_that_ends_replaces_no_worker_any_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "tidings.workers")
    with listen("127.0.0.1", 0) as listening:
        server = Workers(Settings.load(workers=2), {}, listening)
        server._told_to_end(signal.SIGTERM)
        server._told_to_replace.set()
        await server._replace_when_told()
    assert "SIGTERM" in caplog.text
    assert "SIGHUP" not in caplog.text
