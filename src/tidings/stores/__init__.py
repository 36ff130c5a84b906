"""The engines that keep logs. `open_store(url)` makes the store that a URL names."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from tidings.errors import InvalidRequest, missing_package
from tidings.log.port import MovableStore, Store

__all__ = ["Store", "database_of", "open_store"]

KNOWN = (
    "memory:, sqlite:///file.db (relative), sqlite:////folder/file.db (absolute) and postgresql://user@host/database"
)


def open_store(url: str) -> MovableStore:
    """Return the store that `url` names, not opened yet. Raises InvalidRequest.

    `memory:` · `sqlite:///relative.db` · `sqlite:////absolute.db`, `?durability=normal` (default `full`) ·
    `postgresql://user:password@host:port/database`, with libpq's options and those of `postgres.address`.
    """
    if url == "memory:":
        from .memory import MemoryStore

        return MemoryStore()
    if is_postgres(url):
        try:
            from .postgres.store import PostgresStore
        except ModuleNotFoundError as error:
            raise InvalidRequest(missing_package(error, "postgres")) from None
        return PostgresStore(url)
    path, durability = _sqlite(url)
    from .sqlite.store import SqliteStore

    return SqliteStore(path, durability=durability)


def database_of(url: str) -> str:
    """Return the path of the SQLite file that `url` names. Raises InvalidRequest if it names another store."""
    if url == "memory:":
        raise InvalidRequest("A store in memory has no file. Name the store's file by --store sqlite:///FILE.")
    if is_postgres(url):
        raise InvalidRequest(
            "A PostgreSQL store is backed up by pg_dump and restored by pg_restore, the engine's own tools: see "
            "docs/stores.md."
        )
    return _sqlite(url)[0]


def is_postgres(url: str) -> bool:
    """Tell whether a URL names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def _sqlite(url: str) -> tuple[str, str]:
    """The path and the durability in a sqlite URL."""
    # `sqlite:x.db` would be a file named `.db`.
    parts = urlsplit(url if url.startswith("sqlite:///") else "")
    if len(parts.path) < 2 or parts.fragment:
        raise InvalidRequest(f"This is not the URL of a store. Known are {KNOWN}.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    durability = options.pop("durability", "full")
    if options or durability not in ("full", "normal"):
        raise InvalidRequest("The option of a sqlite store's URL is durability=full or durability=normal.")
    return unquote(parts.path[1:]), durability
