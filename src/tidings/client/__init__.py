"""The Python clients: `Client` follows a Tidings server, and `EventSource` any event stream.

`AsyncClient` and `AsyncEventSource` have the same names. `decode` and `adecode` read the bytes of any event stream.
"""

from __future__ import annotations

from tidings.wire.sse import ServerSentEvent, decode

from .aio.client import AsyncClient, AsyncRun, AsyncRuns, AsyncSubscription
from .aio.event_source import AsyncEventSource, adecode
from .sync.client import Client, Run, Runs, Subscription
from .sync.event_source import EventSource
from .values import Unexpected

__all__ = [
    "AsyncClient",
    "AsyncEventSource",
    "AsyncRun",
    "AsyncRuns",
    "AsyncSubscription",
    "Client",
    "EventSource",
    "Run",
    "Runs",
    "ServerSentEvent",
    "Subscription",
    "Unexpected",
    "adecode",
    "decode",
]
