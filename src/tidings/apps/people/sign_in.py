"""Signing in with an OpenID Connect provider: the redirect there, and the way back, which sets a cookie."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from typing import Annotated

import jwt
import msgspec
from fastapi import APIRouter, Query, Request
from jwt.exceptions import PyJWTError
from starlette.responses import Response

from tidings.access.cookies import COOKIE, set_cookie
from tidings.access.oidc import ATTEMPT, Attempt, Provider
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, Forbidden, Gone, InvalidRequest, TidingsError, Unauthenticated, Unavailable
from tidings.events import Retention
from tidings.http.request import address
from tidings.http.session import reached

from .accounts import name_of

log: logging.Logger = logging.getLogger("tidings.signin")

ATTEMPT_COOKIE = "tidings_login"

SESSION = 12 * 3600.0
"""Seconds that a person stays signed in."""

USED = "sessions.used"
"""The topic that remembers the attempts that were used, by their keys. The server alone uses it."""

PROBLEMS: dict[type[TidingsError], str] = {
    InvalidRequest: "link",
    Gone: "expired",
    Forbidden: "refused",
    Unauthenticated: "untrusted",
    Unavailable: "unreachable",
    Conflict: "name",
}
"""The words for `/?problem=…`, by which the sign-in page chooses a sentence. The address does not hold the
sentence itself: a link could then make the page show any text."""

# Browsers read `//host` and `/\host` as another host, take `\` for `/`, and skip tabs and newlines.
_path = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}")


def routes(hub: Hub, provider: Provider, secret: str, sign: Callable[[str], str]) -> APIRouter:
    """Return the router of signing in. `sign` makes a person's token; `secret` signs the cookie of an attempt."""
    router = APIRouter(tags=["session"])
    # The key differs from the key of tokens, so that a token is not accepted as an attempt, nor an attempt as a token.
    key = hashlib.sha256(b"tidings.login\0" + secret.encode()).digest()

    @router.get(
        "/session/login",
        summary="Sign in with the provider",
        status_code=303,
        responses={303: {"description": "A redirect to the provider, or to `/?problem=…`"}},
    )
    async def login(
        request: Request,
        next: Annotated[
            str | None, Query(description="The path on this host to come back to; by default the page's.")
        ] = None,
    ) -> Response:
        next = address(request, "/") if next is None else next
        try:
            if not _path.fullmatch(next):
                raise InvalidRequest(f"{next[:100]!r} is not a path on this server.")
            attempt = Attempt.begin(next)
            answer = _to(await provider.address(attempt, _callback(request)))
        except TidingsError as error:
            return _problem(request, error)
        value = jwt.encode(msgspec.to_builtins(attempt), key, algorithm="HS256")
        _keep(answer, request, ATTEMPT_COOKIE, value, ATTEMPT)
        return answer

    @router.get(
        "/session/callback",
        summary="Come back from the provider",
        status_code=303,
        responses={303: {"description": "A redirect to the path `next` of the login, or to `/?problem=…`"}},
    )
    async def callback(request: Request) -> Response:
        try:
            attempt = _attempt(request.cookies.get(ATTEMPT_COOKIE, ""), key)
            await _use(hub, attempt)
            person = await provider.person(attempt, _callback(request), request.query_params)
            name = await name_of(hub, person.issuer, person.subject, person.names)
            answer = _to(attempt.next)
            _keep(answer, request, COOKIE, sign(name), SESSION)
        except TidingsError as error:
            answer = _problem(request, error)
        _keep(answer, request, ATTEMPT_COOKIE, "", 0)  # an attempt holds for one answer of the provider
        return answer

    return router


def _attempt(text: str, key: bytes) -> Attempt:
    """Return the attempt in a cookie. Raises Gone."""
    try:
        return msgspec.convert(jwt.decode(text, key, algorithms=["HS256"]), Attempt)
    except (PyJWTError, msgspec.ValidationError):
        raise Gone("There is no sign-in under way in this browser. Sign in again.") from None


async def _use(hub: Hub, attempt: Attempt) -> None:
    """Use up an attempt, so that a copy of its cookie is worthless. Raises Gone if the attempt was used before."""
    key = hashlib.sha256(attempt.state.encode()).hexdigest()
    done = await hub.log.append(USED, [("login.used", "{}")], key=key, retention=Retention(max_age=86400.0))
    if done.duplicate:
        raise Gone("This sign-in was used already. Sign in again.")


def _callback(request: Request) -> str:
    """Return the address to which the provider sends the browser back.

    A provider sends it only to registered addresses, so an invented Host header leads nowhere.
    """
    return f"{request.url.scheme}://{request.url.netloc}{address(request, '/session/callback')}"


def _to(address: str) -> Response:
    # The present address contains the provider's code. No Referer header may take it to another server.
    return Response(
        status_code=303,
        headers={"location": address, "cache-control": "no-store", "referrer-policy": "no-referrer"},
    )


def _problem(request: Request, error: TidingsError) -> Response:
    log.warning("a sign-in failed: %s", error)
    kind = next((word for of, word in PROBLEMS.items() if isinstance(error, of)), "unreachable")
    return _to(address(request, f"/?problem={kind}"))


def _keep(answer: Response, request: Request, name: str, value: str, seconds: float) -> None:
    answer.headers.append("set-cookie", set_cookie(name, value, seconds=seconds, **reached(request)))
