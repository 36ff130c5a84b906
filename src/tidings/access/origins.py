"""PURE: checks of the host and the origin of a request, by headers that no page can make a browser forge."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Collection


@functools.lru_cache(maxsize=128)
def is_loopback(host: str) -> bool:
    """Return True if `host`, a name or an address without a port, is this machine itself."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def name_of(authority: str) -> str:
    """Return the name or address in a Host header, without its port, in lower case."""
    authority = authority.strip().lower()
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0]


def may_address(host: str | None, hosts: Collection[str]) -> bool:
    """Return True if a request with this Host header is addressed to loopback or to one of `hosts`.

    A page that points its own name at 127.0.0.1 (DNS rebinding) has the origin of this server for its browser, but its
    requests carry the page's name. Browsers always send the header; None is for a program that does not.
    """
    if host is None:
        return True
    name = name_of(host)
    return is_loopback(name) or name in hosts


def same_origin(host: str | None, origin: str | None, site: str | None, origins: Collection[str]) -> bool:
    """Return True if a request came from this server's own page, from a page of `origins`, or from no page.

    `host`, `origin` and `site` are the headers Host, Origin and Sec-Fetch-Site. Browsers send Sec-Fetch-Site only to
    https and loopback, and Origin with everything but plain reads. The schemes are not compared, since a proxy in front
    may serve https while this server serves http.
    """
    if origin is not None and origin.lower() in origins:
        return True
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True
    scheme, _, authority = origin.lower().partition("://")
    return host is not None and scheme in ("http", "https") and authority == host.strip().lower()
