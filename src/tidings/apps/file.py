"""PURE: names of files, and the kinds of files that browsers and assistants can read."""

from __future__ import annotations

import re
import unicodedata

import msgspec

from tidings.errors import InvalidRequest

ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
"""The id of a file."""

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
"""Media types of pictures that a browser may show in a page, because it runs no script in them."""

FILMS = ("video/mp4", "video/webm")
"""Media types of films that a browser may play, for the same reason."""

MAX_NAME = 200

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that reverse the text after them: a name that ends in `gnp.exe` would be shown with `exe.png`."""

_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that was uploaded. `type`: its media type, as its uploader says; `size` in bytes."""

    id: str
    name: str
    type: str
    size: int


def valid_name(name: str) -> str:
    """Return `name` if it is a valid name of a file. Raises InvalidRequest."""
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidRequest(f"A file's name has 1 to {MAX_NAME} characters.")
    if any(c in "/\\" or c in _BIDI or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        raise InvalidRequest("A file's name is one line of printable characters, without `/` and `\\`.")
    return name


def valid_media_type(header: str) -> str:
    """Return the media type of a Content-Type, without parameters. Raises InvalidRequest."""
    type = header.partition(";")[0].strip().lower()
    if not _TYPE.fullmatch(type):
        raise InvalidRequest("A file has a media type, such as `application/pdf`, as its Content-Type.")
    return type
