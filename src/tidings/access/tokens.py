"""Authentication: the subject of a request, by its token, its cookie, or the name that a guest chose."""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import jwt
from jwt.exceptions import (
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    MissingRequiredClaimError,
    PyJWTError,
)

from tidings.clock import unix_time
from tidings.errors import Forbidden, InvalidRequest, Unauthenticated

from .cookies import COOKIE, NAME_COOKIE, chosen_name
from .guards import Watch
from .keys import Keys, OneKey
from .limits import valid_limits
from .names import topics_of
from .origins import may_address, same_origin
from .subject import ANYONE, PERSON, Patterns, Subject, named

LEEWAY = 10
"""Seconds by which the signer's clock may differ from this machine's."""

LONGEST = 8192
"""Characters of the longest token that is verified. Servers take headers of 64 KiB and more."""

REMEMBERED = 10_000
"""Verified tokens that are remembered by their hash: to verify a token costs 150 µs, which a reconnect saves."""


Headers = Iterable[tuple[bytes, bytes]]
"""A request's headers as in an ASGI scope: lower-case names and raw values, repeated headers as often as they came."""


class Authenticator:
    """Turns a request's headers into a Subject. Without a key the server is `open`: every sender may do everything.

    `hosts` are names by which an open server may be addressed besides loopback's; pages of `origins` may act here
    besides the server's own. `admins` are the names of administrators, beside tokens that claim `admin`. Raises
    InvalidRequest for keys and algorithms that do not agree.
    """

    def __init__(
        self,
        *,
        secret: str | None = None,
        public_key: str | None = None,
        jwks_url: str | None = None,
        algorithms: Sequence[str] = (),
        audience: str | None = None,
        issuer: str | None = None,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        admins: Collection[str] = (),
        clock: Callable[[], float] = unix_time,
    ) -> None:
        if sum(key is not None for key in (secret, public_key, jwks_url)) > 1:
            raise InvalidRequest("Tokens have one kind of key: a secret, a public key or a key set")
        self._keys: Keys | None = None
        if secret is not None:
            self._keys = OneKey.secret(secret, algorithms)
        elif public_key is not None:
            self._keys = OneKey.public(public_key, algorithms)
        elif jwks_url is not None:
            # Imported where it is used: it brings 0.1 s of libraries that a server with a key of its own does not need.
            from .key_set import KeySet

            self._keys = KeySet(jwks_url, algorithms)
        self._audience, self._issuer = audience, issuer
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower() for origin in origins)
        self._admins = frozenset(admins)
        self._clock = clock
        self._verified: dict[bytes, Subject] = {}
        self._revoked: dict[bytes, float] = {}
        self.watched: dict[bytes, set[SessionWatch]] = {}

    @property
    def open(self) -> bool:
        """True without a key: then no request needs a token."""
        return self._keys is None

    async def authenticate(self, headers: Headers, *, unsafe: bool) -> Subject:
        """Return the sender of a request.

        `unsafe`: the request changes or costs something. A page of another origin is then refused, since its browser
        would send the cookie of this server, or reach this machine's loopback. A token in `Authorization` needs no such
        check, as no other page knows it. Raises Unauthenticated; Forbidden for a foreign page or host name;
        InvalidRequest for a header that comes twice and tells the page or the host; Unavailable if the token cannot be
        verified now.
        """
        fields = _Fields(headers)
        if self._keys is None:
            self._refuse_foreign(fields, unsafe)
            return ANYONE if fields.name is None else named(fields.name)
        if fields.bearer is not None:
            return await self.verify(fields.bearer)
        if fields.cookie is None:
            raise Unauthenticated("Send a token, as `Authorization: Bearer TOKEN`")
        self._refuse_foreign(fields, unsafe)
        return (await self.verify(fields.cookie)).as_person()

    def refuse_foreign(self, headers: Headers) -> None:
        """Raise Forbidden if a page of another origin sends this request, which signs its browser in or out."""
        self._refuse_foreign(_Fields(headers), True)

    def _refuse_foreign(self, fields: _Fields, unsafe: bool) -> None:
        if self._keys is None and not may_address(fields.host, self._hosts):
            raise Forbidden(
                "A server without a key answers only requests to names of its own machine, such as localhost"
            )
        if unsafe and not same_origin(fields.host, fields.origin, fields.site, self._origins):
            raise Forbidden("A page of another origin may not do this")

    async def verify(self, token: str) -> Subject:
        """Return the subject of a token. Raises Unauthenticated with the fault of the token, or Unavailable."""
        if self._keys is None:
            return ANYONE
        if len(token) > LONGEST or not token.isascii():
            raise Unauthenticated(f"A token is at most {LONGEST} characters of ASCII")
        digest = digest_of(token)
        if digest in self._revoked:
            raise Unauthenticated("This session has ended: sign in again")
        subject = self._verified.pop(digest, None)
        if subject is None or subject.expires is None or subject.expires <= self._clock():
            subject = await self._verify(token, self._keys)
        self._verified[digest] = subject  # at the end of the order: the first is the one longest unused
        if len(self._verified) > REMEMBERED:
            del self._verified[next(iter(self._verified))]
        return subject

    def absent(self, name: str) -> Subject:
        """Return a person who sends no request now, with the topics of every person. Raises InvalidRequest."""
        if self._keys is None:
            return named(name)
        topics = Patterns(topics_of(name))
        return Subject(name, topics, topics, limits=PERSON, session=b"", admin=name in self._admins)

    def revoke(self, digest: bytes, expires: float) -> None:
        """Refuse the token with this `digest_of` until it expires anyway, at `expires` in Unix seconds."""
        now = self._clock()
        if expires > now:
            self._revoked[digest] = expires
        for watch in list(self.watched.get(digest, ())):
            watch.revoked()
        while self._revoked and next(iter(self._revoked.values())) <= now:
            del self._revoked[next(iter(self._revoked))]

    def watch(self, subject: Subject) -> Watch | None:
        """Return what ends a stream of the subject when its session ends; None for a subject whose session cannot."""
        person = subject.limits == PERSON and subject.session is not None
        return SessionWatch(self, subject.session) if person and subject.session is not None else None

    async def _verify(self, token: str, keys: Keys) -> Subject:
        try:
            header = jwt.get_unverified_header(token)
            stated = header.get("alg")
            key, algorithm = await keys.find(stated if isinstance(stated, str) else "", header.get("kid"))
            if stated != algorithm:
                raise Unauthenticated(f"The token must be signed with {algorithm}")
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "sub"], "verify_exp": False, "enforce_minimum_key_length": True},
            )
        except PyJWTError as error:
            raise Unauthenticated(_sentence(error)) from None
        subject = _subject(claims)
        if subject.expires is None or subject.expires <= self._clock():
            raise Unauthenticated("The token has expired")
        return replace(subject, session=digest_of(token), admin=subject.admin or subject.name in self._admins)


