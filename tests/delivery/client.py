"""The least of HTTP over a bare socket, so that what is checked is the server, and reading is cheap."""

from __future__ import annotations

import asyncio
import socket

PATIENCE = 60.0
"""Seconds of silence after which a server counts as hung. Never a measure of speed."""


class Chunked:
    """Takes the chunked framing off a body, however it is cut. `ended`: the last chunk was seen."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        self.ended = False

    def feed(self, data: bytes) -> bytes:
        parts, at = [], 0
        if self._rest:
            data, self._rest = self._rest + data, b""
        while at < len(data) and not self.ended:
            if self._left > 2:
                part = data[at : at + self._left - 2]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
            elif self._left:
                skipped = min(self._left, len(data) - at)
                at += skipped
                self._left -= skipped
            else:
                end = data.find(b"\r\n", at)
                if end < 0:
                    self._rest = data[at:]
                    break
                size = int(data[at:end], 16)
                at = end + 2
                self._left = size + 2
                self.ended = not size
        return b"".join(parts)


class Connection:
    """A GET whose body is read piece by piece."""

    def __init__(self, made: socket.socket) -> None:
        self._socket = made
        self._chunked = Chunked()
        self._first = b""
        self.status = 0

    @classmethod
    async def get(cls, port: int, path: str, headers: str = "", *, rcvbuf: int = 0) -> Connection:
        """Returns when the status is known."""
        loop = asyncio.get_running_loop()
        made = socket.socket()
        made.setblocking(False)
        self = cls(made)
        try:
            if rcvbuf:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            await loop.sock_connect(made, ("127.0.0.1", port))
            head = f"GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n{headers}\r\n"
            await loop.sock_sendall(made, head.encode())
            async with asyncio.timeout(PATIENCE):
                text = b""
                while b"\r\n\r\n" not in text:
                    part = await loop.sock_recv(made, 65536)
                    if not part:
                        raise ConnectionError("cut before the status")
                    text += part
            self.status = int(text[9:12])
            self._first = text.partition(b"\r\n\r\n")[2]
        except BaseException:
            made.close()
            raise
        return self

    async def read(self, most: int) -> bytes | None:
        """The next bytes of the body; None when it has ended, see `clean`."""
        while not self._chunked.ended:
            data, self._first = self._first, b""
            if not data:
                data = await asyncio.get_running_loop().sock_recv(self._socket, most)
            if not data:
                return None
            body = self._chunked.feed(data)
            if body:
                return body
        return None

    @property
    def clean(self) -> bool:
        """Return whether the body came to its own end."""
        return self._chunked.ended

    def close(self) -> None:
        self._socket.close()


class Caller:
    """A kept-alive connection for requests whose answers are short."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, path: str, body: bytes = b"", type: str = "text/plain") -> tuple[int, bytes]:
        """The status and the body of the answer. Raises TimeoutError when there is none."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {type}\r\ncontent-length: {len(body)}\r\n"
        writer.write(f"{head}\r\n".encode() + body)
        async with asyncio.timeout(PATIENCE):
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
            return int(lines[0][9:12]), await reader.readexactly(length)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
