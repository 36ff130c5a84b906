"""Durable Server-Sent Events: publish to a topic, follow it from any offset, lose nothing. Begin with `Hub`."""

from __future__ import annotations

from .errors import (
    Closed,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TidingsError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Uncertain,
)
from .events import Event, Offset, Page, Retention
from .hub import Hub
from .protocols.response import EventStreamResponse
from .wire.sse import Format

__all__ = [
    "Closed",
    "Conflict",
    "Event",
    "EventStreamResponse",
    "Forbidden",
    "Format",
    "Gone",
    "Hub",
    "Invalid",
    "NotFound",
    "Offset",
    "Page",
    "Retention",
    "TidingsError",
    "TooLarge",
    "TooMany",
    "Unauthenticated",
    "Unavailable",
    "Uncertain",
]
