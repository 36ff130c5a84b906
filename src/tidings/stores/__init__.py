"""Where logs are kept. `open_store(url)` makes the store a URL names."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from tidings.errors import InvalidRequest
from tidings.log.port import Store

__all__ = ["Store", "open_store"]

KNOWN = "memory:, sqlite:///file.db (relative) and sqlite:////folder/file.db (absolute)"


def open_store(url: str) -> Store:
    """The store named by `url`, not opened yet; raises InvalidRequest.

    `memory:` · `sqlite:///relative.db` · `sqlite:////absolute.db`, `?durability=normal` (default `full`).
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "memory" and url == "memory:":
        from .memory import MemoryStore

        return MemoryStore()
    # `sqlite:x.db` would be a file named `.db`.
    if url.startswith("sqlite:///") and len(parts.path) > 1 and not parts.fragment:
        from .sqlite.store import SqliteStore

        durability = options.pop("durability", "full")
        if options or durability not in ("full", "normal"):
            raise InvalidRequest("The option of a sqlite store's URL is durability=full or durability=normal.")
        return SqliteStore(unquote(parts.path[1:]), durability=durability)
    raise InvalidRequest(f"This is no store's URL. Known are {KNOWN}.")
