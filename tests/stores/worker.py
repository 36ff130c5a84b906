"""A process of its own on the store that a URL names, to be killed.

`python -m tests.stores.worker append|echo|hold|reap URL NAME`
"""

from __future__ import annotations

import asyncio
import sys
import time

from tidings.log.journal import Journal
from tidings.stores import open_store
from tidings.stores.sqlite import store as sqlite


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def append(log: Journal, name: str) -> None:
    """Four tasks that append as fast as they can, and say what was acknowledged."""

    async def write(task: int) -> None:
        n = 0
        while True:
            data = [f"{name}.{task}.{n + m}" for m in range(1 + n % 3)]
            answer = await log.append("topic", [("message", each) for each in data])
            for m, each in enumerate(data):
                say("ack", answer.first.n + m, each)
            n += len(data)

    await asyncio.gather(*(write(task) for task in range(4)))


async def echo(log: Journal, name: str) -> None:
    """Answers each event of the topic `ping` with one in `pong`, and each cast with a cast."""
    sqlite.POLL = 3600.0  # only a datagram can tell
    answered = 0
    async for news in log.store.changes():
        if news is None:
            say("ready")
        elif isinstance(news, sqlite.Cast):
            await log.store.cast("echo", news.payload)
        elif tail := news.get("ping"):
            while answered < tail.n:
                answered += 1
                await log.append("pong", [("message", str(answered))])


async def hold(log: Journal, name: str) -> None:
    """Hold the lease of `name` with a renewal every half second, and tell of the loss of it."""
    assert await log.store.lease(name, 6, renew=False)
    say("held")
    while await log.store.lease(name, 6, renew=True):  # noqa: ASYNC110
        await asyncio.sleep(0.5)
    say("lost")


async def reap(log: Journal, name: str) -> None:
    """Write the topics whose lease has lapsed, five times a second, and the time of day beside them."""
    while True:
        say(int(time.time()), *await log.store.lapsed())
        await asyncio.sleep(0.2)


async def main(what: str, url: str, name: str) -> None:
    log = Journal(open_store(url))
    await log.open()
    try:
        await {"append": append, "echo": echo, "hold": hold, "reap": reap}[what](log, name)
    finally:
        await log.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
