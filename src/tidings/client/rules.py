"""PURE: the requests to a server, the meaning of its answers, and when to try again or give up.

A plan is a generator that yields steps and is sent their replies. A driver only does the steps, so that the synchronous
and the asynchronous client share every rule, and a test needs no network.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import NoneType
from typing import Any, NamedTuple, TypeVar, cast

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
from tidings.log.names import json_of

from .values import Problem, Unexpected

FIRST, CEILING, MOST = 1.0, 30.0, 86_400.0
"""Seconds: the longest pause before the first new try, the longest pause that the client chooses, and the longest that
a server may ask for."""

T = TypeVar("T")


class Request(NamedTuple):
    """An HTTP request to a path of the server.

    `topic`: the topic that the request is about, if there is one. `once`: the request must not be sent a second time if
    the server may have received it.
    """

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    topic: str = ""
    once: bool = False


class Answer(NamedTuple):
    """The server's answer to a Send. The `body` of an open event stream is empty, since Read steps fetch it.

    `origin`: the origin of the URL that answered, after redirects.
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes = b""
    origin: str = ""


class Broken(NamedTuple):
    """The loss of the connection. `sent`: the server may have received the request. `why`: a sentence."""

    why: str
    sent: bool = True


INTERRUPTED = Broken("The step was interrupted.")
"""The reply to a step that was ended from outside."""

CLOSED = Broken("The client is closed.", sent=False)
"""The reply to a step that is not done, or not to its end, since the client was closed."""


class Send(NamedTuple):
    """Send a request. The reply is an Answer or Broken. `stream`: leave an event stream open for Read steps."""

    request: Request
    stream: bool = False


class Read(NamedTuple):
    """Wait for more of the open stream. The reply is bytes, empty at the end, or Broken, also after a long silence."""


class Wait(NamedTuple):
    """Do nothing for this many seconds. The reply is None, or CLOSED."""

    seconds: float


class Renew(NamedTuple):
    """Get a fresh token. The reply is False if the client has only the one token."""


Step = Send | Read | Wait | Renew
Reply = Answer | Broken | bytes | bool | None
Plan = Generator[Step, Reply, T]


@dataclass(frozen=True)
class Rules:
    """The settings of plans. `silence` and `patience` are in seconds; see Client.

    `hint`: a sentence for errors that say that no server answers.
    """

    url: str
    silence: float | None
    patience: float
    hint: str = ""
    clock: Callable[[], float] = field(default=time.monotonic)
    uniform: Callable[[float, float], float] = field(default=random.uniform)

    def pause(self, failures: int, asked: float = 0.0) -> float:
        """Return the seconds before the next try. `failures`: the number of failures in a row before this one.

        The first pause is the one that the server asks for, which differs from client to client. Further pauses are
        random below a bound that doubles, so that clients which failed together do not return together, and never
        shorter than the server asks for.
        """
        asked = min(asked, MOST)
        if asked and not failures:
            return asked
        return max(asked, self.uniform(0.0, min(CEILING, FIRST * 2 ** min(failures, 10))))

    def call(self, request: Request, shape: type[T]) -> Plan[T]:
        """Send a request that may safely be sent twice, until it is answered. Raises TidingsError."""
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
            if isinstance(reply, Answer) and not is_busy(reply.status):
                raise error
            # A gateway that lost its server does not know what became of the request, just as after a lost connection.
            unsure = unsure or (
                reply.sent if isinstance(reply, Broken) else reply.status >= 500 and reply.status != 503
            )
            pause, failures = self.pause(failures, retry_after(reply)), failures + 1
            last = reply is CLOSED or self.clock() - begun + pause > self.patience or (unsure and request.once)
            if last or (yield Wait(pause)) is CLOSED:
                if unsure and request.method != "GET":
                    raise OutcomeUnknown(f"{error} The request took effect once, or not at all.") from error
                raise error

    def decode(self, body: bytes | str, shape: type[T]) -> T:
        """Decode JSON of the server. Raises Unexpected."""
        if shape is NoneType:
            return cast(T, None)
        try:
            return _decoder(shape).decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self.unexpected() from None

    def unexpected(self, detail: str = "") -> Unexpected:
        """Make the error for an answer that the client cannot use. By default: one that no Tidings server gives."""
        return Unexpected(detail or f"{self.url} does not answer as Tidings does. Is it another server?")

    def error(self, reply: Answer | Broken, request: Request) -> TidingsError:
        """Make the error for a status other than success, or for no answer at all."""
        if isinstance(reply, Broken):
            return Unavailable(reply.why if reply.sent or reply is CLOSED else f"{reply.why} {self.hint}".rstrip())
        try:
            problem = _decoder(Problem).decode(reply.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            problem = Problem("", f"{self.url} answered {reply.status} {reply.reason}.".replace(" .", "."))
        detail = problem.detail or problem.title
        found = self._error(reply, request, problem, detail)
        found.members |= members_of(reply.body)
        return found

    def _error(self, reply: Answer, request: Request, problem: Problem, detail: str) -> TidingsError:
        if reply.status == 410 and problem.reason and problem.earliest:
            return Gone(detail, topic=request.topic, reason=problem.reason, earliest=problem.earliest)
        if reply.status >= 500 or reply.status in (408, 425):
            return OutcomeUnknown(detail) if problem.title == OutcomeUnknown.title else Unavailable(detail)
        if problem.title == Closed.title:
            return Closed(detail)
        return _ERRORS.get(reply.status, Unexpected)(detail)


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


def members_of(body: bytes) -> dict[str, Any]:
    """Return the further members of a problem document, such as the `field` that is wrong."""
    try:
        members = _decoder(dict[str, Any]).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {name: value for name, value in members.items() if name not in ("type", "title", "status", "detail")}


def is_busy(status: int) -> bool:
    """Recognize a status after which the same request may succeed."""
    return status >= 500 or status in (408, 425, 429)


def retry_after(reply: Answer | Broken) -> float:
    """Return the seconds that `Retry-After` asks for, or 0. A date is compared with the date of the answer."""
    text = "" if isinstance(reply, Broken) else reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        assert isinstance(reply, Answer)
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(reply.headers.get("date", ""))
        return max(0.0, wait.total_seconds())
    except (AssertionError, TypeError, ValueError):
        return 0.0


def encode_body(data: object) -> tuple[str, bytes]:
    """Return the content type and the bytes of text, or of any other value as JSON. Raises InvalidRequest."""
    if not isinstance(data, str):
        return "application/json", json_of(data)
    try:
        return "text/plain; charset=utf-8", data.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("Data holds half of a surrogate pair, which is not a character.") from None
