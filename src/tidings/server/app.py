"""The application: the only wiring. `create_app()` is Tidings as an ASGI app."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import Message, Receive, Scope, Send

from tidings import web
from tidings.access.guards import Sealed
from tidings.access.names import topics_of
from tidings.access.tokens import Authenticator, sign
from tidings.api import Hub
from tidings.apps.conversations.guard import ConversationsGuard
from tidings.apps.notifications import routes as notifications
from tidings.apps.notifications.guard import PeopleGuard
from tidings.apps.notifications.service import Notifications
from tidings.apps.people import routes as people
from tidings.apps.people.presence import Presence, PresenceGuard
from tidings.apps.projection import SNAPSHOTS
from tidings.apps.rooms import file_routes as transfers
from tidings.apps.rooms import routes as rooms
from tidings.apps.rooms.answers import Answers
from tidings.apps.rooms.files import FILES
from tidings.apps.rooms.guard import RoomsGuard
from tidings.apps.rooms.notifying import Notices
from tidings.apps.rooms.rooms import Rooms
from tidings.apps.runs.guard import RunsGuard
from tidings.assistants import configured
from tidings.errors import TidingsError
from tidings.events import Retention
from tidings.http import ask as stream
from tidings.http import health, runs, session
from tidings.http import topics as events
from tidings.http.follow import Following
from tidings.http.publish import Limits, Publishing
from tidings.http.request import SHAPES
from tidings.http.response import OUTSIDE, Slots, Stream, json_response, problem_response
from tidings.log.names import shown
from tidings.runs.assistant import Assistant

from .settings import Settings

log = logging.getLogger("tidings.app")

PROBLEM = {"content-type": "application/problem+json"}
DESCRIPTION = "Durable Server-Sent Events: topics, their events, and runs, which are topics that end."


class App(FastAPI):
    """FastAPI, whose OpenAPI document speaks of problems as they are sent, and out of whose way go the things that
    happen most: plain publishing and following, and every open stream, which goes on outside its stack once it has
    begun."""

    publishing: Publishing
    following: Following

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif self.publishing.is_plain(scope):
            await self.publishing(scope, receive, send)
        else:
            begun: list[Stream] = []
            # No name holds what is inside: it would stay as long as the stream, 0.6 KB each.
            if self.following.is_plain(scope):
                await self.following({**scope, OUTSIDE: begun}, receive, send)
            else:
                await super().__call__({**scope, OUTSIDE: begun}, self._limited(scope, receive), send)
            if begun:
                await begun.pop()(scope, receive, send)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """`receive`, of a body that is at most as large as its path may have it: frameworks read all that comes."""
        if scope["path"].endswith("/files"):
            return receive  # an upload, which is read as it comes, and counted there
        limits = self.publishing.limits
        left = most = limits.batch if scope["path"].endswith("/events") else limits.body

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, f"A body is at most {most:,} bytes.")
            return message

        return counted

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schemas: dict[str, Any] = super().openapi()["components"]["schemas"]
            shapes = sorted(SHAPES, key=lambda shape: shape.__name__)
            schemas.update(msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")[1])
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
        assert self.openapi_schema is not None
        return self.openapi_schema


def create_app(settings: Settings | None = None, hub: Hub | None = None) -> FastAPI:
    """Tidings as an app. `app.state.hub` is its hub, opened and closed by the app's lifespan."""
    settings = settings or Settings.load()
    if hub is None:
        retention = Retention(settings.retention_max_age, settings.retention_max_events, settings.retention_max_bytes)
        hub = Hub(
            settings.store,
            keep_alive=settings.keep_alive,
            drain_window=settings.drain_window,
            retention=retention if retention != Retention() else None,
        )
    auth = authenticator(settings)
    assistants = configured(settings)
    slots = Slots(settings.max_connections, settings.max_connections_per_subject if not settings.open else 1 << 30)
    limits = Limits(settings.max_body, settings.max_batch, settings.publish_rate)
    presence = Presence(hub, slots)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        try:
            await hub.open()
        except TidingsError as error:
            app.state.failure = error
            raise
        try:
            hub.runs.grace = settings.grace
            hub.runs.open()
            presence.open()
            for assistant in assistants.values():
                hub.background(assistant.runnable())
            yield
        finally:
            await hub.close()

    app = App(
        title="Tidings",
        version=version("tidings"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        middleware=middleware(settings),
    )
    app.state.hub = hub
    app.add_exception_handler(TidingsError, problem_response)
    app.add_exception_handler(RequestValidationError, invalid_parameters)
    app.add_exception_handler(HTTPException, http_problem)
    app.add_exception_handler(ClientDisconnect, client_left)
    app.add_exception_handler(Exception, internal_error)
    app.publishing = Publishing(hub, auth, limits)
    app.following = Following(hub, auth, slots)
    for router in (
        app.publishing.routes(),
        app.following.routes(),
        events.routes(hub, auth),
        runs.routes(hub, auth, slots, assistants),
        stream.routes(hub, auth, slots, assistants),
        *sign_in(settings, hub, auth),
        health.routes(hub),
        *apps(hub, auth, presence, assistants, transfers.Limits(int(settings.max_file), app.publishing.rate.spend)),
    ):
        app.include_router(router)
    web.mount(app)
    return app


def sign_in(settings: Settings, hub: Hub, auth: Authenticator) -> list[APIRouter]:
    """The routers of the session. Raises InvalidRequest for a provider that cannot be one."""
    if settings.oidc_issuer is None or settings.oidc_client_id is None or settings.secret is None:
        return [session.routes(auth)]
    # Imported where it is used: it brings 0.2 s of libraries that a server without a provider does not need.
    from tidings.access.oidc import Provider
    from tidings.apps.people import sign_in as signin

    secret = settings.secret.get_secret_value()
    client_secret = settings.oidc_client_secret.get_secret_value() if settings.oidc_client_secret else None
    provider = Provider(settings.oidc_issuer, settings.oidc_client_id, client_secret, settings.oidc_title)

    def token(name: str) -> str:
        topics = topics_of(name)
        about = {"audience": settings.audience, "issuer": settings.issuer}
        return sign(secret, name, publish=topics, subscribe=topics, seconds=signin.SESSION, **about)

    return [session.routes(auth, provider.title), signin.routes(hub, provider, secret, token)]


def apps(
    hub: Hub, auth: Authenticator, presence: Presence, assistants: Mapping[str, Assistant], limits: transfers.Limits
) -> list[APIRouter]:
    """The routers of the apps, whose guards `auth` is given."""
    told, service = Notifications(hub), Rooms(hub)
    Notices(service, told)
    Answers(hub, service, told, assistants)
    auth.guards.update(
        {
            "rooms": RoomsGuard(service),
            "runs": RunsGuard(hub, auth.guards),
            "conversations": ConversationsGuard(hub),
            "users": PeopleGuard(),
            "presence": PresenceGuard(),
            SNAPSHOTS: Sealed(),
            FILES: Sealed(),
        }
    )
    return [
        rooms.routes(service, auth, told.markers, limits.file),
        transfers.routes(service, auth, limits),
        people.routes(auth, presence),
        notifications.routes(auth, told),
    ]


def authenticator(settings: Settings) -> Authenticator:
    """Raises InvalidRequest for keys and algorithms that do not agree."""
    return Authenticator(
        secret=settings.secret.get_secret_value() if settings.secret else None,
        public_key=settings.public_key,
        jwks_url=settings.jwks_url,
        algorithms=settings.algorithms,
        audience=settings.audience,
        issuer=settings.issuer,
        hosts=settings.hosts,
        origins=settings.cors_origins,
    )


def middleware(settings: Settings) -> list[Middleware]:
    """Plain ASGI only: what wraps `send` in tasks or buffers would cost every stream a task."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "Cache-Control"],
            expose_headers=["Location", "Retry-After"],
            allow_credentials=True,
            max_age=7200,
        )
    ]


async def invalid_parameters(request: Request, error: Exception) -> Response:
    """A parameter or body of the wrong type, as a problem that names it."""
    assert isinstance(error, RequestValidationError)
    details = [{"at": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
    first = details[0] if details else {"at": "request", "message": "not valid"}
    value = {
        "title": "Invalid request",
        "status": 422,
        "detail": f"{first['at']}: {first['message']}.",
        "errors": details,
    }
    return json_response(value, 422, PROBLEM)


async def http_problem(request: Request, error: Exception) -> Response:
    """What routing itself refuses, such as an unknown path or method, as a problem."""
    assert isinstance(error, HTTPException)
    headers = {**(error.headers or {}), **PROBLEM}
    said, path = error.detail, shown(request.url.path)
    if error.status_code == 404:
        said = f"There is nothing at {path}."
    elif error.status_code == 405:
        # The router knows the methods of one of its routes, but a path may have several.
        methods = {method.strip() for method in headers.pop("Allow", "").split(",")}
        for template, operations in request.app.openapi()["paths"].items():
            if compile_path(template)[0].match(request.url.path):
                methods |= {method.upper() for method in operations}
        headers["allow"] = ", ".join(sorted(filter(None, methods)))
        said = f"{path} does not take {shown(request.method)}, but {headers['allow']}."
    value = {"title": HTTPStatus(error.status_code).phrase, "status": error.status_code, "detail": said}
    return json_response(value, error.status_code, headers)


async def client_left(request: Request, error: Exception) -> Response:
    """Nobody reads this answer: the client went away in the middle of its request, which was not carried out."""
    return Response(status_code=400)


async def internal_error(request: Request, error: Exception) -> Response:
    """The traceback is in the log; who asked learns only that it is our fault."""
    value = {"title": "Internal error", "status": 500, "detail": "Something went wrong here. The log says what."}
    return json_response(value, 500, PROBLEM)
