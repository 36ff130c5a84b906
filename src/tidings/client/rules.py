"""PURE: what the server is asked, what its answers mean, when to try again and when to give up.

What is to be done is a plan: a generator that yields steps and is sent what came of them. A driver only does the
steps, so the client that waits and the one that awaits have every rule in common, and a test needs no network.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from tidings import errors
from tidings.errors import (
    Closed,
    Gone,
    InvalidRequest,
    OutcomeUnknown,
    TidingsError,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from tidings.events import Event

from .values import Problem, Reset, Unexpected, earliest_of

FIRST, CEILING = 1.0, 30.0
"""Seconds: the longest first pause before trying again, and the longest of all. The server may ask for longer."""

BUSY = {429, 500, 502, 503, 504}
"""Statuses after which the same request may well succeed."""

T = TypeVar("T")


class Request(NamedTuple):
    """An HTTP request to a path of the server. `topic`: of which one, if it is about one."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    topic: str = ""


class Answer(NamedTuple):
    """What came of a Send. Of an event stream that is open, `body` is empty: it is there to be Read."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = b""


class Broken(NamedTuple):
    """There is no connection any more. `sent`: the server may have had the request; `why`: a sentence."""

    why: str
    sent: bool = True


class Send(NamedTuple):
    """Send a request. The reply is an Answer or Broken. `stream`: leave an event stream open, to be Read."""

    request: Request
    stream: bool = False


class Read(NamedTuple):
    """Wait for more of the open stream. The reply is bytes, empty at its end, or Broken: also after a long silence."""


class Wait(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


class Renew(NamedTuple):
    """Get a fresh token. The reply is whether there is a way to."""


class Connected(NamedTuple):
    """Not to be done, but to be known: the stream is open now."""


Step = Send | Read | Wait | Renew
Item = Event | Reset | Connected
Reply = Answer | Broken | bytes | bool | None
Plan = Generator[Step, Reply, T]


@dataclass(frozen=True)
class Rules:
    """The settings that plans go by. `silence` and `patience` in seconds; see Client."""

    url: str
    silence: float
    patience: float
    clock: Callable[[], float] = field(default=time.monotonic)
    uniform: Callable[[float, float], float] = field(default=random.uniform)

    def pause(self, failures: int, asked: float = 0.0) -> float:
        """Seconds before trying again. `failures`: how many there were before this one, in a row.

        What the server has asked for, which differs from client to client, is enough at first. Then it is anything up
        to a bound that doubles, so that clients which failed together do not return together; never less than asked.
        """
        if asked and not failures:
            return asked
        return max(asked, self.uniform(0.0, min(CEILING, FIRST * 2 ** min(failures, 10))))

    def call(self, request: Request, shape: type[T]) -> Plan[T]:
        """Send a request that may safely be sent again, until it is answered. Raises TidingsError."""
        begun, failures, renewed, unsure = self.clock(), 0, False, False
        while True:
            reply = yield Send(request)
            assert isinstance(reply, Answer | Broken)
            if isinstance(reply, Answer) and reply.status in (200, 201, 202):
                return self.decode(reply.body, shape)
            if isinstance(reply, Answer) and reply.status == 401 and not renewed and (yield Renew()):
                renewed = True
                continue
            error = self.error(reply, request)
            if isinstance(reply, Answer) and reply.status not in BUSY:
                raise error
            # A gateway that lost its server, like a lost connection, does not know what became of the request.
            unsure = unsure or (reply.sent if isinstance(reply, Broken) else reply.status in (500, 502, 504))
            pause, failures = self.pause(failures, retry_after(reply)), failures + 1
            if self.clock() - begun + pause > self.patience:
                if unsure and request.method != "GET":
                    raise OutcomeUnknown(f"{error} What was sent has been taken once, or not at all.") from error
                raise error
            yield Wait(pause)

    def decode(self, body: bytes | str, shape: type[T]) -> T:
        """JSON of the server's. Raises Unexpected."""
        try:
            return _decoder(shape).decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self.unexpected() from None

    def unexpected(self) -> Unexpected:
        """Somebody else answers."""
        return Unexpected(f"{self.url} does not answer as Tidings does; is it another server?")

    def error(self, reply: Answer | Broken, request: Request) -> TidingsError:
        """What a status other than success, or no answer at all, is to the caller."""
        if isinstance(reply, Broken):
            return Unavailable(reply.why)
        try:
            problem = _decoder(Problem).decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            problem = Problem("", f"{self.url} answered {reply.status} {reply.reason}.".replace(" .", "."))
        said = problem.detail or problem.title
        if reply.status == 410 and problem.reason and problem.earliest:
            earliest = earliest_of(problem.earliest)
            return Reset(request.topic, problem.reason, earliest, earliest._replace(n=max(earliest.n - 1, 0)))
        if reply.status >= 500:
            return OutcomeUnknown(said) if problem.title == OutcomeUnknown.title else Unavailable(said)
        if problem.title == Closed.title:
            return Closed(said)
        return _ERRORS.get(reply.status, Unexpected)(said)


_ERRORS: dict[int, type[TidingsError]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    410: Gone,
    413: errors.TooLarge,
    422: InvalidRequest,
    429: TooManyRequests,
    431: errors.TooLarge,
}

_decoders: dict[type[Any], msgspec.json.Decoder[Any]] = {}


def _decoder(shape: type[T]) -> msgspec.json.Decoder[T]:
    if shape not in _decoders:
        _decoders[shape] = msgspec.json.Decoder(shape)
    return _decoders[shape]


def retry_after(reply: Answer | Broken) -> float:
    """The seconds that `Retry-After` asks for, 0 without it. A date is measured against the answer's own."""
    text = "" if isinstance(reply, Broken) else reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        assert isinstance(reply, Answer)
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(reply.headers.get("date", ""))
        return max(0.0, wait.total_seconds())
    except (AssertionError, TypeError, ValueError):
        return 0.0
