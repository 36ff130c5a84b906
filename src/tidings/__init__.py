"""Durable Server-Sent Events: publish to a topic, follow it from any offset, lose nothing. Begin with `Hub`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Hub
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
    from .events import Event, Offset, Page, Retention
    from .http.response import EventStreamResponse
    from .wire.sse import Format

_HOMES = {
    "api": ["Hub"],
    "errors": [
        "Closed",
        "Conflict",
        "Forbidden",
        "Gone",
        "InvalidRequest",
        "NotFound",
        "TidingsError",
        "TooLarge",
        "TooManyRequests",
        "Unauthenticated",
        "Unavailable",
        "OutcomeUnknown",
    ],
    "events": ["Event", "Offset", "Page", "Retention"],
    "http.response": ["EventStreamResponse"],
    "wire.sse": ["Format"],
}
"""The module of each public name. A name is imported when it is first used: `import tidings` takes a millisecond."""

_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Closed",
    "Conflict",
    "Event",
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
    "TidingsError",
    "TooLarge",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
]


def __getattr__(name: str) -> Any:
    try:
        module = _MODULES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
