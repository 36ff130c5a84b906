"""People who come from an OpenID Connect provider: the authorization code flow, with PKCE, a state and a nonce."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import secrets
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import httpx2
import jwt
import msgspec
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from jwt.exceptions import PyJWTError

from tidings.errors import Forbidden, Gone, InvalidRequest, Unauthenticated, Unavailable

from .keys import KeySet, download, must_be_private
from .names import LONGEST

log = logging.getLogger("tidings.oidc")

SCOPE = "openid profile email"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
"""Of a provider, which may do without the last."""

LEEWAY = 10
"""Seconds by which the provider's clock may differ from ours."""

FRESH = 3600.0
"""Seconds for which what a provider says of itself is believed without asking again."""

PAUSE = 10.0
"""Seconds between two such questions, so that people who try again and again do not make us hammer it."""

PATIENCE = 10.0
"""Seconds that a provider has for an answer."""

ATTEMPT = 600.0
"""Seconds that a person has for signing in there."""


class Attempt(msgspec.Struct, frozen=True):
    """A sign-in that has begun, as the browser that began it keeps it, and nobody else. `next`: where it goes then."""

    state: str
    nonce: str
    verifier: str
    next: str
    expires: float

    @classmethod
    def begin(cls, next: str) -> Attempt:
        """A new one, which no one can guess."""
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
        return cls(state, nonce, verifier, next, time.time() + ATTEMPT)


class Person(msgspec.Struct, frozen=True):
    """Whom the provider vouches for: its account, which stays, and what it calls them, the best name first."""

    issuer: str
    subject: str
    names: Sequence[str]


