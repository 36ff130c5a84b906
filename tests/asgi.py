"""The kit's event streams as our own tests need them: watched for what no server would bear, and over the connection
that a server of ours gives beside `send`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tidings.testing.connection import ASGIApp, Connection, Message
from tidings.testing.stream import EventStream


class Watched(Connection):
    """Keeps in `faults` what the app has done that a server might not have borne."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.faults: list[str] = []

    async def send(self, message: Message) -> None:
        if self.clean and not self.left:
            self.faults.append("sent after the end")
        await super().send(message)

    async def flow(self) -> None:
        if self.waiting:
            self.faults.append("sent while another send waited")
        await super().flow()


class Transport:
    """The transport under a connection. `written` are the bytes that the stream has written below HTTP."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.connection.leave()

    def is_closing(self) -> bool:
        return False


class Wired(Watched):
    """A connection that also plays the one of our server: a stream writes to it, and it is `full` while frozen."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.scope["extensions"] = {"tidings.connection": self}
        self.transport = Transport(self)
        self.began = False

    def begin(self) -> Wired:
        self.began = True
        return self

    @property
    def full(self) -> bool:
        return self.frozen

    def write(self, body: bytes) -> None:
        if self.full or not self.began or self.clean:
            self.faults.append("written to while it was full, before it had begun, or after its end")
        if not body:
            self.faults.append("written nothing, which would be the chunk that ends the body")
        self.take_in(body)

    async def writable(self) -> None:
        await self.flow()


class Client(EventStream):
    """A stream whose app must return as soon as it is left. It names no type that it would take, unlike a browser's."""

    connects: type[Connection] = Watched

    def __init__(
        self, app: ASGIApp, path: str = "/", *, headers: Mapping[str, str | bytes] | None = None, method: str = "GET"
    ) -> None:
        super().__init__(app, path, method=method, headers={"accept": "*/*", **(headers or {})})

    async def close(self) -> None:
        """Go away, and see the app return."""
        self.connection.leave()
        await self.end()
        assert isinstance(self.connection, Watched)
        assert not self.connection.faults, self.connection.faults


@asynccontextmanager
async def asking(app: ASGIApp, path: str = "/", **options: Any) -> AsyncIterator[Client]:
    """A request that is made, and in the end left."""
    client = Client(app, path, **options)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()
