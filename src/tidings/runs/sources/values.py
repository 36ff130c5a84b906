"""Values of other people's code, made fit for an event: JSON, UTF-8, of bounded size."""

from __future__ import annotations

from typing import Any

import msgspec

from tidings.errors import TooLarge
from tidings.events import check_nesting

LIMIT = 256 * 1024
"""Bytes of JSON of one value. An event holds 1 MB, and the viewers of a run need no more of a tool's output."""
BEGINNING = 4096


def jsonable(value: Any) -> Any:
    """`value` as JSON can say it. What it cannot say becomes text; what is over LIMIT is
    `{"truncated": true, "bytes": …, "beginning": …}`."""
    text = _encoded(value)
    if len(text) > LIMIT:
        return {"truncated": True, "bytes": len(text), "beginning": text[:BEGINNING].decode(errors="ignore")}
    return msgspec.json.decode(text)


def entire(value: Any) -> Any:
    """`value` as JSON can say it, never cut. Raises TooLarge for what is over LIMIT."""
    text = _encoded(value)
    if len(text) > LIMIT:
        raise TooLarge(f"A part of an answer is at most {LIMIT // 1024} KB of JSON, apart from the base64 of a file.")
    return msgspec.json.decode(text)


def _encoded(value: Any) -> bytes:
    try:
        text = _encoder.encode(value)
        check_nesting(f"[[{text.decode()}]]")  # the event has two levels around a value, or one
        return text
    except (TypeError, ValueError, RecursionError):
        return _encoder.encode(clean(_as_text(value)))


def clean(text: str) -> str:
    """`text` as UTF-8 can carry it: halves of a surrogate pair are joined, a lone one becomes U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _of_object(value: Any) -> Any:
    """Pydantic models, which LangChain's messages and documents are, by their fields; anything else as its text."""
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) and not isinstance(value, type) else _as_text(value)


def _as_text(value: Any) -> str:
    """Never the text of an exception, which may hold a secret."""
    return type(value).__name__ if isinstance(value, BaseException) else str(value)


_encoder = msgspec.json.Encoder(enc_hook=_of_object)
