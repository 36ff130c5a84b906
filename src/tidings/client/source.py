"""PURE: an event stream over as many connections as it takes: what is asked, what is told, and what ends it."""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Mapping
from typing import NamedTuple

from tidings.errors import InvalidRequest, TidingsError, Unavailable
from tidings.wire.sse import Decoder, ServerSentEvent

from .comments import Comment, CommentDecoder
from .rules import (
    Answer,
    Broken,
    Read,
    Renew,
    Reply,
    Request,
    Rules,
    Send,
    Step,
    Wait,
    encode_body,
    is_busy,
    retry_after,
)

log: logging.Logger = logging.getLogger("tidings.client")

LASTING = 10.0
"""Seconds after which a connection was a good one, even without an event: the pauses begin at the shortest again."""


ACCEPT: Mapping[str, str] = {"accept": "text/event-stream", "cache-control": "no-cache"}
"""The headers of every request for a stream. Browsers send the same."""

_NAME = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_ID = re.compile("[\r\n\0\ud800-\udfff]")


class Connected(NamedTuple):
    """The stream is open. `origin`: the origin that answered, after redirects."""

    origin: str


class Lost(NamedTuple):
    """The connection was lost, or could not be made. The plan goes on with a pause and the next connection."""

    error: TidingsError


Told = ServerSentEvent | Comment | Connected | Lost
"""An item of the plan."""


class Source:
    """The plan of an event stream, and its position.

    `request` is sent for each connection, with `last_event_id` as its `Last-Event-ID` unless that is empty.
    """

    def __init__(self, rules: Rules, request: Request, last_event_id: str = "", *, comments: bool = False) -> None:
        self.rules = rules
        self.request = request
        self.last_event_id: str = last_event_id
        self.origin: str = ""
        self.comments = comments
        self._restarted = False
        self._retry = 0.0  # seconds: the reconnection time that the server named last
        self._last: ServerSentEvent | None = None  # the last event of the newest connection

    def restart(self) -> None:
        """Connect anew at the next step, without a pause."""
        self._restarted = True

    def plan(self) -> Generator[Step | Told, Reply, None]:
        """Every event, as it comes, until the server has ended the stream. Raises TidingsError.

        Before the first connection the plan gives up like any call, and later only when it is refused.
        """
        rules = self.rules
        begun, failures, renewed, connected = rules.clock(), 0, False, False
        logged = False  # the log mentions each outage once
        while True:
            self._restarted, self._last = False, None
            request = self._request()
            reply = yield Send(request, stream=True)
            assert isinstance(reply, Answer | Broken)
            if isinstance(reply, Answer) and reply.status == 204:
                return
            if isinstance(reply, Answer) and reply.status == 200:
                self._must_be_stream(reply)
                connected, renewed, logged, opened, self.origin = True, False, False, rules.clock(), reply.origin
                yield Connected(self.origin)
                end = yield from self._read()
                if end is None and not self._restarted and _is_last(self._last):
                    return
                ended = f"The connection to {rules.url} was ended by the server."
                error: TidingsError = Unavailable(ended if end is None else end.why)
                if self._last is not None or rules.clock() - opened > LASTING:
                    failures = 0
            elif isinstance(reply, Answer) and reply.status == 401 and not renewed and (yield Renew()):
                renewed = True
                continue
            else:
                error = rules.error(reply, request)
                if isinstance(reply, Answer) and not is_busy(reply.status):
                    raise error
            if self._restarted:
                failures = 0
                continue
            pause, failures = rules.pause(failures, max(self._retry, retry_after(reply))), failures + 1
            if not connected and rules.clock() - begun + pause > rules.patience:
                raise error
            if not logged:
                log.info("%s Connecting again; the events go on after the last one.", error)
                logged = True
            yield Lost(error)
            if not self._restarted:
                yield Wait(pause)

    def _request(self) -> Request:
        if not self.last_event_id:
            return self.request
        return self.request._replace(headers={**self.request.headers, "last-event-id": self.last_event_id})

    def _must_be_stream(self, answer: Answer) -> None:
        """Raises Unexpected for an answer of another content type."""
        kind = answer.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "text/event-stream":
            raise self.rules.unexpected(f"{self.rules.url} answers with {kind or 'nothing'}, not with an event stream.")

    def _read(self) -> Generator[Step | Told, Reply, Broken | None]:
        """Read the events of one connection. Returns how the connection broke, or None for a clean end."""
        decoder = Decoder()
        decoder.last_event_id = self.last_event_id
        feed = CommentDecoder(decoder).feed if self.comments else decoder.feed
        broken: Broken | None = None
        while not self._restarted:
            chunk = yield Read()
            if isinstance(chunk, Broken):
                broken = chunk
            if not chunk or not isinstance(chunk, bytes):
                break
            for item in feed(chunk):
                if isinstance(item, ServerSentEvent):
                    self._last, self.last_event_id = item, item.id
                yield item
            self.last_event_id = decoder.last_event_id
        if broken is None:
            # Some servers end the stream with `[DONE]` and no empty line. The event never fires, but it is their last.
            self._last = next((event for event in decoder.feed(b"\n\n") if _is_done(event)), self._last)
        # Asked once, at the end: the decoder searches all that it has of an unfinished event.
        if decoder.retry is not None:
            self._retry = decoder.retry / 1000
        return broken


def _is_last(event: ServerSentEvent | None) -> bool:
    """Recognize the event after which a clean end is the end of the stream, and not of a connection.

    The end of one of several topics, whose joined id holds `~`, is not the end of the stream.
    """
    if event is None:
        return False
    return _is_done(event) or (event.type == "tidings.end" and "~" not in event.id)


def _is_done(event: ServerSentEvent) -> bool:
    return event.data == "[DONE]"


def source_of(
    url: str, method: str, body: object, last_event_id: str, silence: float | None, patience: float, comments: bool
) -> Source:
    """Make the plan of an event source from its parameters. Raises InvalidRequest."""
    if not isinstance(method, str) or not _NAME.fullmatch(method):
        raise InvalidRequest(f"{method!r} is not a method of HTTP.")
    if body is not None and method.upper() in ("GET", "HEAD"):
        raise InvalidRequest(f"A {method.upper()} request has no body. Pass `method` as well, such as 'POST'.")
    if not isinstance(last_event_id, str) or _NO_ID.search(last_event_id):
        raise InvalidRequest("A last event ID is text without line ends and NUL.")
    headers, content = dict(ACCEPT), None
    if isinstance(body, bytes):
        content = body
    elif body is not None:
        headers["content-type"], content = encode_body(body)
    # The query of a URL may hold a secret, which has no place in an error or a log.
    rules = Rules(url.partition("?")[0], silence, patience)
    return Source(rules, Request(method.upper(), url, (), headers, content), last_event_id, comments=comments)


def valid_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers by their names in lower case, if a request can hold them. Raises InvalidRequest."""
    for name, value in headers.items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidRequest(f"{name!r} is not the name of a header.")
        if name.lower() == "last-event-id":
            raise InvalidRequest("Pass `last_event_id` instead of the header. It changes with every event.")
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or value != value.strip():
            raise InvalidRequest(f"The value of the header {name} is not text of printable ASCII characters.")
    return {name.lower(): value for name, value in headers.items()}