class SessionWatch(Watch):
    """Watches the session behind one open stream."""

    def __init__(self, authenticator: Authenticator, session: bytes) -> None:
        self._authenticator, self._session = authenticator, session
        self._end: Callable[[], None] | None = None

    def start(self, end: Callable[[], None]) -> None:
        self._end = end
        self._authenticator.watched.setdefault(self._session, set()).add(self)

    def revoked(self) -> None:
        """End the stream."""
        if self._end is not None:
            self._end()

    def stop(self) -> None:
        watched = self._authenticator.watched.get(self._session, set())
        watched.discard(self)
        if not watched:
            self._authenticator.watched.pop(self._session, None)


def digest_of(token: str) -> bytes:
    """Return the hash by which a token is remembered."""
    return hashlib.sha256(token.encode()).digest()


def token_of(headers: Headers) -> str | None:
    """Return the token in the cookie of a request, None without one. Raises Unauthenticated."""
    return _Fields(headers).cookie


class _Fields:
    """The headers that tell the sender of a request and the page it comes from."""

    __slots__ = ("bearer", "cookie", "host", "name", "origin", "site")

    def __init__(self, headers: Headers) -> None:
        self.bearer: str | None = None
        self.cookie: str | None = None
        self.name: str | None = None
        self.host: str | None = None
        self.origin: str | None = None
        self.site: str | None = None
        for name, value in headers:
            if name == b"authorization":
                self._authorization(value.decode("latin-1"))
            elif name == b"cookie":
                self._cookies(value.decode("latin-1"))
            elif name == b"host":
                self.host = _only(name, value, self.host)
            elif name == b"origin":
                self.origin = _only(name, value, self.origin)
            elif name == b"sec-fetch-site":
                self.site = _only(name, value, self.site)

    def _authorization(self, value: str) -> None:
        scheme, _, token = value.strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or self.bearer is not None:
            raise Unauthenticated("The header must be, once, `Authorization: Bearer TOKEN`")
        self.bearer = token.strip()

    def _cookies(self, value: str) -> None:
        for pair in value.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == COOKIE and value.strip() and self.cookie is None:
                self.cookie = value.strip()
            elif name.strip() == NAME_COOKIE and self.name is None:
                self.name = chosen_name(value.strip())


