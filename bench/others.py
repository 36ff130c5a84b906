"""The Python libraries that read event streams, each fed with bytes as its own users feed it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import httpx_sse
import requests
import requests_sse
import sseclient
from requests.adapters import BaseAdapter


class Got(NamedTuple):
    """The result of a library: (type, data, last event ID) of each event, and the reconnection time in ms, if any."""

    events: list[tuple[str, str, str]]
    retry: int | str | None


def read_httpx_sse(chunks: Iterable[bytes]) -> Iterator[httpx_sse.ServerSentEvent]:
    """`EventSource(response).iter_sse()`."""
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=iter(chunks))
    return httpx_sse.EventSource(response).iter_sse()


def read_sseclient(chunks: Iterable[bytes]) -> Iterator[Any]:
    """`SSEClient(chunks).events()`."""
    return iter(sseclient.SSEClient(chunks).events())


class _Adapter(BaseAdapter):
    """Answers every request of `requests` with these chunks."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self.chunks = chunks

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url = 200, request.url or ""
        response.headers["content-type"] = "text/event-stream"
        response.raw = self
        return response

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None: ...


class _Ended(Exception):
    """The stream ended, and the library would now wait and connect again."""


def read_requests_sse(chunks: Iterable[bytes], source: list[requests_sse.EventSource] | None = None) -> Iterator[Any]:
    """`for event in EventSource(url, session=session)`, to the end of the first connection. `source` is told it."""

    def ended() -> None:
        raise _Ended

    session = requests.Session()
    session.mount("http://", _Adapter(chunks))
    with requests_sse.EventSource("http://x", session=session, on_error=ended) as events:
        if source is not None:
            source.append(events)
        try:
            yield from events
        except _Ended:
            return


def with_httpx_sse(chunks: Iterable[bytes]) -> Got:
    """All that httpx-sse reads."""
    events = list(read_httpx_sse(chunks))
    retries = [event.retry for event in events if event.retry is not None]
    return Got([(event.event, event.data, event.id) for event in events], retries[-1] if retries else None)


def with_sseclient(chunks: Iterable[bytes]) -> Got:
    """All that sseclient-py reads."""
    events = list(read_sseclient(chunks))
    retries = [
        int(event.retry) if event.retry.isdecimal() and len(event.retry) < 19 else event.retry
        for event in events
        if event.retry
    ]
    return Got([(event.event, event.data, event.id or "") for event in events], retries[-1] if retries else None)


def with_requests_sse(chunks: Iterable[bytes]) -> Got:
    """All that requests-sse reads. It keeps the reconnection time to itself; None while it is the one it began with."""
    source: list[requests_sse.EventSource] = []
    events = [(event.type, event.data, event.last_event_id) for event in read_requests_sse(chunks, source)]
    waits: timedelta = source[0]._reconnection_time
    if waits == requests_sse.client.DEFAULT_RECONNECTION_TIME:
        return Got(events, None)
    return Got(events, waits // timedelta(milliseconds=1))


READERS: dict[str, Callable[[Iterable[bytes]], Iterator[Any]]] = {
    "httpx-sse": read_httpx_sse,
    "sseclient-py": read_sseclient,
    "requests-sse": read_requests_sse,
}
RESULTS: dict[str, Callable[[Iterable[bytes]], Got]] = {
    "httpx-sse": with_httpx_sse,
    "sseclient-py": with_sseclient,
    "requests-sse": with_requests_sse,
}
