"""Health and metrics: for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from tidings.delivery.hub import Hub

from .metrics import registries
from .openapi import shape
from .response import json_response


class Health(msgspec.Struct):
    """The health of a process. `draining`: it ends its streams, and another process takes requests."""

    status: Literal["ok", "draining"]


def routes(hub: Hub) -> APIRouter:
    """Return the router of health and metrics. Neither names a topic or a person, so neither needs a token."""
    router = APIRouter(tags=["operations"])
    counted, process = registries(hub)

    @router.get(
        "/health",
        summary="Get the health of this process",
        responses={200: shape(Health, "The process takes requests."), 503: shape(Health, "The process is going away.")},
    )
    async def health() -> Response:
        ready = hub.opened and not hub.draining
        return json_response(Health("ok" if ready else "draining"), 200 if ready else 503)

    @router.get(
        "/metrics",
        summary="Prometheus metrics",
        response_class=Response,
        responses={200: {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def scrape() -> Response:
        text = generate_latest(counted) + await asyncio.to_thread(generate_latest, process)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    # Monitors ask with HEAD.
    router.add_api_route("/health", health, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/metrics", scrape, methods=["HEAD"], include_in_schema=False)
    return router
