"""Who a browser is: a token goes in once, and an HttpOnly cookie carries it from then on."""

from __future__ import annotations

import time
from typing import Literal

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ..auth import Authenticator, Subject, cookie
from ..errors import Unauthenticated
from .request import Responses, problems, shape
from .response import json_response


class Token(BaseModel):
    """A signed JSON Web Token."""

    model_config = ConfigDict(extra="forbid")
    token: str = Field(min_length=1, max_length=8192)


class Session(msgspec.Struct):
    """`auth`: `open` where nobody has to say who they are. `expires` is in Unix seconds."""

    auth: Literal["open", "token"]
    signed_in: bool
    name: str | None
    expires: float | None


def routes(auth: Authenticator) -> APIRouter:
    """The router of the session."""
    router = APIRouter(tags=["session"])

    def described(subject: Subject | None) -> Session:
        return Session(
            auth="open" if auth.open else "token",
            signed_in=subject is not None,
            name=subject.name if subject else None,
            expires=subject.expires if subject else None,
        )

    session: Responses = {200: shape(Session, "Who")}

    @router.get("/session", summary="Who is asking", responses={**session, **problems()})
    async def who(request: Request) -> Response:
        try:
            subject = await auth.authenticate(request.scope["headers"], unsafe=False)
        except Unauthenticated:
            subject = None
        return json_response(described(subject))

    @router.post("/session", summary="Sign in with a token", responses={**session, **problems(413)})
    async def sign_in(request: Request, given: Token) -> Response:
        subject = await auth.verify(given.token)
        if auth.open:
            # Nobody has looked at the text, so it goes into no header.
            return json_response(described(subject))
        seconds = 0.0 if subject.expires is None else subject.expires - time.time()
        header = cookie(given.token, seconds=seconds, secure=request.url.scheme == "https")
        return json_response(described(subject), headers={"set-cookie": header})

    @router.delete("/session", summary="Sign out", status_code=204, responses={204: {"description": "Signed out"}})
    async def sign_out(request: Request) -> Response:
        header = cookie("", seconds=0, secure=request.url.scheme == "https")
        return Response(status_code=204, headers={"set-cookie": header})

    return router
