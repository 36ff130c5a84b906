"""Measure the CPU that turns one event of 100 bytes, with an id, into the bytes of a stream: the best of 40, in µs.

sse-starlette and FastAPI encode every event for every subscriber. Tidings encodes all events of a flush or page
together, once for all readers, so it has two figures: for an event alone, and for an event of a page of 100.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Callable

from fastapi.sse import ServerSentEvent as FastApiEvent
from fastapi.sse import format_sse_event
from sse_starlette import ServerSentEvent

from tidings.events import MESSAGE, Event, Offset
from tidings.wire.sse import Format

DATA = '{"t":1000000000000000000,"s":100,"n":1000000000,"p":"' + "0" * 45 + '"}'
ID = "k3Xa-123456"
TIMES = 5_000
PAGE = 100


def _sse_starlette() -> object:
    return ServerSentEvent(DATA, id=ID).encode()


def _fastapi() -> object:
    event = FastApiEvent(raw_data=DATA, id=ID)
    return format_sse_event(
        data_str=event.raw_data, event=event.event, id=event.id, retry=event.retry, comment=event.comment
    )


def _best(subject: Callable[[], object], times: int) -> float:
    return min(timeit.repeat(subject, number=times, repeat=40, timer=time.process_time)) / times * 1e6


def measure() -> dict[str, dict[str, float]]:
    """µs an event, by row (`alone`, `page`) and name of the server."""
    page = [Event("t", Offset("k3Xa", 123_456 + i), MESSAGE, DATA, 0.0) for i in range(PAGE)]
    alone, form = page[:1], Format()
    theirs = {"sse-starlette": _best(_sse_starlette, TIMES), "fastapi": _best(_fastapi, TIMES)}
    ours = _best(lambda: form.encode("hot", page), TIMES // PAGE) / PAGE
    return {
        "alone": {"tidings": _best(lambda: form.encode("hot", alone), TIMES), **theirs},
        "page": {"tidings": ours, **theirs},
    }
