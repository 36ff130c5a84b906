"""People of a room, as the server sees them: each has a name, a connection to ask by, and one event stream, as the page
has."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from bench.client import BenchError
from tidings.access.names import slug

Heard = Callable[[bytes], None]
"""Takes the bytes of a stream, as they come."""


class Person:
    """Somebody on a server without a key. Raises BenchError for whatever is not answered with success."""

    def __init__(self, port: int, name: str) -> None:
        self.port, self.name = port, name
        self._head = f"Host: 127.0.0.1:{port}\r\nCookie: tidings_name={quote(name)}\r\n"
        self._asks: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._follows: asyncio.Transport | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", type: str = "application/json") -> bytes:
        """The answer's body."""
        if self._asks is None:
            self._asks = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        reader, writer = self._asks
        about = f"Content-Type: {type}\r\nContent-Length: {len(body)}\r\n" if method == "POST" else ""
        writer.write(f"{method} {path} HTTP/1.1\r\n{self._head}{about}\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        answer = await reader.readexactly(int(fields["content-length"]))
        if not head.startswith("HTTP/1.1 2"):
            self.leave()
            raise BenchError(f"{method} {path} was answered {answer[:200].decode(errors='replace')}")
        return answer

    async def say(self, room: str, events: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Publish facts to a room, all in one commit."""
        lines = [json.dumps({"type": kind, "data": data}) for kind, data in events]
        await self.ask("POST", f"/topics/rooms.{room}/events", "\n".join(lines).encode(), "application/x-ndjson")

    async def cast_typing(self, room: str) -> None:
        """Tell the others in a room that this person types."""
        await self.ask("POST", f"/topics/rooms.{room}/events?type=typing&transient=true", b"{}")

    async def follow(self, room: str, heard: Heard) -> None:
        """Follow, until `leave`, the topics that the page of a room follows; return when the stream has begun."""
        topics = "&topic=".join([f"users.{slug(self.name)}", "presence", f"rooms.{room}"])
        begun = asyncio.get_running_loop().create_future()
        request = f"GET /events?topic={topics}&envelope=true HTTP/1.1\r\n{self._head}\r\n".encode()
        loop = asyncio.get_running_loop()
        self._follows, _ = await loop.create_connection(lambda: _Stream(begun, heard), "127.0.0.1", self.port)
        self._follows.write(request)
        if not (head := await begun).startswith(b"HTTP/1.1 200"):
            raise BenchError(f"A stream was answered {head[:200].decode(errors='replace')}")

    def leave(self) -> None:
        """Close both connections."""
        if self._asks is not None:
            self._asks[1].transport.abort()
        if self._follows is not None:
            self._follows.abort()


class _Stream(asyncio.Protocol):
    """Hands on what comes. The framing of chunks stays in it: nobody here reads it."""

    def __init__(self, begun: asyncio.Future[bytes], heard: Heard) -> None:
        self._begun, self._heard = begun, heard

    def data_received(self, data: bytes) -> None:
        if not self._begun.done():
            self._begun.set_result(data)
        self._heard(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._begun.done():
            self._begun.set_result(b"")
