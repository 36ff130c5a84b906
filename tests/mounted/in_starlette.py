"""Tidings inside a Starlette app, under the middleware that MIDDLEWARE names."""

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tidings import EventStreamResponse, Hub

hub = Hub(os.environ["STORE"])


async def follow(request: Request) -> EventStreamResponse:
    return EventStreamResponse(hub, request.query_params["topic"])


async def publish(request: Request) -> JSONResponse:
    return JSONResponse(str(await hub.publish(request.path_params["topic"], (await request.body()).decode())))


async def close(request: Request) -> JSONResponse:
    await hub.close_topic(request.path_params["topic"])
    return JSONResponse(None)


async def count(request: Request) -> JSONResponse:
    return JSONResponse(len(hub.delivery.streams))


async def pass_on(request, call_next):
    return await call_next(request)


MIDDLEWARE = {
    "none": [],
    "base": [Middleware(BaseHTTPMiddleware, dispatch=pass_on)] * 2,
    "gzip": [Middleware(GZipMiddleware, minimum_size=1)],
}

app = Starlette(
    routes=[
        Route("/events", follow),
        Route("/topics/{topic}/events", publish, methods=["POST"]),
        Route("/topics/{topic}/close", close, methods=["POST"]),
        Route("/open", count),
    ],
    middleware=MIDDLEWARE[os.environ.get("MIDDLEWARE", "none")],
    lifespan=hub.lifespan,
)
