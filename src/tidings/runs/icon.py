"""The icon of an assistant: a letter or an emoji, or a picture that is read from a file."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from tidings.errors import InvalidRequest

LARGEST = 64 * 1024
"""Bytes of a picture. It is shown 28 pixels wide."""

LONGEST = 12
"""Code points of an emoji: a family of four has 7, and the flag of Scotland has 7."""

KINDS = {
    ".svg": (
        "image/svg+xml",
        re.compile(rb"\A\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>\[]*>\s*)?<svg\b", re.S),
    ),
    ".png": ("image/png", re.compile(rb"\A\x89PNG\r\n\x1a\n")),
    ".webp": ("image/webp", re.compile(rb"\ARIFF....WEBP", re.S)),
    ".jpg": ("image/jpeg", re.compile(rb"\A\xff\xd8\xff")),
    ".jpeg": ("image/jpeg", re.compile(rb"\A\xff\xd8\xff")),
}
"""The media type of a picture by the suffix of its file, and the bytes with which such a file begins."""


class Picture(NamedTuple):
    """The bytes of a picture. `digest` names them, so that a browser may keep them for ever."""

    body: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:16]


def read_icon(icon: str | Path) -> str | Picture:
    """Return the letter or the emoji, or the picture of a file.

    A text with a slash or with the suffix of a picture is a path. Raises InvalidRequest, with what to do.
    """
    if isinstance(icon, Path) or "/" in icon or Path(icon).suffix.lower() in KINDS:
        return _picture(Path(icon))
    return _sign(icon)


def _picture(path: Path) -> Picture:
    media_type, beginning = KINDS.get(path.suffix.lower(), ("", None))
    if beginning is None:
        raise InvalidRequest(f"The icon {path} is no picture. Give a file that ends with {', '.join(KINDS)}.")
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError:
        raise InvalidRequest(
            f"The icon {path} cannot be read. A relative path begins in the directory where the server is started: "
            'Path(__file__).with_name("icon.svg") is a file beside the module.'
        ) from None
    if len(body) > LARGEST:
        raise InvalidRequest(f"The icon {path} is larger than {LARGEST // 1024} KiB.")
    if not beginning.match(body):
        raise InvalidRequest(f"The icon {path} is not a picture of the kind that its name says.")
    return Picture(body, media_type)


def _sign(icon: str) -> str:
    """Check that a text is one letter or two, or one emoji. An emoji may be made of several code points."""
    sign = icon.strip()
    kinds = [unicodedata.category(character) for character in sign]
    words = sum(kind[0] in "LN" for kind in kinds)
    joined = all(
        kind[0] not in "CZ" or character == "\u200d" or character >= "\U000e0020"
        for kind, character in zip(kinds, sign, strict=True)
    )
    if not sign or len(sign) > LONGEST or words > 2 or not joined or (sign.isascii() and len(sign) > 2):
        raise InvalidRequest(
            f"The icon {icon[:40]!r} is no icon. Give one letter, one emoji, or the path of a picture."
        )
    return sign
