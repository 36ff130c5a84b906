"""The Python client of a Tidings server: `Client`, and `AsyncClient` with the same names.

`decode` and `adecode` read any event stream.
"""

from __future__ import annotations

from tidings.wire.sse import ServerSentEvent, decode

from .aio import AsyncClient, AsyncRun, AsyncRuns, AsyncSubscription, adecode
from .sync import Client, Run, Runs, Subscription
from .values import Unexpected

__all__ = [
    "AsyncClient",
    "AsyncRun",
    "AsyncRuns",
    "AsyncSubscription",
    "Client",
    "Run",
    "Runs",
    "ServerSentEvent",
    "Subscription",
    "Unexpected",
    "adecode",
    "decode",
]
