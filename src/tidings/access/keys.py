"""The keys that verify tokens: one secret, one public key, or a key set fetched from its URL."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from tidings.errors import InvalidRequest, Unauthenticated, Unavailable

from .origins import is_loopback

log = logging.getLogger("tidings.keys")

ASYMMETRIC = ("RS256", "ES256", "EdDSA")

FRESH = 600.0
"""Seconds for which a fetched key set is believed without asking again."""

PAUSE = 10.0
"""Seconds between two fetches, so that tokens with made-up key ids cannot make us hammer whoever has the key set."""

LARGEST = 256 * 1024
"""Bytes of the largest document that is read."""


class Keys(Protocol):
    """Where a token's key is found. `find` answers the key and the one algorithm it is good for."""

    async def find(self, algorithm: str, key_id: str | None) -> tuple[Any, str]:
        """The key for a token whose header says so. Raises Unauthenticated, or Unavailable if nobody can tell now."""


class OneKey:
    """A secret (HS256) or a public key in PEM (RS256, ES256 or EdDSA, by its own kind and no other)."""

    def __init__(self, key: Any, algorithm: str, algorithms: Sequence[str]) -> None:
        if algorithms and algorithm not in algorithms:
            raise InvalidRequest(
                f"The key is one for {algorithm}, which is not among the algorithms {', '.join(algorithms)}"
            )
        self._key, self._algorithm = key, algorithm

    @classmethod
    def secret(cls, secret: str, algorithms: Sequence[str] = ()) -> OneKey:
        """Raises InvalidRequest if it is short, or is a public key, which everybody has."""
        if len(secret.encode()) < 32:
            raise InvalidRequest("The secret is shorter than 32 bytes")
        if "-----BEGIN" in secret:
            raise InvalidRequest("The secret is a key in PEM: a public key goes to public_key, a private one nowhere")
        return cls(secret.encode(), "HS256", algorithms)

    @classmethod
    def public(cls, pem: str, algorithms: Sequence[str] = ()) -> OneKey:
        """Raises InvalidRequest if it is no public key, or none of a kind we take."""
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, TypeError):
            raise InvalidRequest(
                "The public key is not one in PEM, which begins with -----BEGIN PUBLIC KEY-----"
            ) from None
        if isinstance(key, RSAPublicKey) and key.key_size >= 2048:
            return cls(key, "RS256", algorithms)
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            return cls(key, "ES256", algorithms)
        if isinstance(key, Ed25519PublicKey):
            return cls(key, "EdDSA", algorithms)
        raise InvalidRequest("The public key is none of RSA with at least 2048 bits, P-256 or Ed25519")

    async def find(self, algorithm: str, key_id: str | None) -> tuple[Any, str]:
        return self._key, self._algorithm


def must_be_private(url: str, what: str) -> None:
    """Raises InvalidRequest unless nobody on the way can read or change what goes to `url` and comes from there."""
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise InvalidRequest(f"{what} is none") from None
    if not address.host or (address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.host))):
        raise InvalidRequest(f"{what} must be an https one")


def download(url: str) -> bytes:
    """The body at `url`, at most LARGEST bytes of it. Blocks; raises httpx.HTTPError."""
    with httpx.Client(timeout=5, follow_redirects=False) as client, client.stream("GET", url) as response:
        response.raise_for_status()
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST:
                raise httpx.HTTPError(f"more than {LARGEST} bytes")
        return body


class KeySet:
    """A JSON Web Key Set (RFC 7517). It is fetched off the event loop, when first needed, when it is FRESH no more, and
    for a key id it does not hold, but at most once in PAUSE seconds. If it cannot be fetched again, the keys we
    have go on being good: an outage over there must not become one here."""

    def __init__(
        self,
        url: str,
        algorithms: Sequence[str] = (),
        *,
        download: Callable[[str], bytes] = download,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        must_be_private(url, "The key set's URL")
        if wrong := [name for name in algorithms if name not in ASYMMETRIC]:
            raise InvalidRequest(f"A key set holds public keys, which are not for {wrong[0]}")
        self._url, self._algorithms = url, frozenset(algorithms or ASYMMETRIC)
        self._download, self._clock = download, clock
        self._keys: list[PyJWK] = []
        self._asked = self._fetched = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, algorithm: str, key_id: str | None) -> tuple[Any, str]:
        if self._due(algorithm, key_id):
            async with self._lock:
                if self._due(algorithm, key_id):
                    await self._fetch()
        if not self._keys:
            raise Unavailable("The keys that verify tokens cannot be fetched now; try again in a while")
        if (key := self._choose(algorithm, key_id)) is None:
            raise Unauthenticated("The token is signed with a key that is not in the key set")
        return key.key, key.algorithm_name

    def _due(self, algorithm: str, key_id: str | None) -> bool:
        now = self._clock()
        wanted = now - self._fetched > FRESH or self._choose(algorithm, key_id) is None
        return wanted and now - self._asked > PAUSE

    def _choose(self, algorithm: str, key_id: str | None) -> PyJWK | None:
        """The key of that id; for a token without one, the only key of that algorithm."""
        fit = [key for key in self._keys if key.algorithm_name == algorithm and key_id in (None, key.key_id)]
        return fit[0] if len(fit) == 1 else None

    async def _fetch(self) -> None:
        try:
            document = json.loads(await asyncio.to_thread(self._download, self._url))
            found = [key for entry in document["keys"] if (key := self._key(entry)) is not None]
        except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the key set could not be fetched: %s", error)
            return
        finally:
            self._asked = self._clock()
        if found:
            self._keys, self._fetched = found, self._clock()
        else:
            log.warning("the key set holds no key for %s", ", ".join(sorted(self._algorithms)))

    def _key(self, entry: Any) -> PyJWK | None:
        """The key an entry describes, if it is a public one for verifying that we take. Others are not our business."""
        try:
            key = PyJWK(entry)
        except (PyJWTError, AttributeError, TypeError):
            return None
        if "d" in entry:
            return None
        return key if key.algorithm_name in self._algorithms and key.public_key_use in (None, "sig") else None
