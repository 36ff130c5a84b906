"""A server under which the database is removed or damaged: it says so at once, cuts its streams, and goes with 74."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving import PATIENCE, ServerProcess
from tidings.stores.sqlite.connection import connect


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    os.truncate(path, 0)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    connect(str(other), "full").close()
    other.replace(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tidings.db"


@pytest.fixture
def server(path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{path}") as server:
        yield server


def call(server: ServerProcess, path: str, data: bytes | None = None) -> tuple[int, str]:
    """Return the status and the body, and 0 for the status when no server answers."""
    request = urllib.request.Request(server.url + path, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.parametrize("harm", [remove, empty, overwrite, replace])
def test_the_server_leaves_with_status_74(server: ServerProcess, path: Path, harm: Callable[[Path], None]) -> None:
    assert call(server, "/topics/a/events", b'{"data": "one"}')[0] in (200, 201)
    assert call(server, "/health/ready")[0] == 200
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
        stream.sendall(b"GET /events?topic=a&from=earliest HTTP/1.1\r\nhost: localhost\r\n\r\n")
        body = b""
        while b"one" not in body:
            part = stream.recv(65536)
            assert part
            body += part
        harm(path)
        began = time.monotonic()
        status, answer = call(server, "/health/ready")
        asked = time.monotonic() - began
        while part := stream.recv(65536):
            body += part
    assert status in (0, 503)
    if status:
        assert json.loads(answer)["status"] in ("unavailable", "draining")
    assert not body.endswith(b"0\r\n\r\n"), "the stream ended as if its topic had"
    process = server.process
    assert process
    assert process.wait(PATIENCE) == os.EX_IOERR
    # Bounds that the machine's load does not decide: a look twice a second, and ten seconds to leave.
    assert asked < 5
    assert time.monotonic() - began < 20
    server._reader.join(PATIENCE)
    said = "".join(server.output)
    assert "Traceback" not in said
    assert "while it was open. Restart the server." in said
    assert said.count("This process can no longer serve it.") == 1


@pytest.mark.parametrize("size", [1000, 30_000])
def test_a_start_on_a_damaged_file_serves_nothing(path: Path, size: int) -> None:
    with ServerProcess(f"sqlite:///{path}") as server:
        for n in range(20):
            call(server, f"/topics/t{n}/events", b'{"data": "%s"}' % (b"x" * 5000))
        server.terminate()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * size)
    serve = [sys.executable, "-m", "tidings", "serve", "--port", "0", "--store", f"sqlite:///{path}"]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "tidings: tidings.db is damaged. Restore a backup of it: tidings restore FILE\n"
