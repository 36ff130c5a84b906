"""The simplest producer: whatever yields text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from inspect import iscoroutine
from typing import Any

from tidings.errors import InvalidRequest
from tidings.wire.run_events import RunEvent

from .message import Message


class TextSource:
    """The events of one message whose text comes from an async iterator of str, or from a function that makes one.

    An iterator may also yield None where it has no text at the moment. Anything else fails the run with InvalidRequest.
    """

    result: Any = None

    def __init__(self, run: str, producer: Any, input: Any) -> None:
        self.run = run
        self.texts: Any = producer(input) if callable(producer) else producer
        if not hasattr(self.texts, "__aiter__"):
            if iscoroutine(self.texts):
                self.texts.close()  # or Python warns that nobody awaited it
            raise InvalidRequest("A run is made by a LangChain runnable, or by an async generator of text.")

    async def events(self) -> AsyncIterator[RunEvent]:
        message = Message(self.run, "m1")
        yield message.start()
        async for text in self.texts:
            if text is None:
                continue
            if not isinstance(text, str):
                kind = type(text).__name__
                raise InvalidRequest(f"An async generator of a run yields text, and this one yielded {kind}.")
            for event in message.text(text):
                yield event
        for event in message.finish("stop"):
            yield event
