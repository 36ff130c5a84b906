"""The URL of a PostgreSQL store: what the driver gets of it, and what is Tidings' own."""

from __future__ import annotations

import os
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tidings.errors import InvalidRequest

DRIVERS = frozenset(
    {
        *("host", "port", "user", "password", "passfile", "dbname"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslpassword"),
    }
)
"""Options of libpq that the driver understands."""

FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
"""Options that name a file without which no connection is made."""

POOL = 10
"""Connections that a process opens at most, beside the one that listens."""

USAGE = (
    "The options of a postgresql store's URL are pool=NUMBER from 2 to 100, listen=HOST:PORT, and libpq's "
    "host, port, user, password, passfile, dbname and ssl… options."
)


class Address(NamedTuple):
    """The place of the engine. Both URLs hold the password: never show them.

    `url`: of the connections that read and write, which may pass through a pooler. `direct`: of the connection that
    listens, which may not. `pool`: the most connections of the first kind. `pooled`: these pass through a pooler.
    """

    url: str
    direct: str
    pool: int
    pooled: bool

    def __repr__(self) -> str:
        return "Address(…)"


def parse_address(url: str) -> Address:
    """Take the URL of a store apart. Raises InvalidRequest, without any part of the URL."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise InvalidRequest(USAGE) from None
    pool, listen = options.pop("pool", str(POOL)), options.pop("listen", "")
    if parts.fragment or set(options) - DRIVERS or not (pool.isascii() and pool.isdigit() and 2 <= int(pool) <= 100):
        raise InvalidRequest(USAGE)
    query = urlencode(options, quote_via=quote)
    user, at, _ = parts.netloc.rpartition("@")
    direct = parts.netloc
    if listen:
        host, _, port = listen.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()):
            raise InvalidRequest(USAGE)
        direct = user + at + listen
    return Address(
        urlunsplit(("postgresql", parts.netloc, parts.path, query, "")),
        urlunsplit(("postgresql", direct, parts.path, query, "")),
        int(pool),
        bool(listen),
    )


def unreadable(url: str) -> str:
    """Return the option of an address's URL that names a file which cannot be read; empty if there is none."""
    options = dict(parse_qsl(urlsplit(url).query))
    return next((name for name in FILES if name in options and not os.access(options[name], os.R_OK)), "")
