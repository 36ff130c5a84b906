"""Durable Server-Sent Events: publish to a topic, follow it from any offset, lose nothing. Begin with `Hub`.

Every public name is here; docs/reference/python.md describes them. Each is imported when it is first used, so that
`import tidings` takes a few milliseconds and loads no framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import Hub
    from .client import AsyncClient, AsyncEventSource, Client, EventSource, Unexpected, adecode, decode
    from .delivery.response import EventStreamResponse
    from .errors import (
        Closed,
        Conflict,
        Forbidden,
        Gone,
        InvalidRequest,
        NotFound,
        OutcomeUnknown,
        TidingsError,
        TooLarge,
        TooManyRequests,
        Unauthenticated,
        Unavailable,
    )
    from .events import Event, Offset, Page, Retention, Topic
    from .log.rules import NEW, Appended
    from .runs.assistant import Assistant
    from .runs.run import Run
    from .server import create_app, process_map_tool
    from .wire.run_events import RunState
    from .wire.sse import Format, ServerSentEvent

    __version__: str

_HOMES = {
    "api": ["Hub"],
    "client": ["AsyncClient", "AsyncEventSource", "Client", "EventSource", "Unexpected", "adecode", "decode"],
    "delivery.response": ["EventStreamResponse"],
    "errors": [
        "Closed",
        "Conflict",
        "Forbidden",
        "Gone",
        "InvalidRequest",
        "NotFound",
        "OutcomeUnknown",
        "TidingsError",
        "TooLarge",
        "TooManyRequests",
        "Unauthenticated",
        "Unavailable",
    ],
    "events": ["Event", "Offset", "Page", "Retention", "Topic"],
    "log.rules": ["NEW", "Appended"],
    "runs.assistant": ["Assistant"],
    "runs.run": ["Run"],
    "server": ["create_app", "process_map_tool"],
    "wire.run_events": ["RunState"],
    "wire.sse": ["Format", "ServerSentEvent"],
}
"""The module of each public name."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "NEW",
    "Appended",
    "Assistant",
    "AsyncClient",
    "AsyncEventSource",
    "Client",
    "Closed",
    "Conflict",
    "Event",
    "EventSource",
    "EventStreamResponse",
    "Forbidden",
    "Format",
    "Gone",
    "Hub",
    "InvalidRequest",
    "NotFound",
    "Offset",
    "OutcomeUnknown",
    "Page",
    "Retention",
    "Run",
    "RunState",
    "ServerSentEvent",
    "TidingsError",
    "TooLarge",
    "TooManyRequests",
    "Topic",
    "Unauthenticated",
    "Unavailable",
    "Unexpected",
    "__version__",
    "adecode",
    "create_app",
    "decode",
    "process_map_tool",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = import_module("importlib.metadata").version("tidings")
    elif name in _MODULES:
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
