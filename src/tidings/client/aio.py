"""The client that awaits: the same names, and the same plans, as in `sync`, which says what each does."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from typing import Any, Self, TypeVar

import httpx

from tidings.events import MESSAGE, Event, Offset, Page
from tidings.log.rules import Appended
from tidings.wire.sse import Decoder, ServerSentEvent

from . import sync, transport
from .calls import Calls
from .following import Following, Start
from .rules import Answer, Broken, Connected, Item, Plan, Read, Renew, Reply, Rules, Send, Step, Wait
from .values import Reset, RunState

T = TypeVar("T")
C = TypeVar("C", bound=type)


def told_like(other: type) -> Callable[[C], C]:
    """Give the methods of a class the docstrings that those of `other` have, so that there is one text of each."""

    def tell(kind: C) -> C:
        kind.__doc__ = kind.__doc__ or other.__doc__
        for name, method in vars(kind).items():
            if not name.startswith("_") and not method.__doc__:
                method.__doc__ = getattr(other, name).__doc__
        return kind

    return tell


@told_like(sync.Client)
class AsyncClient:
    """`Client`, awaited: the same methods, with the same parameters, for asyncio.

        async with AsyncClient("https://events.example.com", token=fetch_token) as client:
            await client.publish("chat.lobby", "Hello, all")
            async for event in client.subscribe("chat.lobby"):
                print(event.offset, event.data)

    `token` and `on_reset` may be coroutine functions.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Callable[[], str | Awaitable[str]] | None = None,
        silence: float = 45.0,
        patience: float = 30.0,
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.AsyncClient(**transport.options(self.url))
        self._token = token
        self._fresh = transport.valid_token(token) if isinstance(token, str) else None
        self._calls = Calls(Rules(self.url, silence, patience))
        self.runs = AsyncRuns(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def publish(self, topic: str, data: Any, type: str = MESSAGE, *, key: str | None = None) -> Offset:
        return await self._run(self._calls.publish(topic, data, type, key))

    async def publish_many(self, topic: str, events: Iterable[tuple[str, Any]], *, key: str | None = None) -> Appended:
        return await self._run(self._calls.publish_many(topic, events, key))

    def subscribe(
        self, topics: str | Sequence[str], after: Start = None, *, on_reset: Callable[[Reset], object] | None = None
    ) -> AsyncSubscription:
        return AsyncSubscription(self, self._calls.following(topics, after), on_reset)

    async def read(self, topic: str, after: Start = None, limit: int = 1000) -> Page:
        return await self._run(self._calls.read(topic, after, limit))

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        return await self._run(self._calls.topics(prefix, after, limit))

    async def _run(self, plan: Plan[T]) -> T:
        hands, reply = AsyncHands(self), None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = await hands.do(step)

    async def _authorization(self) -> dict[str, str]:
        if self._fresh is None and callable(self._token):
            got = self._token()
            self._fresh = transport.valid_token(await got if inspect.isawaitable(got) else got)
        return transport.authorization(self._fresh)

    def _renew(self) -> bool:
        if isinstance(self._token, str | None):
            return False
        self._fresh = None
        return True


@told_like(sync.Runs)
class AsyncRuns:
    """`Runs`, awaited."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def start(
        self,
        input: str | Sequence[Mapping[str, str]],
        *,
        assistant: str | None = None,
        topic: str | None = None,
        parent: str | None = None,
        key: str | None = None,
    ) -> str:
        return await self._client._run(self._client._calls.start(input, assistant, topic, parent, key))

    async def get(self, run: str) -> RunState:
        return await self._client._run(self._client._calls.get(run))

    def follow(
        self, run: str, after: Start = None, *, on_reset: Callable[[Reset], object] | None = None
    ) -> AsyncSubscription:
        return AsyncSubscription(self._client, self._client._calls.following_run(run, after), on_reset)

    async def stop(self, run: str) -> None:
        await self._client._run(self._client._calls.stop(run))


@told_like(sync.Subscription)
class AsyncSubscription:
    """`Subscription`, for `async for` and `async with`."""

    def __init__(self, client: AsyncClient, following: Following, on_reset: Callable[[Reset], object] | None) -> None:
        self._following = following
        self._on_reset = on_reset
        self._items = _items(AsyncHands(client), following)

    @property
    def offsets(self) -> dict[str, Offset]:
        return self._following.offsets

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        async for item in self._items:
            if isinstance(item, Event):
                return item
            if isinstance(item, Reset):
                if self._on_reset is None:
                    raise item
                done = self._on_reset(item)
                if inspect.isawaitable(done):
                    await done
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        await anext(self._items, None)  # the first of a plan's items is that there is a connection
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._items.aclose()


async def _items(hands: AsyncHands, following: Following) -> AsyncGenerator[Item]:
    plan, reply = following.plan(), None
    try:
        while True:
            try:
                step = plan.send(reply)
            except StopIteration:
                return
            if isinstance(step, Event | Reset | Connected):
                reply = None
                yield step
            else:
                reply = await hands.do(step)
    finally:
        await hands.close()


class AsyncHands:
    """Does the steps of one plan, and holds its open stream."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None

    async def do(self, step: Step) -> Reply:
        """The reply to a step."""
        match step:
            case Send():
                return await self._send(step)
            case Read():
                assert self._chunks is not None
                try:
                    return await anext(self._chunks, b"")
                except httpx.RequestError as error:
                    return transport.broken(self._client.url, error)
            case Wait():
                await asyncio.sleep(step.seconds)
                return None
            case Renew():
                return self._client._renew()

    async def close(self) -> None:
        """Leave the open stream."""
        if self._response is not None:
            await self._response.aclose()
            self._response = None

    async def _send(self, step: Send) -> Answer | Broken:
        await self.close()
        client = self._client
        try:
            options = transport.request(step, await client._authorization(), client._calls.rules.silence)
            response = await client._http.send(client._http.build_request(**options), stream=True)
            if not (step.stream and response.status_code == 200):
                async with aclosing(response):
                    return transport.answer(response, await response.aread())
        except httpx.RequestError as error:
            return transport.broken(client.url, error)
        self._response, self._chunks = response, response.aiter_bytes()
        return transport.answer(response)


async def adecode(chunks: AsyncIterable[bytes]) -> AsyncIterator[ServerSentEvent]:
    """`decode` for chunks that are awaited: the events of a whole stream, each as soon as its last byte is there."""
    decoder = Decoder()
    async for chunk in chunks:
        for event in decoder.feed(chunk):
            yield event
