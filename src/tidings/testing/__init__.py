"""A test kit for streaming code, and a pytest plugin: docs/testing.md.

The fixtures are `event_stream`, `tidings_clock`, `tidings_hub` and `tidings_app`; `event` is for what a test expects.
"""

from tidings.testing.clock import Clock
from tidings.testing.expected import event
from tidings.testing.producer import ProducerKilled
from tidings.testing.stream import EventStream
from tidings.testing.streams import EventStreams

__all__ = ["Clock", "EventStream", "EventStreams", "ProducerKilled", "event"]
