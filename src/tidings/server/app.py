"""The application, which wires every part together. `create_app()` returns Tidings as an ASGI app."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from tidings import web
from tidings.access.access import Access
from tidings.access.limits import KINDS, Limits
from tidings.access.names import topics_of
from tidings.access.subject import PERSON
from tidings.access.tokens import Authenticator, sign
from tidings.api import Hub
from tidings.apps.derivations import Derivations
from tidings.apps.figures.routes import Intake
from tidings.apps.files.attachments import Attachments
from tidings.apps.files.files import Files
from tidings.apps.metrics import service as own_metrics
from tidings.apps.metrics.guard import MetricsGuard
from tidings.apps.people.presence import Presence
from tidings.apps.search.index import Search
from tidings.apps.series import routes as series_routes
from tidings.apps.series.service import SeriesService
from tidings.assistants import configured
from tidings.assistants.corpus import docs_folder
from tidings.delivery.delivery import Delivery
from tidings.delivery.response import Stream, problem_response
from tidings.errors import InvalidRequest, TidingsError
from tidings.events import Retention
from tidings.http import health, problems, runs, session, topics
from tidings.http.ask import asking
from tidings.http.follow import Following
from tidings.http.metrics import Metrics, Siblings
from tidings.http.openapi import REF, SHAPES, DirectRoute
from tidings.http.publish import Publishing, Sizes
from tidings.http.response import OUTSIDE, Slots
from tidings.http.signed_out import SignedOut
from tidings.runs.assistant import NamedAssistant

from .apps import apps
from .settings import Settings
from .shared_limits import SharedLimits

log: logging.Logger = logging.getLogger("tidings.app")

DESCRIPTION = "Durable Server-Sent Events: topics, their events, and runs, which are topics that end."


class App(FastAPI):
    """FastAPI with direct routes, which are answered before its stack, and a document that shows both kinds.

    An open stream goes on outside of the stack, too, once its response has begun: see OUTSIDE.
    """

    direct: Sequence[DirectRoute] = ()
    access: Access
    metrics: Metrics
    hub: Hub
    work: Callable[[], Awaitable[None]]
    """Begins what goes on beside requests: the list of ended sessions, presence, erasing, loading the assistants."""
    _life: Delivery | None = None
    """The opening of the hub in which that has begun."""

    async def begin(self) -> None:
        """Begin the work once each time that the hub is open: at the first request of an app that is mounted in
        another, which runs no lifespan of its own. Raises Unavailable."""
        async with self._beginning:
            if self._life is not self.hub.delivery:
                await self.work()
                self._life = self.hub.delivery

    def open_to(self, origins: Sequence[str]) -> None:
        """Let the pages of these origins use the app: direct routes and FastAPI's alike."""
        self._beginning = asyncio.Lock()
        # Plain ASGI only: middleware that wraps `send` in tasks or buffers would cost every stream a task.
        self.entrance: ASGIApp = self.route
        if origins:
            self.entrance = CORSMiddleware(
                self.route,
                allow_origins=list(origins),
                allow_methods=["GET", "POST", "PUT", "DELETE"],
                allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Cache-Control"],
                expose_headers=["Location", "Retry-After"],
                allow_credentials=True,
                max_age=7200,
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        # The life that has begun lasts until its topics are closed: no request in between asks the hub.
        if (self._life is None or self._life.topics.closed) and self.hub.state == "open":
            try:
                await self.begin()
            except TidingsError as error:
                await problem_response(None, error)(scope, receive, send)
                return
        begun: list[Stream] = []
        # No name holds the inner scope: it would stay as long as the stream, 0.6 KB each.
        await self.entrance({**scope, OUTSIDE: begun}, receive, send)
        if begun:
            await begun.pop()(scope, receive, send)

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by a direct route that matches, else by FastAPI's routes."""
        for route in self.direct:
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                await route.app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            for route in self.direct:
                route.describe(document["paths"])
            schemas: dict[str, Any] = document["components"]["schemas"]
            shapes = sorted(SHAPES, key=lambda shape: shape.__name__)
            schemas.update(msgspec.json.schema_components(shapes, ref_template=REF)[1])
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(
    settings: Settings | None = None,
    hub: Hub | None = None,
    siblings: Siblings | None = None,
    assistants: Mapping[str, Any] | None = None,
) -> App:
    """Return Tidings as an app. `app.state.hub` is its hub, which the app's lifespan opens and closes.

    `siblings`: the workers of a server, if the process is one of several. `assistants`: those of the application, by
    name, before those of the settings.
    """
    settings = settings or Settings.load()
    siblings = siblings or Siblings()
    if hub is None:
        retention = Retention(settings.retention_max_age, settings.retention_max_events, settings.retention_max_bytes)
        hub = Hub(
            settings.store,
            keep_alive=settings.keep_alive,
            drain_window=settings.drain_window,
            stream_life=settings.stream_life or None,
            window_bytes=int(settings.window_memory),
            write_bytes=int(settings.write_memory),
            retention=retention if retention != Retention() else None,
        )
    access = Access(authenticator(settings), limits=limits(settings))
    offered = configured(settings, assistants)
    slots = Slots(settings.max_connections, settings.max_connections_per_subject if not settings.open else 1 << 30)
    sizes = Sizes(settings.max_body, settings.max_batch, settings.max_batch_events)
    slots.elsewhere = siblings.streams
    presence, search = Presence(hub, slots), Search(hub)
    shared = SharedLimits(hub, access.limits)
    signed_out = SignedOut(hub, access.authenticator)
    routers, eraser, judging, deviations = apps(hub, access, presence, search, offered, settings)
    metrics = Metrics(hub, siblings)
    own = own_metrics.OwnMetrics(hub, metrics.read_from, siblings.number)
    access.guards[own_metrics.TOPIC] = MetricsGuard(own)
    series, derivations = SeriesService(hub), Derivations(hub)

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncGenerator[None, None]:
        try:
            await hub.open()
        except TidingsError as error:
            app.state.failure = error
            raise
        try:
            await app.begin()
            yield
        finally:
            await judging.close()
            await deviations.close()
            await presence.close()
            await search.close()
            await hub.close()

    async def work() -> None:
        hub.runs.grace = settings.grace
        await signed_out.open()
        presence.open()
        shared.open()
        eraser.open()
        metrics.read_from.open()
        series.open()
        derivations.open()
        if settings.metrics:
            own.open()
        judging.open()
        deviations.open()
        for assistant in offered.values():
            hub.delivery.background(load(assistant))

    app = App(
        title="Tidings",
        version=version("tidings"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.hub = app.hub = hub
    app.state.judging = judging
    app.access = access
    app.metrics = metrics
    app.work = work
    app.open_to(settings.cors_origins)
    problems.install(app)
    publishing = Publishing(hub, access, sizes)
    app.direct = (
        publishing.route(),
        Following(hub, access, slots).route(),
        runs.following(hub, access, slots),
        asking(hub, access, slots, offered),
        Intake(hub, access).route(),
    )
    for router in (
        topics.routes(hub, access),
        runs.routes(hub, access, offered, sizes, Attachments(Files(hub))),
        *sign_in(settings, hub, access, signed_out),
        health.routes(hub, siblings, metrics),
        series_routes.routes(access, series),
        *routers,
    ):
        app.include_router(router)
    web.mount(app, docs_folder)
    return app


async def load(assistant: NamedAssistant) -> None:
    """Load an assistant, so that its first answer is not late. Its runs fail if it cannot be loaded."""
    try:
        await assistant.load()
    except InvalidRequest as error:
        log.error("The assistant %s cannot be used. %s", assistant.name, error)
    except Exception:
        log.exception("The assistant %s cannot be loaded.", assistant.name)


def sign_in(settings: Settings, hub: Hub, access: Access, signed_out: SignedOut) -> list[APIRouter]:
    """Return the routers of the session. Raises InvalidRequest for a provider that cannot be used."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.secret is None:
        return [session.routes(access, signed_out)]
    # Imported where it is used: it brings 0.2 s of libraries that a server without a provider does not need.
    from tidings.access.oidc import Provider
    from tidings.apps.people import sign_in as signin

    secret = settings.secret.get_secret_value()
    client_secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    provider = Provider(settings.oidc_issuer, settings.oidc_client_id, client_secret, settings.oidc_title)

    def token(name: str) -> str:
        topics = topics_of(name)
        about = {"audience": settings.audience, "issuer": settings.issuer}
        return sign(secret, name, publish=topics, subscribe=topics, seconds=signin.SESSION, limits=PERSON, **about)

    return [session.routes(access, signed_out, provider.title), signin.routes(hub, provider, secret, token)]


def limits(settings: Settings) -> Limits:
    """Return the limits for people."""
    return Limits({kind: getattr(settings, f"limit_{kind}") for kind in KINDS})


def authenticator(settings: Settings) -> Authenticator:
    """Return what verifies tokens. Raises InvalidRequest for keys and algorithms that do not agree."""
    return Authenticator(
        secret=settings.secret.get_secret_value() if settings.secret else None,
        public_key=settings.public_key,
        jwks_url=settings.jwks_url,
        algorithms=settings.algorithms,
        audience=settings.audience,
        issuer=settings.issuer,
        hosts=settings.hosts,
        origins=settings.cors_origins,
        admins=settings.admins,
    )
