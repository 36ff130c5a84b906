"""Health and metrics: for load balancers and Prometheus."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from ..hub import Hub
from ..metrics import registry
from .request import problems
from .response import json_response


def routes(hub: Hub) -> APIRouter:
    """The router of health and metrics. Neither names a topic or a person, so neither asks for a token."""
    router = APIRouter(tags=["operations"])
    metrics = registry(hub)

    @router.get("/health", summary="Whether this process takes requests", responses={503: problems()[503]})
    async def health() -> Response:
        ready = hub.opened and not hub.draining
        return json_response({"status": "ok" if ready else "draining"}, 200 if ready else 503)

    @router.get(
        "/metrics",
        summary="Prometheus metrics",
        responses={200: {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def scrape() -> Response:
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return router
