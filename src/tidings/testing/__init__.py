"""A test kit for streaming code, and a pytest plugin: docs/testing.md.

The fixtures are `event_stream`, `tidings_clock`, `tidings_hub` and `tidings_app`; `event` is for what a test expects.
"""

from .clock import Clock
from .expected import event
from .producer import ProducerKilled
from .stream import EventStream
from .streams import EventStreams

__all__ = ["Clock", "EventStream", "EventStreams", "ProducerKilled", "event"]
