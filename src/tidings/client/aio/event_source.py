"""The reader of any event stream for asyncio, which connects again by itself."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Self

import httpx

from tidings.errors import TidingsError
from tidings.wire.sse import Decoder, ServerSentEvent

from .. import transport
from ..comments import Comment
from ..source import Connected, Lost, Told, source_of, valid_headers
from .driver import AsyncDriver, AsyncItems

Headers = Mapping[str, str] | Callable[[], Mapping[str, str] | Awaitable[Mapping[str, str]]]


class AsyncEventSource:
    """The events of the event stream at `url`, of any server, as an iterator for asyncio. A context manager.

        async with AsyncEventSource("https://example.com/prices", headers={"authorization": "Bearer abc"}) as prices:
            async for event in prices:
                print(event.type, event.data, event.id)

    As a context manager the event source connects at the start of the block, and closes at its end. A lost connection
    is made anew, with the id of the last event that was handed out as `Last-Event-ID`; the same method, headers and
    body are sent each time. The iteration ends when the server answers 204, or ends the stream after an event with the
    data `[DONE]` or the type `tidings.end`. After any other end the event source asks again, as the standard says.

    `method`: any method. `headers`: further headers, or a function or coroutine function that returns them for each
    connection. `body`: bytes
    or text, which are sent as they are, or any other value, which is sent as JSON. `last_event_id`: the id after which
    to begin. `silence`: the seconds without a byte after which a connection counts as broken; None: any silence is
    fine. `patience`: the seconds for which the first connection is tried again while nobody answers or the server is
    busy (408, 425, 429, 5xx); later the event source never gives up by itself. The pauses are those that the server
    asks for by `retry:` or `Retry-After`, and grow at random up to 30 seconds while failures follow each other.
    `on_comment` is called with the text of each comment, in order with the events. `on_error` is called with the error
    of each lost connection, before the pause; an error that it raises ends the iteration. `http`: an httpx.AsyncClient
    to send with, which stays open.

    The constructor raises InvalidRequest for what no request can hold. The iteration raises the TidingsError of an
    answer that another try would not change: Unauthenticated, Forbidden, NotFound and others by their status, and
    Unexpected for redirects in a circle or an answer that is no event stream. It raises Unavailable if there is no
    first connection within `patience`.
    """

    def __init__(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Headers | None = None,
        body: object = None,
        last_event_id: str = "",
        silence: float | None = None,
        patience: float = 30.0,
        on_comment: Callable[[str], object] | None = None,
        on_error: Callable[[TidingsError], object] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        self.url: str = url
        comments = on_comment is not None
        self._source = source_of(url, method, body, last_event_id, silence, patience, comments)
        self._headers = headers if callable(headers) else valid_headers(headers or {})
        self._on_comment, self._on_error = on_comment, on_error
        self._http = http or httpx.AsyncClient(**transport.options(url))
        self._owner = http is None
        self._driver = AsyncDriver(self._http, self._source.rules, self._fresh_headers)
        self._items: AsyncItems[Told] = AsyncItems(self._driver, self._source.plan())

    @property
    def last_event_id(self) -> str:
        """The id of the last event that was handed out, with which another event source can go on."""
        return self._source.last_event_id

    @property
    def origin(self) -> str:
        """The origin of the URL that answered, after redirects. Empty before the first connection."""
        return self._source.origin

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        while not isinstance(item := await self._next(), ServerSentEvent):
            pass
        return item

    async def __aenter__(self) -> Self:
        if not self._items.begun:
            with suppress(StopAsyncIteration):  # the server has answered 204
                while not isinstance(await self._next(), Connected):
                    pass
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def reconnect(self) -> None:
        """Give up the connection and connect anew at once, after the last event. Another task may do so."""
        self._source.restart()
        self._driver.interrupt()

    async def close(self) -> None:
        """End the iteration, and close the connection. Another task may do so."""
        if await self._items.close() and self._owner:
            await self._http.aclose()

    async def _next(self) -> Told:
        try:
            item = await anext(self._items)
            if isinstance(item, Comment) and self._on_comment is not None:
                self._on_comment(item.text)
            elif isinstance(item, Lost) and self._on_error is not None:
                self._on_error(item.error)
            return item
        except Exception:
            if not self._items.waiting:  # else another task reads, to which the end would look like that of the stream
                await self.close()
            raise

    async def _fresh_headers(self) -> Mapping[str, str]:
        if not callable(self._headers):
            return self._headers
        headers = self._headers()
        return valid_headers(await headers if inspect.isawaitable(headers) else headers)


async def adecode(chunks: AsyncIterable[bytes]) -> AsyncIterator[ServerSentEvent]:
    """Iterate over the events of any event stream, given as awaited bytes that are cut anywhere; see `decode`."""
    decoder = Decoder()
    async for chunk in chunks:
        for event in decoder.feed(chunk):
            yield event
