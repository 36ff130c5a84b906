"""The driver of plans for asyncio: it sends requests, reads streams and waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing
from typing import Generic, TypeVar

import httpx

from .. import transport
from ..closing import Closing
from ..rules import CLOSED, INTERRUPTED, Answer, Broken, Plan, Read, Renew, Reply, Rules, Send, Step, Wait

T = TypeVar("T")


class AsyncDriver:
    """The driver of one plan: it does the plan's steps, and holds the open stream.

    `headers` returns further headers for each request. `renew` makes it return a fresh token, if it can. `closing`: the
    end of the client that has several drivers.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        rules: Rules,
        headers: Callable[[], Awaitable[Mapping[str, str]]],
        renew: Callable[[], bool] = lambda: False,
        closing: Closing | None = None,
    ) -> None:
        self._http, self._rules, self._headers, self._renew = http, rules, headers, renew
        self._closing = closing or Closing()
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._scope: asyncio.Timeout | None = None

    async def run(self, plan: Plan[T]) -> T:
        """Do the steps of a plan, and return its result."""
        reply: Reply = None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = await self.do(step)

    @property
    def closed(self) -> bool:
        """True once the client is closed."""
        return self._closing.closed

    async def do(self, step: Step) -> Reply:
        """Do a step, and return its reply."""
        if self.closed:
            return CLOSED
        self._closing.busy.add(self)
        try:
            async with asyncio.timeout(None) as scope:
                self._scope = scope
                return await self._do(step)
        except TimeoutError:
            if not scope.expired():
                raise
            return CLOSED if self._closing.closed and isinstance(step, Wait) else INTERRUPTED
        finally:
            self._scope = None
            self._closing.busy.discard(self)

    def interrupt(self) -> None:
        """End the step that another task waits for. Its reply is that of a lost connection."""
        if self._scope is not None:
            self._scope.reschedule(0.0)

    async def close(self) -> None:
        """Close the open stream."""
        if self._response is not None:
            await self._response.aclose()
            self._response = None

    async def _do(self, step: Step) -> Reply:
        match step:
            case Send():
                return await self._send(step)
            case Read():
                assert self._chunks is not None
                try:
                    return await anext(self._chunks, b"")
                except httpx.RequestError as error:
                    return transport.broken(self._rules.url, error)
            case Wait():
                await asyncio.sleep(step.seconds)
                return None
            case Renew():
                return self._renew()

    async def _send(self, step: Send) -> Answer | Broken:
        await self.close()
        try:
            options = transport.request(step, await self._headers(), self._rules.silence)
            with transport.addressed(self._rules.url):
                response = await self._http.send(
                    self._http.build_request(**options), stream=True, follow_redirects=True
                )
            if not (step.stream and response.status_code == 200):
                async with aclosing(response):
                    return transport.answer(response, await response.aread())
        except httpx.RequestError as error:
            return transport.broken(self._rules.url, error)
        except RuntimeError:
            if not self._http.is_closed:
                raise
            return transport.closed(self._closing)
        self._response, self._chunks = response, response.aiter_bytes()
        return transport.answer(response)


class AsyncItems(Generic[T]):
    """The items of a plan that follows a stream, as an iterator. Another task may close it.

    A cancelled `anext` costs the connection and no item: the plan connects anew. The iteration also ends when the
    client is closed.
    """

    def __init__(self, driver: AsyncDriver, plan: Generator[Step | T, Reply, None]) -> None:
        self._driver, self._plan = driver, plan
        self._reply: Reply = None
        self._closed = False
        self.begun: bool = False
        """True once an item was asked for."""
        self.waiting: bool = False
        """True while a task waits for an item."""

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if self.waiting:
            raise RuntimeError("Another task waits for the next event.")
        self.begun = self.waiting = True
        try:
            while not (self._closed or self._driver.closed):
                reply, self._reply = self._reply, INTERRUPTED
                try:
                    step = self._plan.send(reply)
                except StopIteration:
                    break
                if isinstance(step, Send | Read | Wait | Renew):
                    self._reply = await self._driver.do(step)
                elif not self._closed:
                    self._reply = None
                    return step
            raise StopAsyncIteration
        except BaseException:
            await self._driver.close()
            raise
        finally:
            self.waiting = False

    async def close(self) -> bool:
        """End the iteration and close the connection. Returns False if the task that waits for an item does so."""
        self._closed = True
        if self.waiting:
            self._driver.interrupt()
            return False
        await self._driver.close()
        return True
