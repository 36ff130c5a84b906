"""A server whose streams come and go, in a process of its own without a garbage collector.

`python -m tests.delivery.leaving` prints its port. For each line on its input it prints the numbers of subscriptions,
connections and requests that are alive, and the bytes of its memory.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import Counter

import psutil
import uvicorn
import uvloop

from tidings import Hub
from tidings.delivery.subscription import Subscription
from tidings.server import app as wiring
from tidings.server.listening import listen
from tidings.server.protocol import Bounds, protocol
from tidings.server.settings import Settings


async def serve() -> None:
    listening = listen("127.0.0.1", 0)
    hub = Hub("memory:")
    # No assistant: a thread loads one beside the first requests, and takes 28 MB that no stream has left behind.
    wiring.configured = lambda settings, own: {}
    config = uvicorn.Config(
        wiring.create_app(Settings(max_connections=1 << 20), hub),
        http=protocol(hub, Bounds(60, 1 << 20)),
        log_level="warning",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    print(listening.getsockname()[1], flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        counts = Counter(type(thing).__name__ for thing in gc.get_objects())
        memory = psutil.Process().memory_info().rss
        print(counts[Subscription.__name__], counts["Protocol"], counts["RequestResponseCycle"], memory, flush=True)
    server.should_exit = True
    hub.drain()
    await serving


if __name__ == "__main__":
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
