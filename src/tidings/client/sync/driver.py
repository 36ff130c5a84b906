"""The driver of plans: it sends requests, reads streams and waits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from typing import Generic, TypeVar

import httpx

from .. import transport
from ..closing import Closing
from ..rules import CLOSED, INTERRUPTED, Answer, Broken, Plan, Read, Renew, Reply, Rules, Send, Step, Wait

T = TypeVar("T")


class Driver:
    """The driver of one plan: it does the plan's steps, and holds the open stream.

    `headers` returns further headers for each request. `renew` makes it return a fresh token, if it can. `closing`: the
    end of the client that has several drivers.
    """

    def __init__(
        self,
        http: httpx.Client,
        rules: Rules,
        headers: Callable[[], Mapping[str, str]],
        renew: Callable[[], bool] = lambda: False,
        closing: Closing | None = None,
    ) -> None:
        self._http, self._rules, self._headers, self._renew = http, rules, headers, renew
        self._closing = closing or Closing()
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._interrupted = threading.Event()

    def run(self, plan: Plan[T]) -> T:
        """Do the steps of a plan, and return its result."""
        reply: Reply = None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = self.do(step)

    @property
    def closed(self) -> bool:
        """True once the client is closed."""
        return self._closing.closed

    def do(self, step: Step) -> Reply:
        """Do a step, and return its reply."""
        self._closing.busy.add(self)
        try:
            return CLOSED if self.closed else self._do(step)
        finally:
            self._closing.busy.discard(self)

    def _do(self, step: Step) -> Reply:
        match step:
            case Send():
                return self._send(step)
            case Read():
                return self._read()
            case Wait():
                self._interrupted.wait(step.seconds)
                return CLOSED if self.closed else None
            case Renew():
                return self._renew()

    def interrupt(self) -> None:
        """End the pause or the read that another thread waits in. The read then is that of a lost connection."""
        self._interrupted.set()
        if (response := self._response) is None or "network_stream" not in response.extensions:
            return
        connection = response.extensions["network_stream"].get_extra_info("socket")
        with suppress(OSError):  # the connection is closed already
            # The method of the plain socket: that of a TLS socket takes the session away from the thread that reads.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the open stream."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _send(self, step: Send) -> Answer | Broken:
        self.close()
        self._interrupted.clear()
        try:
            options = transport.request(step, self._headers(), self._rules.silence)
            with transport.addressed(self._rules.url):
                response = self._http.send(self._http.build_request(**options), stream=True, follow_redirects=True)
            if not (step.stream and response.status_code == 200):
                with closing(response):
                    return transport.answer(response, response.read())
        except httpx.RequestError as error:
            return transport.broken(self._rules.url, error)
        except RuntimeError:
            if not self._http.is_closed:
                raise
            return transport.closed(self._closing)
        self._response, self._chunks = response, response.iter_bytes()
        return transport.answer(response)

    def _read(self) -> bytes | Broken:
        try:
            if chunk := next(self._chunks, b""):
                return chunk
            ended: bytes | Broken = b""
        except httpx.RequestError as error:
            ended = transport.broken(self._rules.url, error)
        self.close()  # the connection serves other requests from here on, so it must not be interrupted any more
        return ended


class Items(Generic[T]):
    """The items of a plan that follows a stream, as an iterator. Another thread may close it.

    An exception from outside, such as KeyboardInterrupt, costs the connection and no item: the plan connects anew. The
    iteration also ends when the client is closed.
    """

    def __init__(self, driver: Driver, plan: Generator[Step | T, Reply, None]) -> None:
        self._driver, self._plan = driver, plan
        self._reply: Reply = None
        self._lock = threading.Lock()
        self._closed = False
        self.begun: bool = False
        """True once an item was asked for."""

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            self.begun = True
            try:
                while not (self._closed or self._driver.closed):
                    reply, self._reply = self._reply, INTERRUPTED
                    step = self._plan.send(reply)
                    if isinstance(step, Send | Read | Wait | Renew):
                        self._reply = self._driver.do(step)
                    elif not self._closed:
                        self._reply = None
                        return step
                raise StopIteration
            except BaseException:
                self._driver.close()
                raise

    def close(self) -> bool:
        """End the iteration and close the connection. Returns False if the thread that waits for an item does so."""
        self._closed = True
        self._driver.interrupt()
        if not self._lock.acquire(blocking=False):
            return False
        try:
            self._driver.close()
        finally:
            self._lock.release()
        return True
