"""The client of a Tidings server for asyncio: its calls, its runs, its subscriptions."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, Self, TypeVar, overload

import httpx

from tidings.errors import Closed, InvalidRequest, NotFound, Unavailable
from tidings.events import MESSAGE, Event, Offset, Page
from tidings.log.names import EARLIEST, TAIL, After
from tidings.log.rules import Appended
from tidings.wire.run_events import TERMINAL, RunState

from .. import transport
from ..calls import Calls, Expectation
from ..closing import Closing
from ..following import Following, Start
from ..rules import CLOSED, Plan, Rules
from ..values import RESET
from .driver import AsyncDriver, AsyncItems

T = TypeVar("T")


class AsyncClient:
    """A client of the Tidings server at `url`, for asyncio. An asynchronous context manager.

        async with AsyncClient("https://events.example.com", token=fetch_token) as client:
            await client.publish("chat.lobby", "Hello, all")
            async for event in client.subscribe("chat.lobby"):
                print(event.offset, event.data)

    `token`: a token, or a function or coroutine function that returns a fresh token. The function is called for the
    first request, and when the server no longer accepts the last token; subscriptions keep their place meanwhile.
    `silence`: the seconds without a byte after which a stream counts as broken and is connected anew; a server is
    silent for 18 seconds at most. `patience`: the seconds for which a request is tried again while nobody answers or
    the server is busy (429, 5xx). The pauses grow at random, and are never shorter than the server asks for. 0 means no
    second try.

    Every method raises TidingsError, as those of `Client` do.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Callable[[], str | Awaitable[str]] | None = None,
        silence: float = 45.0,
        patience: float = 30.0,
    ) -> None:
        self.url: str = url.rstrip("/")
        self._http = httpx.AsyncClient(**transport.options(self.url))
        self._closing = Closing()
        self._token = token
        self._fresh = transport.valid_token(token) if isinstance(token, str) else None
        self._calls = Calls(Rules(self.url, silence, patience, hint=transport.HINT))
        self.runs: AsyncRuns = AsyncRuns(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. Another task may do so: iterations end, and a call that waits raises Unavailable."""
        self._closing.close()
        await self._http.aclose()

    @overload
    async def publish(
        self,
        topic: str,
        data: object,
        type: str = ...,
        *,
        transient: Literal[False] = False,
        key: str | None = None,
        expected: Expectation = None,
        close: bool = False,
    ) -> Offset: ...

    @overload
    async def publish(self, topic: str, data: object, type: str = ..., *, transient: Literal[True]) -> None: ...

    async def publish(
        self,
        topic: str,
        data: object,
        type: str = MESSAGE,
        *,
        transient: bool = False,
        key: str | None = None,
        expected: Expectation = None,
        close: bool = False,
    ) -> Offset | None:
        """Append one event and return its offset. The event is stored then, once.

        `data`: text, which is kept exactly, or any other value, which is stored as JSON. `key`: an idempotency key;
        with the same key again within 24 hours nothing is stored, and the first offset is returned. Without a key the
        client makes one, so that a request whose answer is lost can be sent again. `expected`: append only to a new
        topic (`NEW`), only to this epoch, or only at this offset. `close`: close the topic with this event.
        `transient`: send the event to the readers that follow now, store nothing and return None.

        Raises Conflict if the topic is not as expected, and Closed if it is closed.
        """
        if transient:
            transport.must_be_plain(key, expected, close)
            await self._run(self._calls.publish_transient(topic, data, type))
            return None
        return await self._run(self._calls.publish(topic, data, type, key, expected, close))

    async def publish_many(
        self,
        topic: str,
        events: Iterable[tuple[str, object]],
        *,
        key: str | None = None,
        expected: Expectation = None,
        close: bool = False,
    ) -> Appended:
        """Append events, given as pairs of type and data, in one commit: all of them or none. At most 8 MiB.

        Returns the offsets of the first and the last event. The parameters are as in `publish`.
        """
        return await self._run(self._calls.publish_many(topic, events, key, expected, close))

    def subscribe(self, topics: str | Sequence[str], after: Start = TAIL) -> AsyncSubscription:
        """Every event of one topic or of up to 32, over one connection, in order and once.

        `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N events; for several topics also a
        mapping of each topic's offset, such as `subscription.offsets`. After a lost connection the client connects
        again and goes on after the last event. The iteration ends when all topics are closed and read.

        If events are gone that were not read, an event of type `tidings.reset` says so, whose data is
        `{"topic", "reason", "earliest"}`, and the events go on from the earliest.
        """
        return AsyncSubscription(self, self._calls.following(topics, after))

    async def read(self, topic: str, after: After = EARLIEST, limit: int = 1000) -> Page:
        """Return a page of at most `limit` events, up to 1,000. Read on after `page.next`, until `page.up_to_date`.

        `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N events. Raises NotFound for a
        topic that does not exist, and Gone if events after the offset are gone.
        """
        return await self._run(self._calls.read(topic, after, limit))

    async def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Return the names of topics that the token may read, in the order of their bytes.

        The names begin with `prefix` and come after the name `after`. `limit` is 1,000 at most.
        """
        return await self._run(self._calls.topics(prefix, after, limit))

    async def _run(self, plan: Plan[T]) -> T:
        """Do the steps of a plan, and return its result."""
        return await self._driver().run(plan)

    def _driver(self) -> AsyncDriver:
        if self._closing.closed:
            raise InvalidRequest(CLOSED.why)
        return AsyncDriver(self._http, self._calls.rules, self._authorization, self._renew, self._closing)

    async def _authorization(self) -> dict[str, str]:
        if self._fresh is None and callable(self._token):
            token = self._token()
            self._fresh = transport.valid_token(await token if inspect.isawaitable(token) else token)
        return transport.authorization(self._fresh)

    def _renew(self) -> bool:
        if isinstance(self._token, str | None):
            return False
        self._fresh = None
        return True


class AsyncRuns:
    """The runs of a server: start them, get them, stop them."""

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
    ) -> AsyncRun:
        """Ask an assistant, and return the run at once.

        `input`: a question, or the messages of a conversation, `{"role", "content"}`, of which the last is the
        question. `topic`: a conversation or room in which the run is announced first. `parent`: the run that this run
        answers anew. `key`: an idempotency key as in `publish`; a key starts one run.
        """
        id = await self._client._run(self._client._calls.start(input, assistant, topic, parent, key))
        return AsyncRun(self._client, id)

    async def get(self, id: str) -> AsyncRun:
        """Return a run of any process of the server. Raises NotFound."""
        await self._client._run(self._client._calls.state(id))
        return AsyncRun(self._client, id)

    async def stop(self, id: str) -> None:
        """Stop a run, in whichever process it is. The answer so far is kept. Raises NotFound."""
        await self._client._run(self._client._calls.stop(id))