class Provider:
    """An OpenID Connect provider, found by its `issuer`, which knows us as `client_id`.

    `title` is what people call it. What it says of itself and its keys are fetched when first needed, and kept. Raises
    InvalidRequest for an issuer that is no https address (or one of loopback).
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str | None = None, title: str | None = None) -> None:
        must_be_private(issuer, "The provider's issuer")
        self.issuer = issuer
        self.title = title or httpx.URL(issuer).host
        self._client_id, self._client_secret = client_id, client_secret
        self._found: dict[str, Any] = {}
        self._asked = self._fetched = float("-inf")
        self._lock = asyncio.Lock()
        self._keys: dict[str, KeySet] = {}
        self._tls: ssl.SSLContext | None = None

    async def address(self, attempt: Attempt, callback: str) -> str:
        """Where the browser goes to sign in, to come back to the URL `callback`. Raises Unavailable."""
        found = await self._metadata()
        async with await self._client(found, callback) as client:
            address, _ = client.create_authorization_url(
                found["authorization_endpoint"],
                state=attempt.state,
                nonce=attempt.nonce,
                code_verifier=attempt.verifier,
            )
        return str(address)

    async def person(self, attempt: Attempt, callback: str, query: Mapping[str, str]) -> Person:
        """Who came back to `callback` with this query.

        Raises Gone when the attempt is over, is another's or was used already; Forbidden when the provider or the
        person said no; Unauthenticated when what the provider says cannot be trusted; Unavailable.
        """
        state = query.get("state", "").encode()
        if attempt.expires < time.time() or not hmac.compare_digest(attempt.state.encode(), state):
            raise Gone("This sign-in is over. Begin another.")
        if query.get("iss", self.issuer) != self.issuer:
            raise Unauthenticated("Another provider answered than the one that was asked.")
        if "error" in query:
            raise Forbidden(f"The provider said no: {query['error']!r}.")
        found = await self._metadata()
        async with await self._client(found, callback) as client:
            try:
                token = await client.fetch_token(
                    found["token_endpoint"],
                    grant_type="authorization_code",
                    code=query.get("code", ""),
                    code_verifier=attempt.verifier,
                )
                claims = await self._verify(found, token, attempt.nonce)
                if "name" not in claims and "userinfo_endpoint" in found:
                    claims |= await _about(client, found["userinfo_endpoint"], claims["sub"])
            except httpx2.HTTPError as error:
                raise Unavailable(f"The provider does not answer: {error}") from None
            except AuthlibBaseError as error:
                if error.error == "invalid_grant":  # the code was used, or is too old
                    raise Gone("This sign-in is over. Begin another.") from None
                raise Unauthenticated(f"The provider does not know us, or we not it: {error}") from None
            except (PyJWTError, JoseError, ValueError, TypeError, KeyError) as error:
                raise Unauthenticated(f"What the provider says cannot be trusted: {error}") from None
        return Person(self.issuer, claims["sub"], _names(claims))

    async def _verify(self, found: dict[str, Any], token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token, which is theirs, for us, of now, and of this attempt."""
        text = token["id_token"]
        header = jwt.get_unverified_header(text)
        keys = self._keys.setdefault(found["jwks_uri"], KeySet(found["jwks_uri"]))
        key, algorithm = await keys.find(str(header.get("alg")), header.get("kid"))
        claims = jwt.decode(
            text,
            key,
            algorithms=[algorithm],
            audience=self._client_id,
            issuer=self.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        about = {"nonce": nonce, "client_id": self._client_id}
        CodeIDToken(claims, header, None, about).validate(leeway=LEEWAY)
        if not claims["sub"] or not claims["sub"].isprintable():
            raise ValueError("it names nobody")
        return claims

    async def _client(self, found: dict[str, Any], callback: str) -> AsyncOAuth2Client:
        basic = "client_secret_basic"
        taken = found.get("token_endpoint_auth_methods_supported", [basic])
        method = None if self._client_secret is None or basic in taken else "client_secret_post"
        return await asyncio.to_thread(self._connect, method, callback)

    def _connect(self, method: str | None, callback: str) -> AsyncOAuth2Client:
        """Off the loop, since the first one reads this machine's certificates: 50 ms."""
        self._tls = self._tls or httpx2.create_ssl_context()
        return AsyncOAuth2Client(
            self._client_id,
            self._client_secret,
            token_endpoint_auth_method=method,
            scope=SCOPE,
            redirect_uri=callback,
            code_challenge_method="S256",
            verify=self._tls,
            timeout=PATIENCE,
            leeway=0,  # its access token is used at once, however short its life
        )

    async def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself. What we have goes on being good while it cannot be asked."""
        async with self._lock:
            now = time.monotonic()
            if now - self._fetched > FRESH and now - self._asked > PAUSE:
                try:
                    self._found, self._fetched = await self._fetch(), now
                except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError, InvalidRequest) as error:
                    log.warning("the provider %s could not be asked about itself: %s", self.issuer, error)
                self._asked = time.monotonic()
        if not self._found:
            raise Unavailable("The provider cannot be reached now.")
        return self._found

    async def _fetch(self) -> dict[str, Any]:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found: dict[str, Any] = json.loads(await asyncio.to_thread(download, url))
        if found["issuer"] != self.issuer:
            raise ValueError(f"it calls itself {found['issuer']!r}")
        for name in ENDPOINTS:
            if name in found or name != "userinfo_endpoint":
                must_be_private(found[name], name)
        return found


async def _about(client: AsyncOAuth2Client, url: str, subject: str) -> dict[str, Any]:
    """What a provider says of the person when asked, if its ID tokens say little."""
    answer = await client.get(url)
    answer.raise_for_status()
    about = answer.json()
    if about["sub"] != subject:
        raise ValueError("it tells of somebody else")
    return dict(about)


def _names(claims: dict[str, Any]) -> list[str]:
    """What to call the person: their name; that and what tells them apart; this alone."""
    name, handle, email = (_text(claims.get(claim)) for claim in ("name", "preferred_username", "email"))
    if not handle and claims.get("email_verified") is True:
        handle = email
    names = [name, f"{name} ({handle})" if name and handle else "", handle]
    return [name for name in names if 0 < len(name) <= LONGEST]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
