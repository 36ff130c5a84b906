"""The keys that verify tokens: one secret or one public key. `key_set` fetches a set of keys from its URL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tidings.errors import InvalidRequest


class Keys(Protocol):
    """A source of keys. `find` returns a key and the one algorithm that the key is good for."""

    async def find(self, algorithm: str, key_id: str | None) -> tuple[Any, str]:
        """Return the key for a token with this header. Raises Unauthenticated, or Unavailable while no key is known."""


class OneKey:
    """A secret (HS256), or a public key in PEM with the one algorithm of its kind (RS256, ES256 or EdDSA)."""

    def __init__(self, key: Any, algorithm: str, algorithms: Sequence[str]) -> None:
        if algorithms and algorithm not in algorithms:
            raise InvalidRequest(
                f"The key is for {algorithm}, which is not among the algorithms {', '.join(algorithms)}"
            )
        self._key, self._algorithm = key, algorithm

    @classmethod
    def secret(cls, secret: str, algorithms: Sequence[str] = ()) -> OneKey:
        """Return the key of a secret. Raises InvalidRequest for a short secret and for a public key."""
        if len(secret.encode()) < 32:
            raise InvalidRequest("The secret is shorter than 32 bytes")
        if "-----BEGIN" in secret:
            raise InvalidRequest(
                "The secret is a key in PEM. A public key belongs to public_key; a private key belongs to the issuer"
            )
        return cls(secret.encode(), "HS256", algorithms)

    @classmethod
    def public(cls, pem: str, algorithms: Sequence[str] = ()) -> OneKey:
        """Return a public key. Raises InvalidRequest for other texts, and for keys of other kinds."""
        try:
            key = load_pem_public_key(pem.encode())
        except (ValueError, TypeError):
            raise InvalidRequest("The public key is not in PEM, which begins with -----BEGIN PUBLIC KEY-----") from None
        if isinstance(key, RSAPublicKey) and key.key_size >= 2048:
            return cls(key, "RS256", algorithms)
        if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            return cls(key, "ES256", algorithms)
        if isinstance(key, Ed25519PublicKey):
            return cls(key, "EdDSA", algorithms)
        raise InvalidRequest("The public key must be RSA with at least 2048 bits, P-256 or Ed25519")

    async def find(self, algorithm: str, key_id: str | None) -> tuple[Any, str]:
        return self._key, self._algorithm