class AsyncRun:
    """A run of the server. `id` is its id, and `topic` the topic of its events."""

    def __init__(self, client: AsyncClient, id: str) -> None:
        self._client = client
        self.id = id
        self.topic: str = f"runs.{id}"

    def events(self, after: After = EARLIEST) -> AsyncSubscription:
        """The events of the run, to its end, as `Client.subscribe` gives them. Raises NotFound.

        The deltas of a run that is under way may come merged into fewer events.
        """
        return AsyncSubscription(self._client, self._client._calls.following_run(self.id, after))

    async def wait(self) -> Event:
        """Wait for the end of the run, and return its last event, `run.finished` or `run.failed`.

        Raises NotFound if the run is deleted, Closed if its topic is closed without an end, and Unavailable if the
        client is closed.
        """
        async with self.events() as events:
            async for event in events:
                if event.type in TERMINAL:
                    return event
                if event.type == RESET and event.json()["reason"] != "trimmed":
                    raise NotFound(f"There is no run {self.id} any more.")
        if self._client._closing.closed:
            raise Unavailable(CLOSED.why)
        raise Closed("The topic of the run was closed before the run had ended.")

    async def state(self) -> RunState:
        """Return the state of the run. Raises NotFound."""
        return await self._client._run(self._client._calls.state(self.id))

    async def stop(self) -> None:
        """Stop the run, in whichever process it is. The answer so far is kept. Raises NotFound."""
        await self._client.runs.stop(self.id)


class AsyncSubscription:
    """The events of topics, as an iterator.

    As a context manager it connects at the start of the block, and closes at its end.
    """

    def __init__(self, client: AsyncClient, following: Following) -> None:
        self._following = following
        self._items = AsyncItems(client._driver(), following.plan())

    @property
    def offsets(self) -> dict[str, Offset]:
        """The position in each topic: the offset of its last event that was handed out.

        `subscribe` takes it as `after`. Empty until the first event when the subscription begins at the earliest.
        """
        return self._following.offsets

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        async for item in self._items:
            if isinstance(item, Event):
                return item
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        if not self._items.begun:
            await anext(self._items, None)  # the first item of the plan says that the stream is open
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End the iteration, and close the connection. Another task may do so."""
        await self._items.close()
