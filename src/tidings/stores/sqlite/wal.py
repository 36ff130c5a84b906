"""SQLite's log of changes, looked at before SQLite opens it: were commits damaged that were acknowledged?

After a crash, SQLite takes in the log of changes (`-wal`) up to the first frame that is damaged, and drops the rest in
silence. Its index (`-shm`) outlives the processes, and says how many frames were committed and synced. A log in which
the frames are not whole up to there has lost commits. The formats are those of https://www.sqlite.org/walformat.html.
"""

from __future__ import annotations

import contextlib
import sys
from array import array
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

HEADER, FRAME_HEADER = 32, 24
MAGIC = {b"\x37\x7f\x06\x82": "little", b"\x37\x7f\x06\x83": "big"}
"""The first bytes of a log, by the byte order of the words in its checksums."""

INDEX = 48
"""Bytes of the header of the index, which comes twice."""

Sum = tuple[int, int]


class _Index(NamedTuple):
    """The header of the index. `frames`: how many were committed; `salt`: that of the log that they are in."""

    frames: int
    salt: bytes


def is_damaged(path: str) -> bool:
    """Return True if the log of changes of a database has lost commits that SQLite was told are on the disk.

    For files that this process has not opened: closing a descriptor of the index would release SQLite's locks. Costs
    0.1 s for a log of 4 MB, the size at which SQLite begins it anew. With durability "normal" a power cut has the same
    effect, and a log without its index cannot be checked.
    """
    before = _index(f"{path}-shm")
    try:
        with open(f"{path}-wal", "rb") as log:
            header = log.read(HEADER)
            if len(header) < HEADER or not any(header):  # SQLite was about to begin it
                return False
            order = MAGIC.get(header[:4])
            start = None if order is None else _sum(header[:24], order)
            if order is None or start != _words(header[24:]):
                return True
            if before is None or before.salt != header[16:24] or not before.frames:
                return False  # without an index of this log nobody knows how long it was
            size = int.from_bytes(header[8:12])
            whole = 0
            for _ in _frames(log, size, order, before.salt, start):
                whole += 1
                if whole == before.frames:
                    return False
    except OSError:  # there is no log, or SQLite says what is wrong with it
        return False
    # Another process may have begun the log anew meanwhile.
    return whole < before.frames and _index(f"{path}-shm") == before


def _index(path: str) -> _Index | None:
    """The header of the index; None if there is none, or it is not whole."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        copies = file.read(2 * INDEX)
        header = copies[:INDEX]
        if len(copies) == 2 * INDEX and header == copies[INDEX:] and header[12] == 1:
            frames, *_ = array("I", header[16:20])
            if _sum(header[:40], sys.byteorder) == tuple(array("I", header[40:48])):
                return _Index(frames, header[32:40])
    return None


def _frames(log: BinaryIO, size: int, order: str, salt: bytes, start: Sum) -> Iterator[None]:
    """Yield for each frame that is whole, until the first that is not."""
    while True:
        header, page = log.read(FRAME_HEADER), log.read(size)
        if len(page) < size or header[8:16] != salt:
            return
        start = _sum(header[:8] + page, order, start)
        if start != _words(header[16:]):
            return
        yield


def _words(stored: bytes) -> Sum:
    return int.from_bytes(stored[:4]), int.from_bytes(stored[4:8])


def _sum(content: bytes, order: str, start: Sum = (0, 0)) -> Sum:
    """SQLite's checksum of bytes that follow those with the checksum `start`."""
    words = array("I", content)
    if order != sys.byteorder:
        words.byteswap()
    one, two = start
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
