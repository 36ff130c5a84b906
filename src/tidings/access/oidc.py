"""Sign-in with an OpenID Connect provider: the authorization code flow, with PKCE, a state and a nonce."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import secrets
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

import httpx
import jwt
import msgspec
from jwt.exceptions import PyJWTError

from tidings.errors import Forbidden, Gone, InvalidRequest, Unauthenticated, Unavailable

from .key_set import KeySet, download, must_be_private
from .names import LONGEST

log: logging.Logger = logging.getLogger("tidings.oidc")

SCOPE = "openid profile email"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
"""Endpoints of a provider. Only `userinfo_endpoint` may be missing."""

LEEWAY = 10
"""Seconds by which the provider's clock may differ from this machine's."""

FRESH = 3600.0
"""Seconds for which the provider's description of itself is used without fetching it again."""

PAUSE = 10.0
"""Seconds between two fetches of that description, so that repeated sign-ins do not hammer the provider."""

PATIENCE = 10.0
"""Seconds that a provider has to answer."""

ATTEMPT = 600.0
"""Seconds that a person has for signing in at the provider."""


class Attempt(msgspec.Struct, frozen=True):
    """A sign-in that has begun. Only the browser that began it keeps it, in a signed cookie.

    `next` is the path that the browser opens after the sign-in; `expires` is Unix time in seconds.
    """

    state: str
    nonce: str
    verifier: str
    next: str
    expires: float

    @classmethod
    def begin(cls, next: str) -> Attempt:
        """Make an attempt whose three secrets nobody can guess."""
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
        return cls(state, nonce, verifier, next, time.time() + ATTEMPT)

    @property
    def challenge(self) -> str:
        """The hash of `verifier` that the provider gets first (PKCE, RFC 7636, method S256)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Person(msgspec.Struct, frozen=True):
    """An account that the provider vouches for. `subject` never changes; `names` has the preferred name first."""

    issuer: str
    subject: str
    names: Sequence[str]


class Provider:
    """An OpenID Connect provider, found by its `issuer`, at which this server is registered as `client_id`.

    `title` is the provider's name on the sign-in page. The provider's description and its keys are fetched when they
    are first needed, and kept. Raises InvalidRequest unless `issuer` is an https URL or a loopback address.
    """

    def __init__(self, issuer: str, client_id: str, client_secret: str | None = None, title: str | None = None) -> None:
        must_be_private(issuer, "The provider's issuer")
        self.issuer = issuer
        self.title: str = title or httpx.URL(issuer).host
        self._client_id, self._client_secret = client_id, client_secret
        self._description: dict[str, Any] = {}
        self._asked = self._fetched = float("-inf")
        self._lock = asyncio.Lock()
        self._keys: dict[str, KeySet] = {}
        self._tls: ssl.SSLContext | None = None

    async def address(self, attempt: Attempt, callback: str) -> str:
        """The URL of the provider's sign-in page, which sends the browser back to `callback`. Raises Unavailable."""
        description = await self._describe()
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": callback,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(description["authorization_endpoint"]).copy_merge_params(query))

    async def person(self, attempt: Attempt, callback: str, query: Mapping[str, str]) -> Person:
        """The person whom the provider sent back to `callback` with this query.

        Raises Gone when the attempt is over, belongs to another browser or was used before; Forbidden when the
        provider or the person refused; Unauthenticated when the provider's answer cannot be trusted; Unavailable.
        """
        state = query.get("state", "").encode()
        if attempt.expires < time.time() or not hmac.compare_digest(attempt.state.encode(), state):
            raise Gone("This sign-in is over. Begin another.")
        if query.get("iss", self.issuer) != self.issuer:
            raise Unauthenticated("A provider answered that was not asked.")
        if "error" in query:
            raise Forbidden(f"The provider refused the sign-in: {query['error']!r}.")
        description = await self._describe()
        async with await self._client() as client:
            try:
                tokens = await self._redeem(client, description, attempt, callback, query.get("code", ""))
                claims = await self._verify(description, tokens["id_token"], attempt.nonce)
                if "name" not in claims and "userinfo_endpoint" in description:
                    claims |= await _userinfo(client, description["userinfo_endpoint"], tokens, claims["sub"])
            except httpx.HTTPError as error:
                raise Unavailable(f"The provider does not answer: {error}") from None
            except (PyJWTError, ValueError, TypeError, KeyError) as error:
                raise Unauthenticated(f"The provider's answer cannot be trusted: {error}") from None
        return Person(self.issuer, claims["sub"], _names(claims))

    async def _client(self) -> httpx.AsyncClient:
        # Reading this machine's certificates takes 50 ms, so a thread does it, once.
        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        return httpx.AsyncClient(verify=self._tls, timeout=PATIENCE, follow_redirects=False)

    async def _redeem(
        self, client: httpx.AsyncClient, description: dict[str, Any], attempt: Attempt, callback: str, code: str
    ) -> dict[str, Any]:
        """Exchange the code for the provider's tokens. Raises Gone, Unauthenticated, ValueError, httpx.HTTPError."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": attempt.verifier,
        }
        auth = self._authenticate(description, form)
        answer = await client.post(
            description["token_endpoint"], data=form, headers={"accept": "application/json", **auth}
        )
        try:
            tokens = answer.json()
        except ValueError:
            answer.raise_for_status()
            raise
        if not isinstance(tokens, dict):
            raise ValueError("the tokens are not a JSON object")
        if "error" in tokens:
            if tokens["error"] == "invalid_grant":  # the code was used before, or is too old
                raise Gone("This sign-in is over. Begin another.")
            raise Unauthenticated("The provider rejected this server's client ID or secret.")
        answer.raise_for_status()
        return tokens

    def _authenticate(self, description: dict[str, Any], form: dict[str, str]) -> dict[str, str]:
        """The header that shows this server's secret, or none when `form` takes the client's ID and secret.

        RFC 6749, section 2.3.1: both are form-encoded before they become a Basic header.
        """
        basic = "client_secret_basic"
        if self._client_secret is not None and basic in description.get(
            "token_endpoint_auth_methods_supported", [basic]
        ):
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
            return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form["client_id"] = self._client_id
        if self._client_secret is not None:
            form["client_secret"] = self._client_secret
        return {}

    async def _verify(self, description: dict[str, Any], token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that the provider signed, for this server, for this attempt, and not long ago.

        Raises PyJWTError, ValueError, Unauthenticated, Unavailable.
        """
        header = jwt.get_unverified_header(token)
        keys = self._keys.setdefault(description["jwks_uri"], KeySet(description["jwks_uri"]))
        key, algorithm = await keys.find(str(header.get("alg")), header.get("kid"))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._client_id,
            issuer=self.issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat", "nonce"]},
        )
        if not hmac.compare_digest(str(claims["nonce"]).encode(errors="replace"), nonce.encode()):
            raise ValueError("its nonce is of another sign-in")
        # OpenID Connect Core, section 3.1.3.7: a token for several audiences names the party that may use it.
        others = isinstance(claims["aud"], list) and claims["aud"] != [self._client_id]
        if claims.get("azp", None if others else self._client_id) != self._client_id:
            raise ValueError("it was issued to another client")
        if not claims["sub"] or not claims["sub"].isprintable():
            raise ValueError("it names no account")
        return claims

    async def _describe(self) -> dict[str, Any]:
        """The provider's description of itself. An old one stays in use while a new one cannot be fetched."""
        async with self._lock:
            now = time.monotonic()
            if now - self._fetched > FRESH and now - self._asked > PAUSE:
                try:
                    self._description, self._fetched = await self._fetch(), now
                except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError, InvalidRequest) as error:
                    log.warning("the description of provider %s could not be fetched: %s", self.issuer, error)
                self._asked = time.monotonic()
        if not self._description:
            raise Unavailable("The provider cannot be reached now.")
        return self._description

    async def _fetch(self) -> dict[str, Any]:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        description: dict[str, Any] = json.loads(await asyncio.to_thread(download, url))
        if description["issuer"] != self.issuer:
            raise ValueError(f"the provider calls itself {description['issuer']!r}")
        for name in ENDPOINTS:
            if name in description or name != "userinfo_endpoint":
                must_be_private(description[name], name)
        return description


async def _userinfo(client: httpx.AsyncClient, url: str, tokens: dict[str, Any], subject: str) -> dict[str, Any]:
    """The person's claims from the provider's userinfo endpoint, for providers whose ID tokens hold no name."""
    answer = await client.get(url, headers={"authorization": f"Bearer {tokens['access_token']}"})
    answer.raise_for_status()
    claims = answer.json()
    if claims["sub"] != subject:
        raise ValueError("the claims are about another account")
    return dict(claims)


def _names(claims: dict[str, Any]) -> list[str]:
    """Names for the person, the best first: the full name, the name with the handle, the handle alone."""
    name, handle, email = (_text(claims.get(claim)) for claim in ("name", "preferred_username", "email"))
    if not handle and claims.get("email_verified") is True:
        handle = email
    names = [name, f"{name} ({handle})" if name and handle else "", handle]
    return [name for name in names if 0 < len(name) <= LONGEST]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
