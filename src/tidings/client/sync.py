"""The client that waits, and how it does the steps of a plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Self, TypeVar

import httpx

from tidings.events import MESSAGE, Event, Offset, Page
from tidings.log.rules import Appended

from . import transport
from .calls import Calls
from .following import Following, Start
from .rules import Answer, Broken, Connected, Item, Plan, Read, Renew, Reply, Rules, Send, Step, Wait
from .values import Reset, RunState

T = TypeVar("T")


class Client:
    """A Tidings server at `url`, over connections that are kept. A context manager; safe to use from several threads.

        with Client("https://events.example.com", token=fetch_token) as client:
            client.publish("chat.lobby", "Hello, all")
            for event in client.subscribe("chat.lobby"):
                print(event.offset, event.data)

    `token`: who you are, or a function that returns a fresh one; it is called at first, and whenever the server says
    that the last one is no longer good, which no subscription notices. `silence`: seconds without a byte after which a
    stream is taken for dead and connected anew; a server says something every 18. `patience`: seconds for which a
    request is tried again while nobody answers or the server is busy (429, 5xx), with growing pauses of random length
    that are never shorter than it asks for; 0: not at all.

    Every method raises TidingsError: InvalidRequest, Unauthenticated, Forbidden, NotFound, Conflict, Closed, Gone,
    TooLarge and TooManyRequests are what the server says; Unavailable: it could not be reached within `patience`;
    OutcomeUnknown: nor is it known whether it took the request; Unexpected: it is no Tidings server.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | Callable[[], str] | None = None,
        silence: float = 45.0,
        patience: float = 30.0,
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(**transport.options(self.url))
        self._token = token
        self._fresh = transport.valid_token(token) if isinstance(token, str) else None
        self._calls = Calls(Rules(self.url, silence, patience))
        self.runs = Runs(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def publish(self, topic: str, data: Any, type: str = MESSAGE, *, key: str | None = None) -> Offset:
        """Append an event to a topic; it is stored, once, when its offset is returned.

        `data` is a text, which is kept exactly, or anything that JSON can say. Where an answer is lost the request is
        sent again with the same `key`, of which the server stores one; without one it is new for each call. With the
        same key again within 24 hours, nothing is stored and the first offset is returned.
        """
        return self._run(self._calls.publish(topic, data, type, key))

    def publish_many(self, topic: str, events: Iterable[tuple[str, Any]], *, key: str | None = None) -> Appended:
        """Append events, each a pair of type and data, in one commit: all of them or none. At most 8 MiB.

        Returns the offsets of the first and the last. `data` and `key` are as in `publish`.
        """
        return self._run(self._calls.publish_many(topic, events, key))

    def subscribe(
        self, topics: str | Sequence[str], after: Start = None, *, on_reset: Callable[[Reset], object] | None = None
    ) -> Subscription:
        """Every event of one topic or of up to 32, over one connection, in order, once each, as they come.

        `after`: `"earliest"` (as is None), `"tail"`, or the offset of the last event that you have; of several topics
        a mapping of each topic's. A lost connection is made again, for ever once there was one, and the events go on
        after the last. The iteration ends when all topics are closed and read.

        Where events are gone that were not read, `on_reset` is called with a Reset and the events go on with what
        there is; without it the Reset is raised.
        """
        return Subscription(self, self._calls.following(topics, after), on_reset)

    def read(self, topic: str, after: Start = None, limit: int = 1000) -> Page:
        """The events that are there after an offset, at most `limit` of them, which is at most 1,000.

        Read on after `page.next`, until `page.up_to_date`. `after` is as in `subscribe`. Raises NotFound where there
        is no such topic, and Reset where events after the offset are gone.
        """
        return self._run(self._calls.read(topic, after, limit))

    def topics(self, prefix: str = "", after: str = "", limit: int = 1000) -> list[str]:
        """The names of the topics that you may read, in the order of their bytes.

        Only those that begin with `prefix`, after the name `after`, at most `limit`, which is at most 1,000.
        """
        return self._run(self._calls.topics(prefix, after, limit))

    def _run(self, plan: Plan[T]) -> T:
        """Do the steps of a plan, to its result."""
        hands, reply = Hands(self), None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration as end:
                result: T = end.value
                return result
            reply = hands.do(step)

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
    """Answers that are being written: start them, follow them, stop them. A run is named by its id."""

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
    ) -> str:
        """Ask an assistant, and return the run's id at once.

        `input` is the question, or the messages of a conversation, `{"role", "content"}`, of which the last is the
        question. `topic`: a conversation or room that is told of the run first. `parent`: the run that this one
        answers anew. `key`: as in `publish`; one key starts one run.
        """
        return self._client._run(self._client._calls.start(input, assistant, topic, parent, key))

    def get(self, run: str) -> RunState:
        """How a run stands. Raises NotFound."""
        return self._client._run(self._client._calls.get(run))

    def follow(
        self, run: str, after: Start = None, *, on_reset: Callable[[Reset], object] | None = None
    ) -> Subscription:
        """The events of a run, as `subscribe` gives them, to its end. Raises NotFound.

        Of a run that is under way the deltas so far may come merged into fewer events.
        """
        return Subscription(self._client, self._client._calls.following_run(run, after), on_reset)

    def stop(self, run: str) -> None:
        """Have a run stopped, in whichever process it is; what it has said is kept. Raises NotFound."""
        self._client._run(self._client._calls.stop(run))


class Subscription:
    """The events of `subscribe`. As a context manager it is connected when the block begins, and closed at its end.

    After a Reset was raised, iterate over it again to go on. `offsets`: the position in each topic, of the last event
    that was handed out; pass it on as `after`, for several topics as it is.
    """

    def __init__(self, client: Client, following: Following, on_reset: Callable[[Reset], object] | None) -> None:
        self._following = following
        self._on_reset = on_reset
        self._items = _items(Hands(client), following)

    @property
    def offsets(self) -> dict[str, Offset]:
        """See above. Empty before the first event of a start at the earliest."""
        return self._following.offsets

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        for item in self._items:
            if isinstance(item, Event):
                return item
            if isinstance(item, Reset):
                if self._on_reset is None:
                    raise item
                self._on_reset(item)
        raise StopIteration

    def __enter__(self) -> Self:
        next(self._items, None)  # the first of a plan's items is that there is a connection
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave. The iteration has ended then."""
        self._items.close()


def _items(hands: Hands, following: Following) -> Generator[Item]:
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
                reply = hands.do(step)
    finally:
        hands.close()


class Hands:
    """Does the steps of one plan, and holds its open stream."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._response: httpx.Response | None = None
        self._chunks: Iterator[bytes] = iter(())

    def do(self, step: Step) -> Reply:
        """The reply to a step."""
        match step:
            case Send():
                return self._send(step)
            case Read():
                try:
                    return next(self._chunks, b"")
                except httpx.RequestError as error:
                    return transport.broken(self._client.url, error)
            case Wait():
                time.sleep(step.seconds)
                return None
            case Renew():
                return self._client._renew()

    def close(self) -> None:
        """Leave the open stream."""
        if self._response is not None:
            self._response.close()
            self._response = None

    def _send(self, step: Send) -> Answer | Broken:
        self.close()
        client = self._client
        try:
            options = transport.request(step, client._authorization(), client._calls.rules.silence)
            response = client._http.send(client._http.build_request(**options), stream=True)
            if not (step.stream and response.status_code == 200):
                with closing(response):
                    return transport.answer(response, response.read())
        except httpx.RequestError as error:
            return transport.broken(client.url, error)
        self._response, self._chunks = response, response.iter_bytes()
        return transport.answer(response)
