"""The session of a browser: it sends a token once, or a name where there are no tokens, and an HttpOnly cookie carries
that from then on."""

from __future__ import annotations

import time
from typing import Annotated, ClassVar, Literal, TypedDict

import msgspec
from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.cookies import cookie, name_cookie
from tidings.access.names import LONGEST
from tidings.access.subject import Subject, named
from tidings.access.tokens import token_of
from tidings.errors import InvalidRequest, Unauthenticated

from .openapi import Responses, problems, shape
from .request import Body, address, strict
from .response import json_response
from .signed_out import SignedOut


class SignIn(Body):
    """A signed JSON Web Token; or, on a server without a key, the name that a person chooses."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["token"]}, {"required": ["name"]}]}
    )
    token: Annotated[str, Field(min_length=1, max_length=8192)] = ""
    name: Annotated[str, Field(min_length=1, max_length=LONGEST)] = ""


class Session(msgspec.Struct):
    """A session. `auth`: `open` on a server without a key. `expires` is in Unix seconds. `admin`: the person
    administers the server. `oidc`: the name of the provider with which people sign in at /session/login, null without a
    provider."""

    auth: Literal["open", "token"]
    signed_in: bool
    name: str | None
    expires: float | None
    admin: bool
    oidc: str | None


class Reached(TypedDict):
    """The way in which a browser reaches this server, as cookies need it."""

    secure: bool
    path: str


def reached(request: Request) -> Reached:
    """Return the way in which the sender of a request reaches this server."""
    return Reached(secure=request.url.scheme == "https", path=address(request, "") or "/")


def routes(access: Access, signed_out: SignedOut, oidc: str | None = None) -> APIRouter:
    """Return the router of the session. `oidc`: the title of the provider with which people sign in."""
    auth = access.authenticator
    router = APIRouter(tags=["session"], route_class=strict(None))

    def described(subject: Subject | None) -> Session:
        return Session(
            auth="open" if auth.open else "token",
            signed_in=subject is not None,
            name=subject.name if subject else None,
            expires=subject.expires if subject else None,
            admin=subject is not None and subject.admin,
            oidc=oidc,
        )

    session: Responses = {200: shape(Session, "The session")}

    @router.get("/session", summary="Get the session", responses={**session, **problems()})
    async def who(request: Request) -> Response:
        try:
            subject = await auth.authenticate(request.scope["headers"], unsafe=False)
        except Unauthenticated:
            subject = None
        return json_response(described(subject))

    @router.post(
        "/session",
        summary="Sign in with a token or a name",
        responses={**session, **problems(413)},
    )
    async def sign_in(request: Request, given: SignIn) -> Response:
        auth.refuse_foreign(request.scope["headers"])
        where = reached(request)
        if bool(given.token) == bool(given.name):
            raise InvalidRequest("Send a token or a name, one of them.")
        if auth.open and not given.name:
            raise InvalidRequest("This server has no key to check a token with: choose a name instead.")
        if given.name and not auth.open:
            raise InvalidRequest("On this server a name cannot be chosen: send a token.")
        if given.name:
            header = name_cookie(given.name, **where)
            return json_response(described(named(given.name)), headers={"set-cookie": header})
        subject = await auth.verify(given.token)
        seconds = 0.0 if subject.expires is None else subject.expires - time.time()
        header = cookie(given.token, seconds=seconds, **where)
        return json_response(described(subject), headers={"set-cookie": header})

    @router.delete(
        "/session",
        summary="Sign out, or forget the name",
        status_code=204,
        responses={204: {"description": "Signed out"}, **problems()},
    )
    async def sign_out(request: Request) -> Response:
        auth.refuse_foreign(request.scope["headers"])
        if (token := token_of(request.scope["headers"])) is not None:
            await signed_out.end(token)
        where = reached(request)
        header = name_cookie("", **where) if auth.open else cookie("", seconds=0, **where)
        return Response(status_code=204, headers={"set-cookie": header})

    return router
