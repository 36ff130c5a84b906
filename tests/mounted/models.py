"""A model without a model: says every word it was given, and waits for ever at the word `wait`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import RunnableGenerator


async def words(chunks: AsyncIterator[str]) -> AsyncIterator[AIMessageChunk]:
    async for text in chunks:
        for word in text.split():
            if word == "wait":
                await asyncio.Event().wait()
            yield AIMessageChunk(f"{word} ")


parrot = RunnableGenerator(words)
