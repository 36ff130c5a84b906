"""PURE: who asks, by what name, and whether a page of ours does; from the headers a browser cannot be made to forge."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection


def is_loopback(host: str) -> bool:
    """Whether `host`, a name or an address without a port, is this machine itself."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def name_of(authority: str) -> str:
    """The name or address in a Host header, without its port, in lower case."""
    authority = authority.strip().lower()
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0]


def may_address(host: str | None, hosts: Collection[str]) -> bool:
    """Whether a request with this Host header speaks to loopback or to one of `hosts`.

    A page that points its own name at 127.0.0.1 (DNS rebinding) makes the browser think it is same-origin with us, but
    must send that name. None, no Host header at all, is no browser.
    """
    if host is None:
        return True
    name = name_of(host)
    return is_loopback(name) or name in hosts


def same_origin(host: str | None, origin: str | None, site: str | None, origins: Collection[str]) -> bool:
    """Whether a request came from a page of ours, of one of `origins`, or from no page at all.

    `host`, `origin` and `site` are the headers Host, Origin and Sec-Fetch-Site. Browsers send the last only to https
    and loopback, and Origin with everything but plain reads. The scheme is left out of the comparison, as a proxy in
    front may speak https where we hear http.
    """
    if origin is not None and origin.lower() in origins:
        return True
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True
    return host is not None and origin.lower().partition("://")[2] == host.strip().lower()
