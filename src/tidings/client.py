"""The command line's HTTP client: it publishes, reads and follows, and says in one sentence what is wrong."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Self, TypeVar

import httpx
import msgspec

from .errors import Invalid
from .log import valid_topic
from .origins import is_loopback
from .wire.sse import Decoder, ServerSentEvent

REFUSED, WRONG, UNREACHABLE = 1, 2, 3
"""Exit codes: the server said no; what it was asked is wrong in itself; there is no server."""

SILENCE = 90.0
"""Seconds without a byte after which a followed stream counts as broken. A server is silent for 15 by default."""

PAGE = 1000


FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0
"""Seconds before connecting again: at first, unless the server names another time, and at most."""

T = TypeVar("T")


class Failure(Exception):
    """What the user is told, in one sentence, and the exit code."""

    def __init__(self, sentence: str, code: int = REFUSED) -> None:
        super().__init__(sentence)
        self.code = code


class Line(msgspec.Struct, omit_defaults=True):
    """An event as a JSON line. Other fields, such as those that `tidings read` writes, are left out."""

    data: msgspec.Raw
    type: str = ""


class Shown(msgspec.Struct):
    """An event as `read` writes it; `data` is its JSON value, or its text where that is not JSON."""

    offset: str | None
    type: str
    time: float
    data: msgspec.Raw


class _Page(msgspec.Struct):
    events: list[Shown]
    next: str
    up_to_date: bool


class _Described(msgspec.Struct):
    tail: str


class _Names(msgspec.Struct):
    topics: list[str]


class _Reset(msgspec.Struct):
    reason: str
    earliest: str


class _Problem(msgspec.Struct):
    title: str
    detail: str = ""


_line = msgspec.json.Decoder(Line)
_shown = msgspec.json.Decoder(Shown)
_page = msgspec.json.Decoder(_Page)
_described = msgspec.json.Decoder(_Described)
_names = msgspec.json.Decoder(_Names)
_reset = msgspec.json.Decoder(_Reset)
_problem = msgspec.json.Decoder(_Problem)


class Client:
    """A server at `url`. Every method raises Failure, and nothing else, for what can go wrong outside this process."""

    def __init__(self, url: str, token: str | None = None) -> None:
        try:
            parsed = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL:
            parsed = httpx.URL("")
        if parsed.scheme not in ("http", "https") or not parsed.host:
            raise Failure(f"{url!r} is no URL of a server; one is like http://127.0.0.1:8000.", WRONG)
        if token is not None and not token.isascii():
            raise Failure("The token is no token: it has other characters than ASCII.", WRONG)
        self.url = url
        self._http = httpx.Client(
            base_url=parsed,
            headers={"authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(30, connect=10),
            # A proxy is for other machines, whatever HTTP_PROXY says.
            trust_env=not is_loopback(parsed.host),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def publish(self, topic: str, data: str, type: str, key: str | None) -> bytes:
        """Append one event. The server's answer, its offset, as JSON."""
        headers = {"content-type": "text/plain; charset=utf-8"} | ({"idempotency-key": key} if key is not None else {})
        return self._send("POST", _events(topic), content=data.encode(), params={"type": type}, headers=headers).content

    def publish_lines(self, topic: str, lines: Sequence[Line]) -> bytes:
        """Append many events, in one commit. The server's answer, their first and last offsets, as JSON."""
        headers = {"content-type": "application/x-ndjson"}
        return self._send(
            "POST", _events(topic), content=msgspec.json.Encoder().encode_lines(lines), headers=headers
        ).content

    def read(self, topic: str, start: str, limit: int | None) -> Generator[Shown]:
        """The events that are there, from `start` (earliest, tail or an offset), at most `limit` of them."""
        after = "" if start == "earliest" else start
        if start == "tail":
            after = self._decode(self._send("GET", f"/topics/{_valid(topic)}"), _described).tail
        while limit is None or limit > 0:
            params = {"limit": min(PAGE, limit or PAGE)} | ({"after": after} if after else {})
            page = self._decode(self._send("GET", _events(topic), params=params), _page)
            yield from page.events
            if page.up_to_date:
                return
            after = page.next
            limit = None if limit is None else limit - len(page.events)

    def topics(self, prefix: str) -> Iterator[str]:
        """The names of the topics that begin with `prefix`, in order."""
        after = ""
        while True:
            params = {"prefix": prefix, "after": after, "limit": PAGE}
            names = self._decode(self._send("GET", "/topics", params=params), _names).topics
            yield from names
            if not names:
                return
            after = names[-1]

    def follow(self, topic: str, start: str, note: Callable[[str], None]) -> Generator[Shown]:
        """The events from `start` on as they come, until the topic is closed. `note` is told of events that are gone
        for good, and of lost connections, after which it goes on where it was, as an EventSource does."""
        last, first, pause, connected, told = "", FIRST_PAUSE, FIRST_PAUSE, False, False
        while True:
            try:
                for event in self._stream(topic, start, last):
                    connected, told, last = True, False, event.id or last
                    pause = first = first if event.retry is None else event.retry / 1000
                    if event.type == "tidings.end":
                        return
                    yield from self._unfold(event, note)
                connected = True
            except Failure as failure:
                if failure.code != UNREACHABLE or not connected:
                    raise
            if not told:
                note("The connection was lost; going on where it was as soon as there is one again.")
                told = True
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 1.5, LAST_PAUSE)

    def _stream(self, topic: str, start: str, last: str) -> Iterator[ServerSentEvent]:
        """One connection's events. The end of a topic that is read already, a 204, is a `tidings.end` too."""
        params = {"topic": _valid(topic), "envelope": "true", "from": start}
        headers = {"accept": "text/event-stream"} | ({"last-event-id": last} if last else {})
        timeout = httpx.Timeout(30, connect=10, read=SILENCE)
        decoder = Decoder()
        try:
            with self._http.stream("GET", "/events", params=params, headers=headers, timeout=timeout) as response:
                if response.status_code == 204:
                    yield ServerSentEvent("tidings.end", "", last, None)
                elif response.status_code != 200:
                    response.read()
                    raise self._refusal(response)
                for chunk in response.iter_bytes():
                    yield from decoder.feed(chunk)
        except httpx.RequestError as error:
            raise self._unreachable(error) from None

    def _unfold(self, event: ServerSentEvent, note: Callable[[str], None]) -> Iterator[Shown]:
        try:
            shown = _shown.decode(event.data)
            if event.type == "tidings.reset":
                reset = _reset.decode(shown.data)
                note(f"Events before {reset.earliest} are gone: {reset.reason}.")
            else:
                yield shown
        except msgspec.DecodeError:
            raise self._strange() from None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.RequestError as error:
            raise self._unreachable(error) from None
        if response.is_success:
            return response
        raise self._refusal(response)

    def _decode(self, response: httpx.Response, decoder: msgspec.json.Decoder[T]) -> T:
        try:
            return decoder.decode(response.content)
        except msgspec.DecodeError:
            raise self._strange() from None

    def _refusal(self, response: httpx.Response) -> Failure:
        """What a status other than 2xx says."""
        code = UNREACHABLE if response.status_code in (502, 503, 504) else REFUSED
        try:
            problem = _problem.decode(response.content)
        except msgspec.DecodeError:
            return Failure(f"{self.url} answered {response.status_code} {response.reason_phrase}.", code)
        return Failure(problem.detail or problem.title, code)

    def _unreachable(self, error: httpx.RequestError) -> Failure:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return Failure(
                f"No server answers at {self.url}. `tidings serve` starts one; --url names another.", UNREACHABLE
            )
        return Failure(f"The connection to {self.url} was lost before the answer came.", UNREACHABLE)

    def _strange(self) -> Failure:
        return Failure(f"{self.url} does not answer as Tidings does; is it another server?")


def _valid(topic: str) -> str:
    """The name, once it is known to be one: a path must not be made of anything else."""
    try:
        return valid_topic(topic)
    except Invalid as error:
        raise Failure(str(error), WRONG) from None


def _events(topic: str) -> str:
    return f"/topics/{_valid(topic)}/events"


def parse_line(text: bytes, number: int, type: str, *, plain: bool) -> Line | None:
    """The event of a JSON line, or of a plain one, whose text is the data; None for a blank JSON line.

    `type` is for one that names none. Raises Failure, which names the line by its number.
    """
    try:
        if plain:
            return Line(msgspec.Raw(msgspec.json.encode(text.removesuffix(b"\r").decode())), type)
        if not text.strip():
            return None
        line = _line.decode(text.decode())
        return Line(line.data, line.type or type)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        right = 'an event is {"data": …}, with a "type" if it has one; --lines takes lines as they are'
        raise Failure(f"Line {number} is no event ({error}): {right}. The lines before it are stored.", WRONG) from None
