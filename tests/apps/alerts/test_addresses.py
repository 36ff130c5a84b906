"""Addresses that a webhook may connect to."""

from __future__ import annotations

import asyncio
from typing import Any

import httpcore
import pytest

from tidings.apps.alerts.addresses import PublicBackend, Refused, is_public

LOCAL = ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"]
ODD = ["224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1"]
WRAPPED = [
    "fec0::1",
    "3fff::1",
    "192.0.0.8",
    "192.0.0.170",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "name",
]


@pytest.mark.parametrize("address", [*LOCAL, *ODD, *WRAPPED])
def test_an_address_that_is_not_of_the_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_address_of_the_internet(address: str) -> None:
    assert is_public(address)


async def test_a_name_is_looked_up_once_and_its_checked_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that answers differently each time gains nothing."""
    looked, connected = [], []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        looked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in ("10.0.0.1", "8.8.8.8")]

    async def connect(self: Any, host: str, port: int, *_: Any) -> None:
        connected.append(host)

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    await PublicBackend(private=False).connect_tcp("rebinding.example", 443)
    assert (looked, connected) == (["rebinding.example"], ["8.8.8.8"])
    await PublicBackend(private=True).connect_tcp("rebinding.example", 443)
    assert connected == ["8.8.8.8", "10.0.0.1"]


async def test_a_private_address_is_refused_at_the_connection() -> None:
    pool = httpcore.AsyncConnectionPool(network_backend=PublicBackend(private=False))
    for url in ("http://127.0.0.1:9/", "http://localhost:9/", "http://[::ffff:127.0.0.1]:9/", "http://2130706433:9/"):
        with pytest.raises(Refused):
            await pool.request("POST", url)
    with pytest.raises(Refused):
        await PublicBackend(private=True).connect_unix_socket("/tmp/socket")
    await pool.aclose()
