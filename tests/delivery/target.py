"""A server to be checked: the native protocol in a process of its own, its windows and buffers made small.

`python -m tests.delivery.target '{…}'`, the JSON being a Setup's. It prints its port and leaves when its input ends.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from types import ModuleType
from typing import Annotated

import msgspec
import uvicorn
from fastapi import FastAPI, Query, Request, Response
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.types import ASGIApp

from tidings import Hub
from tidings.delivery import flusher, live_topic, page_cache, position, subscription, topics
from tidings.http.response import ServedStreamResponse, Slots
from tidings.server.app import create_app
from tidings.server.protocol import Bounds, protocol
from tidings.server.settings import Settings
from tidings.wire.sse import Format

TCP_NOTSENT_LOWAT = 25


class Setup(msgspec.Struct, frozen=True):
    """A server to check.

    `sink`: `drive` writes from flushes on stock uvicorn, `served` on Tidings' server; `mounted` does so inside another
    app's stack, and `task` has a middleware around it that needs a task. `window`, `page`, `page_bytes` replace the
    constants of `live_topic`; `sndbuf`: bytes of the kernel's send buffer, so that the server notices a reader that
    pauses. Topics take turns after `quantum` readers. `processes` share one store.
    """

    store: str = "memory:"
    loop: str = "uvloop"
    http: str = "httptools"
    sink: str = "drive"
    processes: int = 1
    window: int = 1024
    page: int = 400
    page_bytes: int = 1 << 16
    quantum: int = 32
    sndbuf: int = 0
    keep_alive: float = 15.0


def shrink(setup: Setup) -> None:
    """Replace the constants of delivery wherever they were imported."""
    values = {
        "WINDOW_EVENTS": setup.window,
        "WINDOW_BYTES": setup.window * 256,
        "PAGE": setup.page,
        "PAGE_BYTES": setup.page_bytes,
        "LARGE": setup.page_bytes,
        "QUANTUM": setup.quantum,
        # A turn of the loop for each few readers, or no two topics' flushes would ever be under way at once.
        "SLICE": 0.001 if setup.quantum == 32 else 0.0,
    }
    modules: tuple[ModuleType, ...] = (live_topic, topics, position, page_cache, flusher, subscription)
    for module in modules:
        for name, value in values.items():
            if hasattr(module, name):
                setattr(module, name, value)


async def in_a_task(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


def app(setup: Setup, hub: Hub) -> ASGIApp:
    """Tidings as it is, inside what keeps `send` from being stepped by hand, or inside someone's FastAPI app."""
    settings = Settings(store=setup.store, max_batch=64 << 20)
    made = create_app(settings, hub)
    if setup.sink == "task":
        return BaseHTTPMiddleware(made, dispatch=in_a_task)
    if setup.sink == "mounted":
        foreign = FastAPI(lifespan=hub.lifespan)
        slots = Slots(1 << 30, 1 << 30)

        @foreign.get("/events")
        async def events(
            topic: Annotated[list[str], Query()],
            start: Annotated[str, Query(alias="from")],
            envelope: bool = False,
        ) -> Response:
            form = Format(envelope=envelope)
            return ServedStreamResponse(hub, topic, start, slots=slots, owner="", format=form)

        foreign.mount("/", made)
        return foreign
    return made


async def serve(setup: Setup) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    if setup.sndbuf:
        # Accepted sockets inherit both.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, setup.sndbuf)
        listening.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, setup.sndbuf)
    hub = Hub(setup.store, keep_alive=setup.keep_alive, drain_window=0.0)
    http = protocol(hub, Bounds(3600, 1 << 30)) if setup.sink == "served" else setup.http
    config = uvicorn.Config(
        app(setup, hub), http=http, log_level="warning", access_log=False, ws="none", timeout_keep_alive=3600
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    print(listening.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    hub.drain()
    await serving


def main() -> None:
    setup = msgspec.json.decode(sys.argv[1], type=Setup)
    shrink(setup)
    factory = None
    if setup.loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(setup))


if __name__ == "__main__":
    main()
