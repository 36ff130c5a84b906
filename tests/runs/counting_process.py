"""A process whose model counts until a line comes in, and that says how far it came. Argument: the store's URL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from itertools import count

from tidings import Hub


async def main(url: str) -> None:
    asked = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))

    async def numbers(_: str) -> AsyncIterator[str]:
        for n in count():
            yield f"{n} "
            if asked.done():
                print(n, flush=True)
                return
            await asyncio.wait({asked}, timeout=0.02)

    async with Hub(url) as hub:
        run = await hub.runs.start(numbers, "?")
        print(run.id, flush=True)
        async for _ in run.events():
            pass
        print("ended", flush=True)


asyncio.run(main(sys.argv[1]))
