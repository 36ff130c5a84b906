"""A process that makes one run and says what becomes of it. Arguments: the store's URL, the seconds between beats."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from tidings import Hub
from tidings.runs import runs


def say(word: str) -> None:
    print(word, flush=True)


async def answer(_: str) -> AsyncIterator[str]:
    yield "So far"
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("cancelled")
        raise


async def main(url: str, beat: str) -> None:
    runs.BEAT = float(beat)
    async with Hub(url) as hub:
        run = await hub.runs.start(answer, "?")
        say(run.id)
        async for event in run.events():
            say(event.type)
        say("ended")


asyncio.run(main(*sys.argv[1:]))
