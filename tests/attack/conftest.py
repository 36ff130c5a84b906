"""A server with a key, as it is run, and sockets to attack it with."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import psutil
import pytest

from tests.serving import PATIENCE, ServerProcess
from tidings.access.tokens import sign

SECRET = "a secret of thirty-two characters."


def bearer(name: str = "ann") -> str:
    """Return the header of a token that allows everything."""
    return "authorization: Bearer " + sign(SECRET, name, publish=["*"], subscribe=["*"], seconds=3600)


def dial(server: ServerProcess) -> socket.socket:
    """Return a new connection to the server."""
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def memory(server: ServerProcess) -> int:
    """Return the bytes of memory that the server holds."""
    held: int = psutil.Process(server.pid).memory_info().rss
    return held


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Serve all attacks of a module: the next attack would meet what an earlier one leaves behind."""
    folder = tmp_path_factory.mktemp("attack")
    env = {"TIDINGS_SECRET": SECRET, "TIDINGS_REQUEST_TIMEOUT": "1", "TIDINGS_LIMIT_RUNS_AN_HOUR": "5"}
    with ServerProcess(f"sqlite:///{folder}/tidings.db", env=env) as made:
        yield made
        assert "Traceback" not in "".join(made.output)
