"""A run's events from an iterator of text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tidings.errors import InvalidRequest
from tidings.runs.sources.text import TextSource
from tidings.wire.run_events import BlockDelta, MessageFinished, MessageStarted


async def two_words(input: Any) -> AsyncIterator[str]:
    yield f"{input}, "
    yield "world"


async def events(producer: Any, input: Any = "Hello") -> list[Any]:
    return [event async for event in TextSource("R", producer, input).events()]


@pytest.mark.parametrize("producer", [two_words, two_words("Hello")], ids=["function", "iterator"])
async def test_the_text_becomes_one_message_of_one_block(producer: Any) -> None:
    made = await events(producer)
    assert isinstance(made[0], MessageStarted)
    assert isinstance(made[-1], MessageFinished)
    assert [event.delta for event in made if isinstance(event, BlockDelta)] == ["Hello, ", "world"]
    assert {event.run for event in made} == {"R"}
    assert {event.message for event in made} == {"m1"}


async def test_a_producer_without_text_makes_an_empty_message() -> None:
    async def silent(input: Any) -> AsyncIterator[str]:
        return
        yield ""

    made = await events(silent)
    assert [type(event) for event in made] == [MessageStarted, MessageFinished]


async def test_a_failure_of_the_producer_comes_after_what_it_has_said() -> None:
    async def breaks(input: Any) -> AsyncIterator[str]:
        yield "So far"
        raise ValueError("broken")

    made = TextSource("R", breaks, "?").events()
    assert isinstance(await anext(made), MessageStarted)
    while not isinstance(event := await anext(made), BlockDelta):
        pass
    assert event.delta == "So far"
    with pytest.raises(ValueError, match="broken"):
        await anext(made)


async def test_an_empty_yield_is_no_text_and_no_failure() -> None:
    async def pausing(input: Any) -> AsyncIterator[Any]:
        for text in (None, "a", None, "b"):
            yield text

    made = await events(pausing)
    assert [event.delta for event in made if isinstance(event, BlockDelta)] == ["a", "b"]


@pytest.mark.parametrize("wrong", [b"bytes", 1, ["a"]])
async def test_a_yield_that_is_no_text_is_refused_at_once(wrong: Any) -> None:
    async def confused(input: Any) -> AsyncIterator[Any]:
        yield "So far"
        yield wrong

    with pytest.raises(InvalidRequest, match=f"yields text, and this one yielded {type(wrong).__name__}"):
        await events(confused)


@pytest.mark.parametrize(
    "producer", ["text", ["text"], lambda input: "text", None], ids=["str", "list", "function", "none"]
)
def test_a_producer_of_another_kind_is_rejected(producer: Any) -> None:
    with pytest.raises(InvalidRequest, match="async generator of text"):
        TextSource("R", producer, "?")
