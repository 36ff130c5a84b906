"""The pytest plugin: `event_stream`, `tidings_clock`, `tidings_hub`, `tidings_app`, and events side by side.

Every pytest run of an environment that has Tidings loads this file, so only the fixtures import the kit.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

if TYPE_CHECKING:
    from tidings.api import Hub
    from tidings.log.port import Store

    from .clock import Clock
    from .streams import EventStreams

Made = TypeVar("Made", bound=Callable[..., Any])


def on_the_loop(function: Made) -> Made:
    """Make a fixture that runs on the test's event loop. In its strict mode pytest-asyncio only takes its own kind."""
    make: Any = pytest.fixture
    with suppress(ImportError):
        from pytest_asyncio import fixture as make
    return cast(Made, make(function))


@pytest.fixture
def tidings_clock() -> Iterator[Clock]:
    """The process's clock: `await tidings_clock.advance(seconds)`."""
    from .clock import CLOCK

    yield CLOCK
    CLOCK.reset()


@pytest.fixture
def tidings_store() -> str | Store:
    """The store of `tidings_hub`, or its URL. Override it for another."""
    return "memory:"


@on_the_loop
async def tidings_hub(tidings_store: str | Store, tidings_clock: Clock) -> AsyncIterator[Hub]:
    """An open hub over `tidings_store`. When the test ends, its runs have no grace."""
    from tidings.api import Hub

    async with Hub(tidings_store) as hub:
        hub.runs.grace = 0.0
        yield hub


@on_the_loop
async def event_stream(tidings_clock: Clock) -> AsyncIterator[EventStreams]:
    """Open event streams of any ASGI app: `stream = await event_stream(app, "/events?topic=a")`."""
    from .streams import EventStreams

    streams = EventStreams()
    yield streams
    await streams.close()


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: Any, right: Any) -> list[str] | None:
    """Show two lists of events that should be equal side by side. The right list of the comparison is the expected."""
    if op != "==" or not isinstance(left, list) or not isinstance(right, list):
        return None
    from .expected import is_event, side_by_side

    if not any(map(is_event, [*left, *right])):
        return None
    # pytest shows eight lines unless it is asked for more.
    return side_by_side(right, left, around=None if config.get_verbosity() > 0 else 2)
