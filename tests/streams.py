"""A client over a bare socket: it sees how a response ends, and reads no further than it is asked to."""

from __future__ import annotations

import asyncio
import json
import socket
from asyncio import StreamReader, StreamWriter
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from tidings.wire.sse import Decoder, ServerSentEvent

PATIENCE = 60.0
"""Seconds of silence after which a client counts as hung. Never a measure of speed."""


@dataclass
class Answer:
    """A whole response, not a stream."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def request(
    url: str, method: str = "GET", body: bytes | str = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """Make a request on a connection of its own. Raises OSError or EOFError when the connection is cut."""
    reader, writer = await _ask(url, method, body, {"connection": "close", **(headers or {})})
    try:
        async with asyncio.timeout(PATIENCE):
            status, given = await _head(reader)
        parts = [part async for part in _body(reader, given, status)]
        return Answer(status, given, b"".join(parts))
    finally:
        writer.close()


class Stream:
    """An open event stream: iterate over its events, then see whether its end was `clean`.

    `clean` is None until it has ended; False: it was cut, or closed without the last chunk. An event that does not
    come within PATIENCE seconds raises TimeoutError.
    """

    def __init__(self, status: int, headers: Mapping[str, str], reader: StreamReader, writer: StreamWriter) -> None:
        self.status, self.headers = status, headers
        self.clean: bool | None = None
        self.decoder = Decoder()
        self.bytes = 0
        self._writer = writer
        self._parts = _body(reader, headers, status)
        self._events: deque[ServerSentEvent] = deque()

    @classmethod
    async def open(
        cls, url: str, last_event_id: str = "", headers: Mapping[str, str] | None = None, *, buffer: int = 0
    ) -> Self:
        """Ask for a stream; return once the response's headers are there. `buffer`: bytes of the socket's receive
        buffer, small for a slow client. Raises OSError or EOFError when the connection is cut."""
        given = {"accept": "text/event-stream", **(headers or {})}
        if last_event_id:
            given["last-event-id"] = last_event_id
        reader, writer = await _ask(url, "GET", b"", given, buffer)
        try:
            async with asyncio.timeout(PATIENCE):
                return cls(*await _head(reader), reader, writer)
        except BaseException:
            writer.close()
            raise

    @property
    def last_event_id(self) -> str:
        """The id that an EventSource would come back with."""
        return self.decoder.last_event_id

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        while not self._events:
            await self._read()
        return self._events.popleft()

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                part = await anext(self._parts)
        except StopAsyncIteration:
            self.clean = self.clean is not False
            raise
        except (OSError, EOFError) as error:
            if isinstance(error, TimeoutError):
                raise
            self.clean = False
            raise StopAsyncIteration from None
        self.bytes += len(part)
        self._events.extend(self.decoder.feed(part))

    async def take(self, count: int) -> list[ServerSentEvent]:
        """Return the next `count` events, or fewer when the response ends before."""
        found: list[ServerSentEvent] = []
        while len(found) < count and (event := await anext(self, None)) is not None:
            found.append(event)
        return found

    def close(self) -> None:
        """Go away, as a closed tab does."""
        self._writer.transport.abort()


class KeptConnection:
    """A connection that is kept for several requests, so that one process of a server answers all of them."""

    def __init__(self, url: str, reader: StreamReader, writer: StreamWriter) -> None:
        self.url = url
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect to the server at `url`, without a request yet. Raises OSError."""
        return cls(url, *await _connect(url))

    async def request(
        self, path: str, method: str = "GET", body: bytes | str = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request. Raises OSError or EOFError when the connection is cut."""
        _write(self._writer, self.url + path, method, body, headers or {})
        async with asyncio.timeout(PATIENCE):
            status, given = await _head(self._reader)
        parts = [part async for part in _body(self._reader, given, status)]
        return Answer(status, given, b"".join(parts))

    async def follow(self, path: str, last_event_id: str = "", headers: Mapping[str, str] | None = None) -> Stream:
        """Ask for a stream; afterwards the connection is the stream's."""
        given = {"accept": "text/event-stream", **(headers or {})}
        if last_event_id:
            given["last-event-id"] = last_event_id
        _write(self._writer, self.url + path, "GET", b"", given)
        async with asyncio.timeout(PATIENCE):
            return Stream(*await _head(self._reader), self._reader, self._writer)

    def close(self) -> None:
        """Go away."""
        self._writer.transport.abort()


@asynccontextmanager
async def streaming(url: str, last_event_id: str = "", **options: Any) -> AsyncIterator[Stream]:
    """A stream that is closed in the end."""
    async with many_streams() as follow:
        yield await follow(url, last_event_id, **options)


@asynccontextmanager
async def many_streams() -> AsyncIterator[Callable[..., Awaitable[Stream]]]:
    """`Stream.open`, and all it has opened are closed in the end."""
    opened: list[Stream] = []

    async def follow(*args: Any, **options: Any) -> Stream:
        opened.append(await Stream.open(*args, **options))
        return opened[-1]

    try:
        yield follow
    finally:
        for stream in opened:
            stream.close()
        await asyncio.sleep(0)


async def _ask(
    url: str, method: str, body: bytes | str, headers: Mapping[str, str], buffer: int = 0
) -> tuple[StreamReader, StreamWriter]:
    reader, writer = await _connect(url, buffer)
    _write(writer, url, method, body, headers)
    return reader, writer


async def _connect(url: str, buffer: int = 0) -> tuple[StreamReader, StreamWriter]:
    parts = urlsplit(url)
    made = socket.socket()
    made.setblocking(False)
    try:
        if buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        await asyncio.get_running_loop().sock_connect(made, (parts.hostname, parts.port))
        return await asyncio.open_connection(sock=made, limit=buffer or 1 << 16)
    except BaseException:
        made.close()
        raise


def _write(writer: StreamWriter, url: str, method: str, body: bytes | str, headers: Mapping[str, str]) -> None:
    parts = urlsplit(url)
    sent = body.encode() if isinstance(body, str) else body
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"{method} {path} HTTP/1.1", f"host: {parts.netloc}", *(f"{n}: {v}" for n, v in headers.items())]
    if method != "GET":
        lines.append(f"content-length: {len(sent)}")
    writer.write("\r\n".join([*lines, "", ""]).encode() + sent)


async def _head(reader: StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    return int(head[0].split()[1]), {name.lower(): value for name, value in headers.items()}


async def _body(reader: StreamReader, headers: Mapping[str, str], status: int) -> AsyncGenerator[bytes, None]:
    """The parts of a body to its end. Raises OSError or EOFError when it is cut: chunked, without a last chunk."""
    if status == 204:
        return
    if "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
        return
    assert headers.get("transfer-encoding") == "chunked", headers
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        left = size
        while left:
            part = await reader.read(min(left, 1 << 16))
            if not part:
                raise EOFError
            left -= len(part)
            yield part
        await reader.readexactly(2)
    await reader.readexactly(2)
