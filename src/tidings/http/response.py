"""The responses of Tidings' own routes: streams that count against limits and end with the right to read, and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidings.access.guards import Watch
from tidings.delivery.delivery import Delivery
from tidings.delivery.response import EventStreamResponse, Stream, given_id
from tidings.delivery.subscription import Subscription
from tidings.errors import TooManyRequests

OUTSIDE = "tidings.outside"
"""The key of a list in the scope. Where it is present, it takes the `Stream` of a response that has begun, and the app
that put it there runs the stream after its framework's stack has returned. Inside FastAPI's an idle stream costs 18 to
23 KB, of frames, exit stacks and a copied scope, and each write three more calls; outside 12 KB."""


class Slots:
    """The streams that may be open at once: in all, and for one owner.

    `elsewhere` and `owned_elsewhere` count the streams of other processes, in all and of an owner, as they told last.
    """

    def __init__(self, total: int, each: int) -> None:
        self.total: int = total
        self.each: int = each
        self.open: int = 0
        self.owners: Counter[str] = Counter()
        self.elsewhere: Callable[[], int] = lambda: 0
        self.owned_elsewhere: Callable[[str], int] = lambda owner: 0

    def take(self, owner: str) -> None:
        """Count a stream of the owner. Raises TooManyRequests."""
        if self.open + self.elsewhere() >= self.total:
            raise TooManyRequests(f"This server has its limit of {self.total} open streams.")
        if self.owners[owner] + self.owned_elsewhere(owner) >= self.each:
            raise TooManyRequests(
                f"You have your limit of {self.each} open streams. Close one, or share one between tabs."
            )
        self.open += 1
        self.owners[owner] += 1

    def free(self, owner: str) -> None:
        """Count one stream of the owner less."""
        self.open -= 1
        self.owners[owner] -= 1
        if not self.owners[owner]:
            del self.owners[owner]


class ServedStreamResponse(EventStreamResponse):
    """The stream of one of Tidings' own routes.

    `slots`, `owner`: the limits that the stream counts against. `watch` closes the stream when the right to read is
    lost: see `guards.Guard.watch`. `resume`: False if the route has read the last event ID itself.
    """

    def __init__(
        self,
        *args: Any,
        slots: Slots,
        owner: str,
        watch: Watch | None = None,
        resume: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.slots = slots
        self.owner = owner
        self.watch = watch
        self.resume = resume

    def _last_event_id(self, scope: Scope) -> str:
        return given_id(scope) if self.resume else ""

    def _stream(self, delivery: Delivery) -> Stream:
        return ServedStream(self, delivery)

    async def _run(self, stream: Stream, scope: Scope, receive: Receive, send: Send) -> None:
        if OUTSIDE in scope:
            scope[OUTSIDE].append(stream)
        else:
            await stream(scope, receive, send)


class ServedStream(Stream):
    """The rest of such a response."""

    __slots__ = ("_admitted", "_owner", "_slots", "_watch", "_watching")

    def __init__(self, response: ServedStreamResponse, delivery: Delivery) -> None:
        super().__init__(response, delivery)
        self._slots = response.slots
        self._owner = response.owner
        self._watch = response.watch
        self._admitted = False
        self._watching = False

    def admit(self) -> None:
        self._slots.take(self._owner)
        self._admitted = True

    def watch(self, subscription: Subscription) -> None:
        if self._watch is not None:
            self._watching = True
            self._watch.start(subscription.close)

    def release(self) -> None:
        if self._watch is not None and self._watching:
            self._watch.stop()
        if self._admitted:
            self._slots.free(self._owner)
        super().release()


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Any value that msgspec can write, as JSON that no cache keeps."""
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        headers={"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
    )
