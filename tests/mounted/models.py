"""A model without a model: says every word it was given. At the word `wait` it waits for ever, and at `deaf` also
when it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableGenerator


async def words(chunks: AsyncIterator[str]) -> AsyncIterator[AIMessageChunk]:
    async for text in chunks:
        for word in text.split():
            if word == "wait":
                await asyncio.Event().wait()
            while word == "deaf":
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            yield AIMessageChunk(f"{word} ")


parrot = RunnableGenerator(words)
