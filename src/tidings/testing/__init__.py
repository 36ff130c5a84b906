"""A test kit for streaming code, and a pytest plugin: docs/testing.md.

The fixtures are `event_stream`, `tidings_clock`, `tidings_hub` and `tidings_app`; `event` describes expected events.
Names are imported when they are first used, since every pytest run of an environment with Tidings loads the plugin.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock
    from .expected import event
    from .producer import ProducerKilled
    from .stream import EventStream
    from .streams import EventStreams

__all__ = ["Clock", "EventStream", "EventStreams", "ProducerKilled", "event"]

_HOMES = {
    "Clock": "clock",
    "EventStream": "stream",
    "EventStreams": "streams",
    "ProducerKilled": "producer",
    "event": "expected",
}
"""The module of each public name."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
