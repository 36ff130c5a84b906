"""A client for Tidings servers that never loses its place: `Client`, and `AsyncClient` with the same names.

`decode` and `adecode` read any event stream.
"""

from __future__ import annotations

from tidings.events import Event
from tidings.wire.sse import ServerSentEvent, decode

from .aio import AsyncClient, AsyncRuns, AsyncSubscription, adecode
from .sync import Client, Runs, Subscription
from .values import Reset, RunState, Unexpected

__all__ = [
    "AsyncClient",
    "AsyncRuns",
    "AsyncSubscription",
    "Client",
    "Event",
    "Reset",
    "RunState",
    "Runs",
    "ServerSentEvent",
    "Subscription",
    "Unexpected",
    "adecode",
    "decode",
]
