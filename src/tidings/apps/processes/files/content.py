"""PURE: the bytes of a file as they are meant, unpacked if they are gzip, and the format of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Literal

from .records import Wrong

CHUNK = 1 << 16
"""Bytes that are read at once."""

FREE, RATIO = 64 << 20, 200
"""Bytes that any archive may unpack to, and how many times its own size beyond that. Logs of 1 GB have been seen at 60
times; a run of zeros has 1,030 times."""

HTML = "the file is HTML, the page about a log and not the log itself: download the file again"

Format = Literal["xes", "csv", "ocel"]

_GZIP = b"\x1f\x8b"
_FOREIGN = {
    b"PK": "a ZIP archive or an Excel file: unpack it, or save the sheet as CSV",
    b"BZh": "a bzip2 archive: unpack it",
    b"\xfd7zXZ": "an xz archive: unpack it",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive: unpack it",
    b"7z\xbc\xaf": "a 7z archive: unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save the sheet as CSV",
    b"PAR1": "a Parquet file: save it as CSV",
    b"%PDF": "a PDF",
    b"SQLite format 3": "an SQLite database: export the events as CSV",
}


def unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of a file: what gzip holds, whatever the file is called, or the bytes as they are.

    Raises Wrong for an archive that is cut off or damaged, or that unpacks to far more than its size.
    """
    iterator = iter(chunks)
    first = b""
    for chunk in iterator:
        first += chunk
        if len(first) >= 16:
            break
    if not first.startswith(_GZIP):
        if first:
            yield first
        yield from iterator
        return
    packed, size = 0, 0
    member = zlib.decompressobj(wbits=31)
    for chunk in _chain(first, iterator):
        packed += len(chunk)
        rest = chunk
        while rest:
            if member.eof:
                if not rest.strip(b"\0"):
                    break  # padding after the last member
                member = zlib.decompressobj(wbits=31)
            try:
                content = member.decompress(rest, CHUNK)
            except zlib.error:
                raise Wrong(0, f"the gzip archive is damaged after {size:,} bytes of its content") from None
            size += len(content)
            if size > FREE and size > RATIO * packed:
                raise Wrong(
                    0, f"the gzip archive unpacks to over {RATIO} times its size ({packed:,} bytes give {size:,})"
                )
            if content:
                yield content
            rest = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise Wrong(0, f"the gzip archive is cut off after {size:,} bytes of its content")


def recognized(first: bytes) -> Format:
    """Return the format that the first bytes of a content have. Raises Wrong for one that is no event log."""
    if not first.strip():
        raise Wrong(0, "the file is empty")
    for magic, what in _FOREIGN.items():
        if first.startswith(magic):
            raise Wrong(0, f"the file is {what}")
    if first.startswith(_GZIP):
        raise Wrong(0, "the file is gzip within gzip: unpack it once")
    text = first
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8")):
        if first.startswith(mark):
            text = first[len(mark) :].decode(encoding, "ignore").encode()
    text = text.lstrip()
    if text[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise Wrong(1, HTML)
    if text.startswith(b"<"):
        return "xes"
    return "ocel" if text.startswith((b"{", b"[")) else "csv"


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
