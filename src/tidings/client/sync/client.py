"""The synchronous client of a Tidings server: its calls, its runs, its subscriptions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from .driver import Driver, Items

T = TypeVar("T")


class Client:
    """A client of the Tidings server at `url`. A context manager, which may be used from several threads.

        with Client("https://events.example.com", token=fetch_token) as client:
            client.publish("chat.lobby", "Hello, all")
            for event in client.subscribe("chat.lobby"):
                print(event.offset, event.data)

    `token`: a token, or a function that returns a fresh token. The function is called for the first request, and when
    the server no longer accepts the last token; subscriptions keep their place meanwhile. `silence`: the seconds
    without a byte after which a stream counts as broken and is connected anew; a server is silent for 18 seconds at
    most. `patience`: the seconds for which a request is tried again while nobody answers or the server is busy (429,
    5xx). The pauses grow at random, and are never shorter than the server asks for. 0 means no second try.

    Every method raises TidingsError. InvalidRequest, Unauthenticated, Forbidden, NotFound, Conflict, Closed, Gone,
    TooLarge and TooManyRequests are the server's answers. Unavailable: the server did not answer within `patience`.
    OutcomeUnknown: the server did not answer, and may have executed the request. Unexpected: the server is not a
    Tidings server.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Callable[[], str] | None = None,
        silence: float = 45.0,
        patience: float = 30.0,
    ) -> None:
        self.url: str = url.rstrip("/")
        self._http = httpx.Client(**transport.options(self.url))
        self._closing = Closing()
        self._token = token
        self._fresh = transport.valid_token(token) if isinstance(token, str) else None
        self._calls = Calls(Rules(self.url, silence, patience, hint=transport.HINT))
        self.runs: Runs = Runs(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. Another thread may do so: iterations end, and a call that waits raises Unavailable."""
        self._closing.close()
        self._http.close()

    @overload
    def publish(
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
    def publish(self, topic: str, data: object, type: str = ..., *, transient: Literal[True]) -> None: ...

    def publish(
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
            self._run(self._calls.publish_transient(topic, data, type))
            return None
        return self._run(self._calls.publish(topic, data, type, key, expected, close))

    def publish_many(
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
        return self._run(self._calls.publish_many(topic, events, key, expected, close))

    def subscribe(self, topics: str | Sequence[str], after: Start = TAIL) -> Subscription:
        """Every event of one topic or of up to 32, over one connection, in order and once.

        `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N events; for several topics also a
        mapping of each topic's offset, such as `subscription.offsets`. After a lost connection the client connects
        again and goes on after the last event. The iteration ends when all topics are closed and read.

        If events are gone that were not read, an event of type `tidings.reset` says so, whose data is
        `{"topic", "reason", "earliest"}`, and the events go on from the earliest.
        """
        return Subscription(self, self._calls.following(topics, after))

    def read(self, topic: str, after: After = EARLIEST, limit: int = 1000) -> Page:
        """Return a page of at most `limit` events, up to 1,000. Read on after `page.next`, until `page.up_to_date`.

        `after`: an offset or its text, `"earliest"`, `"tail"`, or `-N` for the last N events. Raises NotFound for a
        topic that does not exist, and Gone if events after the offset are gone.
        """
        return self._run(self._calls.read(topic, after, limit))

    def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """Return the names of topics that the token may read, in the order of their bytes.

        The names begin with `prefix` and come after the name `after`. `limit` is 1,000 at most.
        """
        return self._run(self._calls.topics(prefix, after, limit))

    def _run(self, plan: Plan[T]) -> T:
        """Do the steps of a plan, and return its result."""
        return self._driver().run(plan)

    def _driver(self) -> Driver:
        if self._closing.closed:
            raise InvalidRequest(CLOSED.why)
        return Driver(self._http, self._calls.rules, self._authorization, self._renew, self._closing)

    def _authorization(self) -> dict[str, str]:
        if self._fresh is None and callable(self._token):
            self._fresh = transport.valid_token(self._token())
        return transport.authorization(self._fresh)

    def _renew(self) -> bool:
        if isinstance(self._token, str | None):
            return False
        self._fresh = None
        return True


class Runs:
    """The runs of a server: start them, get them, stop them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def start(
        self,
        input: str | Sequence[Mapping[str, str]],
        *,
        assistant: str | None = None,
        topic: str | None = None,
        parent: str | None = None,
        key: str | None = None,
    ) -> Run:
        """Ask an assistant, and return the run at once.

        `input`: a question, or the messages of a conversation, `{"role", "content"}`, of which the last is the
        question. `topic`: a conversation or room in which the run is announced first. `parent`: the run that this run
        answers anew. `key`: an idempotency key as in `publish`; a key starts one run.
        """
        return Run(self._client, self._client._run(self._client._calls.start(input, assistant, topic, parent, key)))

    def get(self, id: str) -> Run:
        """Return a run of any process of the server. Raises NotFound."""
        self._client._run(self._client._calls.state(id))
        return Run(self._client, id)

    def stop(self, id: str) -> None:
        """Stop a run, in whichever process it is. The answer so far is kept. Raises NotFound."""
        self._client._run(self._client._calls.stop(id))


class Run:
    """A run of the server. `id` is its id, and `topic` the topic of its events."""

    def __init__(self, client: Client, id: str) -> None:
        self._client = client
        self.id = id
        self.topic: str = f"runs.{id}"

    def events(self, after: After = EARLIEST) -> Subscription:
        """The events of the run, to its end, as `Client.subscribe` gives them. Raises NotFound.

        The deltas of a run that is under way may come merged into fewer events.
        """
        return Subscription(self._client, self._client._calls.following_run(self.id, after))

    def wait(self) -> Event:
        """Wait for the end of the run, and return its last event, `run.finished` or `run.failed`.

        Raises NotFound if the run is deleted, Closed if its topic is closed without an end, and Unavailable if the
        client is closed.
        """
        with self.events() as events:
            for event in events:
                if event.type in TERMINAL:
                    return event
                if event.type == RESET and event.json()["reason"] != "trimmed":
                    raise NotFound(f"There is no run {self.id} any more.")
        if self._client._closing.closed:
            raise Unavailable(CLOSED.why)
        raise Closed("The topic of the run was closed before the run had ended.")

    def state(self) -> RunState:
        """Return the state of the run. Raises NotFound."""
        return self._client._run(self._client._calls.state(self.id))

    def stop(self) -> None:
        """Stop the run, in whichever process it is. The answer so far is kept. Raises NotFound."""
        self._client.runs.stop(self.id)


class Subscription:
    """The events of topics, as an iterator.

    As a context manager it connects at the start of the block, and closes at its end.
    """

    def __init__(self, client: Client, following: Following) -> None:
        self._following = following
        self._items = Items(client._driver(), following.plan())

    @property
    def offsets(self) -> dict[str, Offset]:
        """The position in each topic: the offset of its last event that was handed out.

        `subscribe` takes it as `after`. Empty until the first event when the subscription begins at the earliest.
        """
        return self._following.offsets

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        for item in self._items:
            if isinstance(item, Event):
                return item
        raise StopIteration

    def __enter__(self) -> Self:
        if not self._items.begun:
            next(self._items, None)  # the first item of the plan says that the stream is open
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the iteration, and close the connection. Another thread may do so."""
        self._items.close()
