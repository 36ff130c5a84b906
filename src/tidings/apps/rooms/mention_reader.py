"""Reading mentions beside the event loop, so that the messages of one person delay nobody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from weakref import WeakValueDictionary

from .mentions import Mentions, mentions

PART = 16_000
"""Characters of texts that are read at once, which takes up to 75 ms. Other people's texts are read in between."""


class MentionReader:
    """Reads the mentions of messages in a thread of its own, a part at a time.

    The parts of one person wait for one another: a person's second request for the first. So a text waits for one part
    of each other person at most, whatever they have sent. One thread is enough: more of them would compute no faster
    under the interpreter's lock, and leave less of it to the event loop.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "mentions")
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def read(
        self, by: str, texts: Sequence[str], members: Sequence[str], assistants: Sequence[str]
    ) -> dict[str, Mentions]:
        """Return the mentions of each text of a person."""
        if not texts:
            return {}
        loop, found = asyncio.get_running_loop(), dict[str, Mentions]()
        turn = self._turns.setdefault(by, asyncio.Lock())
        async with turn:
            for part in _parts(texts):
                found |= await loop.run_in_executor(self._thread, mentions, part, members, assistants)
        return found


def _parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the texts in parts of at most PART characters, or of a single text."""
    start = size = 0
    for index, text in enumerate(texts):
        if index > start and size + len(text) > PART:
            yield texts[start:index]
            start, size = index, 0
        size += len(text)
    yield texts[start:]
