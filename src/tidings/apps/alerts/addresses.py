"""Connections to public addresses only: the address that was looked up and checked is the one that is connected to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable

import httpcore

NAT64 = ipaddress.ip_network("64:ff9b::/96")

SPECIAL = [ipaddress.ip_network(text) for text in ("192.0.0.0/24", "3fff::/20")]
"""Networks of the registries of IANA for special purposes that the `is_global` of some Python takes for public."""


class Refused(Exception):
    """The name of the receiver leads to no address that is allowed."""


def is_public(address: str) -> bool:
    """Tell whether an address is one of the internet: not loopback, private, link-local, multicast or reserved, also
    where IPv6 wraps an address of IPv4."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if int(found) >> 32 == 0:  # the old form of an address of IPv4
            return False
        if found.is_site_local:
            return False
    special = found.is_multicast or found.is_reserved or any(found in network for network in SPECIAL)
    return found.is_global and not special


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects to allowed addresses. `private`: all are allowed."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the name up, and connect to the first of its addresses that is allowed. Raises Refused."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        allowed = [address for address in addresses if self._private or is_public(address)]
        if not allowed:
            raise Refused("The URL leads to a private address.")
        return await self._backend.connect_tcp(allowed[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise Refused("A webhook is no socket of this machine.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
