"""A broadcast for sse-starlette and FastAPI, which leave it to the application: the usual queue for each subscriber.

No event is stored: a subscriber that is away when an event comes has lost it, and a restart loses all. The queues
are unbounded, as in most such applications, so a slow reader costs memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import uvicorn


class Broadcast:
    """Topics, each a set of queues. `make` turns an event's number and data into whatever the library wants yielded."""

    def __init__(self, make: Callable[[int, str], Any]) -> None:
        self._make = make
        self._queues: defaultdict[str, set[asyncio.Queue[Any]]] = defaultdict(set)
        self._count = 0

    def join(self, topic: str) -> asyncio.Queue[Any]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._queues[topic].add(queue)
        return queue

    def leave(self, topic: str, queue: asyncio.Queue[Any]) -> None:
        self._queues[topic].discard(queue)

    def publish(self, topic: str, body: bytes, content_type: str) -> int:
        """Tell a topic's subscribers of one event, or of one per line of ndjson; the number of the last.

        Made once and shared by all queues, which flatters the libraries a little.
        """
        if content_type == "application/x-ndjson":
            texts = [json.dumps(json.loads(line)["data"], separators=(",", ":")) for line in body.splitlines()]
        else:
            texts = [body.decode()]
        for text in texts:
            self._count += 1
            item = self._make(self._count, text)
            for queue in self._queues[topic]:
                queue.put_nowait(item)
        return self._count


def serve(app: Any) -> None:
    """Run `app` as the others are run: one process, uvloop, httptools, no access log."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)