def _only(name: bytes, value: bytes, before: str | None) -> str:
    """Return the value of a header that comes once. Raises InvalidRequest.

    Of two, a proxy in front might have checked the other.
    """
    if before is not None:
        raise InvalidRequest(f"The header {name.decode().title()} comes once.")
    return value.decode("latin-1")


def _subject(claims: dict[str, Any]) -> Subject:
    name, expires = claims["sub"], claims["exp"]
    if not isinstance(name, str) or not 0 < len(name) <= 200 or not name.isprintable():
        raise Unauthenticated("The token's `sub` must be a name of at most 200 visible characters")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not 0 <= expires < 1e12:
        raise Unauthenticated("The token's `exp` must be a number of seconds")
    publish, subscribe, redact = (_patterns(claims, claim) for claim in ("publish", "subscribe", "redact"))
    admin = claims.get("admin", False)
    if not isinstance(admin, bool):
        raise Unauthenticated("The token's `admin` must be true or false")
    limits = _limits(claims.get("limits"))
    return Subject(name, publish, subscribe, float(expires) + LEEWAY, limits, redact, admin=admin)


def _limits(claim: object) -> Mapping[str, int] | Literal["person"] | None:
    try:
        return claim if claim is None or claim == PERSON else valid_limits(claim)
    except InvalidRequest as error:
        raise Unauthenticated(f"The token's `limits`: {error}") from None


def _patterns(claims: dict[str, Any], claim: str) -> Patterns:
    texts = claims.get(claim, [])
    if not isinstance(texts, list):
        raise Unauthenticated(f"The token's `{claim}` must be a list of topic patterns")
    try:
        return Patterns(texts)
    except InvalidRequest as error:
        raise Unauthenticated(f"The token's `{claim}`: {error}") from None


def _sentence(error: PyJWTError) -> str:
    match error:
        case MissingRequiredClaimError():
            return f"The token has no `{error.claim}`"
        case InvalidSignatureError():
            return "The token is signed with another key"
        case ImmatureSignatureError():
            return "The token is not valid yet"
        case InvalidAudienceError():
            return "The token is for another audience"
        case InvalidIssuerError():
            return "The token is from another issuer"
    return "The token is not a signed JSON Web Token"


def sign(
    secret: str,
    name: str,
    *,
    publish: Iterable[str],
    subscribe: Iterable[str],
    seconds: float,
    audience: str | None = None,
    issuer: str | None = None,
    limits: Mapping[str, int] | Literal["person"] | None = None,
    redact: Iterable[str] | None = None,
) -> str:
    """Return a token for `name`, good for `seconds` from now, signed with HS256.

    `limits`: "person" for the limits of people, or limits of its own. Raises InvalidRequest for a text that is not a
    pattern.
    """
    if not name:
        raise InvalidRequest("A token needs a subject, a name")
    now = int(time.time())
    claims = {
        "sub": name,
        "jti": secrets.token_hex(8),  # of two tokens made in one second, signing out ends one
        "iat": now,
        "exp": now + math.ceil(seconds),
        "publish": list(Patterns(publish).texts),
        "subscribe": list(Patterns(subscribe).texts),
    }
    about = {"aud": audience, "iss": issuer, "limits": limits, "redact": redact and list(Patterns(redact).texts)}
    return jwt.encode(claims | {k: v for k, v in about.items() if v is not None}, secret, algorithm="HS256")
