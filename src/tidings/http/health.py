"""Health and metrics: for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
from typing import Literal

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from tidings.delivery.hub import Hub
from tidings.errors import TidingsError

from .metrics import Metrics, Siblings
from .openapi import shape
from .response import json_response

PATIENCE = 0.9
"""Seconds after which a store that does not answer counts as unavailable."""


class Health(msgspec.Struct, omit_defaults=True):
    """The health of this process.

    `draining`: streams are let go, and another process takes requests. `unavailable`: the store cannot be written, and
    `detail` says why. `last_commit`: seconds since the last change of a log that this process made or heard of.
    `worker`: the number of this process among the workers of a server.
    """

    status: Literal["ok", "draining", "unavailable"]
    detail: str | None = None
    last_commit: float | None = None
    worker: int | None = None


async def readiness(hub: Hub) -> Health:
    """Prove that this process can take requests, by a write to the store. Never takes longer than a second."""
    if hub.state != "open":
        return Health("draining")
    try:
        age = await asyncio.wait_for(hub.delivery.probe(), PATIENCE)
    except TimeoutError:
        return Health("unavailable", "The store does not answer.")
    except TidingsError as error:
        return Health("unavailable", str(error))
    return Health("ok", last_commit=None if age is None else round(age, 3))


def routes(hub: Hub, siblings: Siblings, metrics: Metrics) -> APIRouter:
    """Return the router of health and metrics. Neither names a topic or a person, so neither needs a token."""
    router = APIRouter(tags=["operations"])
    worker = siblings.number or None

    @router.get(
        "/health/live", summary="Ask whether this process runs", responses={200: shape(Health, "The process runs.")}
    )
    async def live() -> Response:
        return json_response(Health("ok", worker=worker), 200)

    async def ready() -> Response:
        health = msgspec.structs.replace(await readiness(hub), worker=worker)
        return json_response(health, 200 if health.status == "ok" else 503)

    for path, summary in (
        ("/health/ready", "Ask whether this process takes requests"),
        ("/health", "Ask whether this process takes requests, as /health/ready"),
    ):
        router.add_api_route(
            path,
            ready,
            summary=summary,
            responses={
                200: shape(Health, "The process takes requests, and its store can be written."),
                503: shape(Health, "The process is going away, or its store cannot be written."),
            },
        )

    @router.get(
        "/metrics",
        summary="Prometheus metrics",
        response_class=Response,
        responses={200: {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def scrape() -> Response:
        text = generate_latest(metrics.counted) + await asyncio.to_thread(generate_latest, metrics.process)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    # Monitors ask with HEAD.
    router.add_api_route("/health", ready, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/health/ready", ready, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/health/live", live, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/metrics", scrape, methods=["HEAD"], include_in_schema=False)
    return router
