"""A JSON Web Key Set: the keys that verify tokens, fetched from their URL."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from tidings.errors import InvalidRequest, Unauthenticated, Unavailable

from .origins import is_loopback

log: logging.Logger = logging.getLogger("tidings.keys")

ASYMMETRIC = ("RS256", "ES256", "EdDSA")

FRESH = 600.0
"""Seconds for which a fetched key set is used without being fetched again."""

PAUSE = 10.0
"""Seconds between two fetches, so that tokens with invented key ids cannot make this server flood the issuer."""

LARGEST = 256 * 1024
"""Bytes of the largest document that is fetched."""


def must_be_private(url: str, what: str) -> None:
    """Raise InvalidRequest unless `url` is an https address, or an http address of this machine."""
    try:
        address = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise InvalidRequest(f"{what} is not a valid URL") from None
    if not address.host or (address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.host))):
        raise InvalidRequest(f"{what} must use https")


def download(url: str) -> bytes:
    """Return the body at `url`. Blocks. Raises httpx.HTTPError, also for more than LARGEST bytes."""
    with httpx.Client(timeout=5, follow_redirects=False) as client, client.stream("GET", url) as response:
        response.raise_for_status()
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > LARGEST:
                raise httpx.HTTPError(f"more than {LARGEST} bytes")
        return body


class KeySet:
    """A JSON Web Key Set (RFC 7517), fetched off the event loop.

    The set is fetched when first needed, again after FRESH seconds, and for a key id that it does not hold, but at most
    once in PAUSE seconds. If a later fetch fails, the keys at hand stay valid: an outage of the issuer must not become
    an outage here.
    """

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
            raise InvalidRequest(f"A key set holds public keys, which {wrong[0]} does not use")
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
            raise Unavailable("The keys that verify tokens cannot be fetched now. Try again in a while")
        if (key := self._choose(algorithm, key_id)) is None:
            raise Unauthenticated("The token is signed with a key that is not in the key set")
        return key.key, key.algorithm_name

    def _due(self, algorithm: str, key_id: str | None) -> bool:
        now = self._clock()
        wanted = now - self._fetched > FRESH or self._choose(algorithm, key_id) is None
        return wanted and now - self._asked > PAUSE

    def _choose(self, algorithm: str, key_id: str | None) -> PyJWK | None:
        """Return the key with this id; for a token without an id, the only key of this algorithm."""
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
            log.warning("the key set has no key for %s", ", ".join(sorted(self._algorithms)))

    def _key(self, entry: Any) -> PyJWK | None:
        """Return the public key of an entry, None for an entry of another kind or use."""
        try:
            key = PyJWK(entry)
        except (PyJWTError, AttributeError, TypeError):
            return None
        if "d" in entry:
            return None
        return key if key.algorithm_name in self._algorithms and key.public_key_use in (None, "sig") else None
