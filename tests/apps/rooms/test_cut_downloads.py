"""A download whose file is deleted meanwhile, over real sockets: the client sees that it is cut, the log has a line."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx

from tests.raw import request
from tests.serving import PATIENCE, ServerProcess
from tidings import Hub

SIZE = 8 << 20


async def delete(store: str, topic: str) -> None:
    """Delete a file from another process, as an author's deletion there does."""
    async with Hub(store) as hub:
        await hub.delete(topic)


def test_a_file_that_is_deleted_meanwhile_ends_short_and_without_a_traceback(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/tidings.db"
    with ServerProcess(store) as server, httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        assert client.post("/session", json={"name": "Ann"}).status_code == 200
        made = client.post("/topics/rooms.r/events?type=room.created", json={"name": "R"})
        assert made.status_code == 201
        file = client.post(
            "/rooms/r/files?name=a.bin", content=b"x" * SIZE, headers={"content-type": "application/octet-stream"}
        )
        assert file.status_code == 201
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(PATIENCE)
            reader.connect(("127.0.0.1", server.port))
            cookie = f"cookie: tidings_name={client.cookies['tidings_name']}"
            reader.sendall(request("GET", file.headers["location"], b"", cookie))
            answer = reader.recv(4096)
            assert b"content-length: 8388608" in answer
            asyncio.run(delete(store, f"files.r.{file.json()['id']}"))
            while part := reader.recv(1 << 20):
                answer += part
        body = answer.partition(b"\r\n\r\n")[2]
        assert len(body) < SIZE
        assert set(body) == set(b"x"), "no other byte is written, which would complete a file of another length"
        assert client.get(file.headers["location"]).status_code == 404
        server.terminate()
        output = "".join(server.output)
    assert "Traceback" not in output
    assert "ERROR" not in output
    assert output.count("A download was cut: The file was deleted.") == 1
