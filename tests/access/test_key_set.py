"""Key sets: fetched once, kept while the issuer is down, and fetched again when they are old."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import httpx
import pytest
from jwt.algorithms import get_default_algorithms

from tests.access.test_keys import PRIVATE, jwk, token
from tidings.access import key_set
from tidings.access.key_set import KeySet
from tidings.access.tokens import Authenticator
from tidings.errors import InvalidRequest, Unauthenticated, Unavailable


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://id.example/", "http://id.example/keys", "https://"])
def test_a_key_set_comes_by_https(url: str) -> None:
    with pytest.raises(InvalidRequest, match="https"):
        KeySet(url)
    KeySet("http://127.0.0.1:9/keys")


class Issuer:
    """An issuer with a key set, and a clock."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self.entries: list[Any] = list(entries)
        self.now = 1000.0
        self.asked = 0
        self.down = False
        self.set = KeySet("https://id.example/keys", download=self.download, clock=lambda: self.now)

    def download(self, url: str) -> bytes:
        self.asked += 1
        if self.down:
            raise httpx.ConnectError("down")
        return json.dumps({"keys": self.entries}).encode()


async def test_a_key_set_is_fetched_once_for_all_waiting_requests() -> None:
    issuer = Issuer(*(jwk(algorithm, algorithm) for algorithm in PRIVATE))
    found = await asyncio.gather(*(issuer.set.find(algorithm, algorithm) for algorithm in [*PRIVATE] * 20))
    assert [algorithm for _, algorithm in found] == [*PRIVATE] * 20
    assert issuer.asked == 1


async def test_a_new_key_is_fetched_and_made_up_ids_are_not_asked_for_again_and_again() -> None:
    issuer = Issuer(jwk("RS256", "one"))
    await issuer.set.find("RS256", "one")
    for _ in range(100):
        with pytest.raises(Unauthenticated, match="not in the key set"):
            await issuer.set.find("RS256", "two")
    assert issuer.asked == 1
    issuer.entries.append(jwk("ES256", "two"))
    issuer.now += key_set.PAUSE + 1
    assert (await issuer.set.find("ES256", "two"))[1] == "ES256"
    assert issuer.asked == 2


async def test_a_key_set_is_fetched_again_after_ten_minutes_and_for_a_new_id_after_ten_seconds() -> None:
    issuer = Issuer(jwk("RS256", "one"))
    await issuer.set.find("RS256", "one")
    for seconds, id, asked in [(600, "one", 1), (0.5, "one", 2), (10, "two", 2), (0.5, "two", 3)]:
        issuer.now += seconds
        with contextlib.suppress(Unauthenticated):
            await issuer.set.find("RS256", id)
        assert issuer.asked == asked


async def test_a_key_that_was_taken_back_is_refused_when_the_set_is_fresh_no_more() -> None:
    issuer = Issuer(jwk("RS256", "one"), jwk("ES256", "two"))
    await issuer.set.find("RS256", "one")
    issuer.entries.pop(0)
    await issuer.set.find("RS256", "one")
    issuer.now += key_set.FRESH + 1
    with pytest.raises(Unauthenticated):
        await issuer.set.find("RS256", "one")


async def test_the_keys_stay_in_use_while_the_issuer_is_down() -> None:
    issuer = Issuer(jwk("RS256", "one"))
    issuer.down = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            await issuer.set.find("RS256", "one")
    assert issuer.asked == 1
    issuer.down = False
    issuer.now += key_set.PAUSE + 1
    await issuer.set.find("RS256", "one")
    issuer.down = True
    issuer.now += key_set.FRESH + 1
    assert (await issuer.set.find("RS256", "one"))[1] == "RS256"


async def test_a_token_without_a_key_id_needs_an_only_key() -> None:
    issuer = Issuer(jwk("RS256", "one"), jwk("ES256", None))
    assert (await issuer.set.find("RS256", None))[1] == "RS256"
    issuer = Issuer(jwk("RS256", "one"), jwk("RS256", "two"))
    with pytest.raises(Unauthenticated):
        await issuer.set.find("RS256", None)


async def test_entries_we_do_not_take_are_left_out() -> None:
    shared = {"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", "kid": "oct", "alg": "HS256"}
    private = json.loads(get_default_algorithms()["RS256"].to_jwk(PRIVATE["RS256"])) | {"kid": "private"}
    issuer = Issuer(
        shared, private, jwk("RS256", "enc", use="enc"), jwk("RS256", "512", alg="RS512"), jwk("RS256", "ok")
    )
    issuer.entries += [None, 7, "x", {}, {"kty": "RSA"}, {"kty": "RSA", "n": "!", "e": 1}]
    assert (await issuer.set.find("RS256", "ok"))[1] == "RS256"
    for algorithm, name in [("HS256", "oct"), ("RS256", "private"), ("RS256", "enc"), ("RS512", "512"), ("", "ok")]:
        with pytest.raises(Unauthenticated):
            await issuer.set.find(algorithm, name)


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'{"keys": 7}', b'{"keys": []}', b"\xff", b"<html>"])
async def test_an_invalid_key_set_is_refused(body: bytes) -> None:
    with pytest.raises(Unavailable):
        await KeySet("https://id.example/keys", download=lambda url: body).find("RS256", "one")


async def test_a_key_set_over_http(httpserver_url: str) -> None:
    authenticator = Authenticator(jwks_url=httpserver_url + "/keys")
    assert (await authenticator.verify(token(PRIVATE["ES256"], "ES256", "two"))).name == "ann"
    with pytest.raises(Unauthenticated):
        await authenticator.verify(token(PRIVATE["ES256"], "ES256", "one"))
    with pytest.raises(Unavailable):
        await Authenticator(jwks_url=httpserver_url + "/huge").verify(token(PRIVATE["ES256"], "ES256", "two"))
    with pytest.raises(Unavailable):
        await Authenticator(jwks_url=httpserver_url + "/moved").verify(token(PRIVATE["ES256"], "ES256", "two"))


@pytest.fixture
async def httpserver_url() -> Any:
    """A small issuer on loopback."""
    document = json.dumps({"keys": [jwk("RS256", "one"), jwk("ES256", "two")]}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        body = document if path == b"/keys" else b"x" * (key_set.LARGEST + 1)
        status = b"301 Moved\r\nLocation: /keys" if path == b"/moved" else b"200 OK"
        writer.write(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
