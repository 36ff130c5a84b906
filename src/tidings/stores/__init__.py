"""Where logs are kept. `open_store(url)` makes the store a URL names."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

from tidings.errors import Invalid
from tidings.stores.base import Store

__all__ = ["Store", "open_store"]

KNOWN = "memory:, sqlite:///file.db (relative) and sqlite:////folder/file.db (absolute)"


def open_store(url: str) -> Store:
    """The store named by `url`, not opened yet; raises Invalid.

    `memory:` · `sqlite:///relative.db` · `sqlite:////absolute.db`, `?durability=normal` (default `full`).
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "memory" and url == "memory:":
        from tidings.stores.memory import MemoryStore

        return MemoryStore()
    # `sqlite:x.db` would be a file named `.db`.
    if url.startswith("sqlite:///") and len(parts.path) > 1 and not parts.fragment:
        from tidings.stores.sqlite import SqliteStore

        durability = options.pop("durability", "full")
        if options or durability not in ("full", "normal"):
            raise Invalid("The option of a sqlite store's URL is durability=full or durability=normal.")
        return SqliteStore(unquote(parts.path[1:]), durability=durability)
    raise Invalid(f"This is no store's URL. Known are {KNOWN}.")
