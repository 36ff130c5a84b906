"""What it costs to turn one event of 100 bytes, with an id, into the bytes of an event stream. Best of seven, in µs.

sse-starlette and FastAPI do this once for every subscriber, Tidings once for all of them.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

from fastapi.sse import ServerSentEvent as FastApiEvent
from fastapi.sse import format_sse_event
from sse_starlette import ServerSentEvent

DATA = '{"t":1000000000000000000,"s":100,"n":1000000000,"p":"' + "0" * 45 + '"}'
ID = "k3Xa-123456"
TIMES = 20_000


def _tidings() -> Callable[[], object]:
    from tidings.wire import sse

    return lambda: sse.encode("message", DATA, ID)


def _sse_starlette() -> object:
    return ServerSentEvent(DATA, id=ID).encode()


def _fastapi() -> object:
    event = FastApiEvent(raw_data=DATA, id=ID)
    return format_sse_event(data_str=event.raw_data, event=event.event, id=event.id, retry=event.retry, comment=event.comment)


def measure() -> dict[str, float]:
    """µs for one event, by the name of the server."""
    subjects = {"tidings": _tidings(), "sse-starlette": _sse_starlette, "fastapi": _fastapi}
    return {name: min(timeit.repeat(subject, number=TIMES, repeat=7)) / TIMES * 1e6 for name, subject in subjects.items()}
