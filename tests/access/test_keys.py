"""Keys: a secret and a public key, and that no kind is taken for another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from tidings.access.key_set import KeySet
from tidings.access.keys import OneKey
from tidings.access.tokens import Authenticator
from tidings.errors import InvalidRequest, Unauthenticated

SECRET = "0123456789abcdef0123456789abcdef"

MAKE: dict[str, Callable[[], Any]] = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}

PRIVATE = {algorithm: make() for algorithm, make in MAKE.items()}


def pem(private: Any) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(algorithm: str, key_id: str | None, **more: Any) -> dict[str, Any]:
    entry = json.loads(get_default_algorithms()[algorithm].to_jwk(PRIVATE[algorithm].public_key()))
    return entry | ({} if key_id is None else {"kid": key_id}) | more


def token(key: Any, algorithm: str, key_id: str | None = None) -> str:
    claims = {"sub": "ann", "exp": time.time() + 60}
    return jwt.encode(claims, key, algorithm, None if key_id is None else {"kid": key_id})


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_a_public_key_verifies_its_own_kind_only(algorithm: str) -> None:
    authenticator = Authenticator(public_key=pem(PRIVATE[algorithm]))
    assert (await authenticator.verify(token(PRIVATE[algorithm], algorithm))).name == "ann"
    for other in PRIVATE:
        if other != algorithm:
            with pytest.raises(Unauthenticated, match=f"must be signed with {algorithm}"):
                await authenticator.verify(token(PRIVATE[other], other))
    with pytest.raises(Unauthenticated, match="another key"):
        await authenticator.verify(token(MAKE[algorithm](), algorithm))


@pytest.mark.parametrize("algorithm", PRIVATE)
async def test_a_public_key_is_no_secret(algorithm: str) -> None:
    """The classic confusion: everyone has the public key, so everyone could sign HS256 with it."""
    public = pem(PRIVATE[algorithm])
    header, claims = token(SECRET, "HS256").split(".")[:2]
    hmac = get_default_algorithms()["HS256"]
    signature = jwt.utils.base64url_encode(hmac.sign(f"{header}.{claims}".encode(), public.encode())).decode()
    with pytest.raises(Unauthenticated):
        await Authenticator(public_key=public).verify(f"{header}.{claims}.{signature}")
    with pytest.raises(InvalidRequest, match="PEM"):
        Authenticator(secret=public)


@pytest.mark.parametrize(
    "key",
    ["", "rubbish", pem(ec.generate_private_key(ec.SECP384R1())), pem(rsa.generate_private_key(65537, 1024))],
    ids=["empty", "rubbish", "P-384", "RSA 1024"],
)
def test_other_public_keys_are_refused(key: str) -> None:
    with pytest.raises(InvalidRequest, match="public key"):
        OneKey.public(key)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="32 bytes"):
        OneKey.secret("x" * 31)


def test_algorithms_must_go_with_the_key() -> None:
    OneKey.secret(SECRET, ["HS256"])
    with pytest.raises(InvalidRequest, match="HS256"):
        OneKey.secret(SECRET, ["RS256"])
    with pytest.raises(InvalidRequest, match="ES256"):
        OneKey.public(pem(PRIVATE["ES256"]), ["RS256"])
    with pytest.raises(InvalidRequest, match="HS256"):
        KeySet("https://id.example/keys", ["HS256"])
