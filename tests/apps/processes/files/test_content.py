"""The bytes of a file: gzip by content, archives that are cut off or bombs, and files that are no logs."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest

from tidings.apps.processes.files.content import CHUNK, recognized, unpacked
from tidings.apps.processes.files.records import Wrong


def chunks(data: bytes, size: int = 1_000) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def whole(data: bytes, size: int = 1_000) -> bytes:
    return b"".join(unpacked(chunks(data, size)))


TEXT = b"<log>" + b"some content " * 20_000


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_gzip_is_known_by_its_content(size: int) -> None:
    packed = gzip.compress(b"<log/>" * 50)
    assert whole(packed, size) == b"<log/>" * 50
    assert whole(TEXT[:3_000], size) == TEXT[:3_000]
    assert whole(b"", size) == b""


def test_an_archive_of_several_members_is_one_content() -> None:
    assert whole(gzip.compress(b"one ") + gzip.compress(b"two") + bytes(512)) == b"one two"


@pytest.mark.parametrize("cut", [3, 9, 12, 100, -1, -8, -9])
def test_an_archive_that_is_cut_off_is_refused(cut: int) -> None:
    packed = gzip.compress(TEXT)
    with pytest.raises(Wrong, match="cut off"):
        whole(packed[:cut])


@pytest.mark.parametrize("place", [20, 60, -6, -2])
def test_an_archive_that_is_damaged_is_refused(place: int) -> None:
    packed = bytearray(gzip.compress(TEXT))
    packed[place] ^= 0xFF
    with pytest.raises(Wrong, match=r"damaged|cut off"):
        whole(bytes(packed))


def test_a_second_member_that_is_none_is_refused() -> None:
    with pytest.raises(Wrong, match="damaged"):
        whole(gzip.compress(b"one ") + b"garbage that is no archive")


def test_a_bomb_is_refused_by_its_ratio_before_it_is_unpacked() -> None:
    """10 GB of zeros are 10 MB: the reading ends after 64 MB of content, in pieces of 64 kB."""
    packer = zlib.compressobj(9, wbits=31)

    def bomb() -> Iterator[bytes]:
        while True:
            yield packer.compress(bytes(1 << 20))

    size = 0

    def read() -> None:
        nonlocal size
        for content in unpacked(bomb()):
            assert len(content) <= CHUNK
            size += len(content)

    with pytest.raises(Wrong, match="200 times its size"):
        read()
    assert size <= 65 << 20


@pytest.mark.parametrize(
    ("first", "format"),
    [
        (b'<?xml version="1.0"?><log>', "xes"),
        (b"\xef\xbb\xbf\n <log>", "xes"),
        ("<log>".encode("utf-16"), "xes"),
        (b'{"events": []}', "ocel"),
        (b"case,activity\n", "csv"),
        ("\ufeffcase;activity\n".encode("utf-16-le"), "csv"),
    ],
)
def test_the_format_is_known_by_the_content(first: bytes, format: str) -> None:
    assert recognized(first) == format


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"PK\x03\x04", "ZIP"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (b"\x28\xb5\x2f\xfd\x00", "Zstandard"),
        (b"\xd0\xcf\x11\xe0", "Excel"),
        (b"PAR1", "Parquet"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "gzip within gzip"),
        (b"<!DOCTYPE html>\n<html>", "line 1: the file is HTML"),
        (b"\n<!doctype HTML>", "line 1: the file is HTML"),
        (b"<html lang=en>", "line 1: the file is HTML"),
    ],
)
def test_an_unknown_file_is_refused_with_a_reason(first: bytes, reason: str) -> None:
    with pytest.raises(Wrong, match=reason):
        recognized(first)
