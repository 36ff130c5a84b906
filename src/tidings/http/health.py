"""Health and metrics: for load balancers and Prometheus."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Literal

import msgspec
from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from tidings.clock import unix_time
from tidings.delivery.hub import Hub
from tidings.errors import TidingsError

from .metrics import registries
from .openapi import shape
from .response import json_response

PATIENCE = 0.9
"""Seconds after which a store that does not answer counts as unavailable."""

FRESH = 0.5
"""Seconds for which a proof that the store can be written is good, so that nobody makes the disk busy by asking."""


class Health(msgspec.Struct, omit_defaults=True):
    """The health of this process.

    `draining`: streams are let go, and another process takes requests. `unavailable`: the store cannot be written, and
    `detail` says why. `last_commit`: seconds since the last change of a log that this process made or heard of.
    """

    status: Literal["ok", "draining", "unavailable"]
    detail: str | None = None
    last_commit: float | None = None


class Readiness:
    """Proves that this process can take requests, by a write to the store, at most twice a second."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._proof: asyncio.Future[float | None] | None = None
        self._proven = -FRESH

    async def health(self) -> Health:
        """Return the health at this moment. Never takes longer than a second."""
        if not self._hub.opened or self._hub.draining:
            return Health("draining")
        try:
            committed = await asyncio.wait_for(self._prove(), PATIENCE)
        except TimeoutError:
            return Health("unavailable", "The store does not answer.")
        except TidingsError as error:
            return Health("unavailable", str(error))
        return Health("ok", last_commit=None if committed is None else max(round(unix_time() - committed, 3), 0.0))

    async def _prove(self) -> float | None:
        proof = self._proof
        if proof is None or (proof.done() and (proof.exception() or monotonic() > self._proven + FRESH)):
            proof = self._proof = asyncio.ensure_future(self._hub.log.store.probe())
            self._proven = monotonic()
        return await asyncio.shield(proof)


def routes(hub: Hub) -> APIRouter:
    """Return the router of health and metrics. Neither names a topic or a person, so neither needs a token."""
    router = APIRouter(tags=["operations"])
    counted, process = registries(hub)
    readiness = Readiness(hub)

    @router.get(
        "/health/live", summary="Ask whether this process runs", responses={200: shape(Health, "The process runs.")}
    )
    async def live() -> Response:
        return json_response(Health("ok"), 200)

    async def ready() -> Response:
        health = await readiness.health()
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
        text = generate_latest(counted) + await asyncio.to_thread(generate_latest, process)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    # Monitors ask with HEAD.
    router.add_api_route("/health", ready, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/health/ready", ready, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/health/live", live, methods=["HEAD"], include_in_schema=False)
    router.add_api_route("/metrics", scrape, methods=["HEAD"], include_in_schema=False)
    return router
