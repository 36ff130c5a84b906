"""Tests of byte ranges: each answer is compared with the bytes that it stands for."""

from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException

from tidings.http.ranges import Part, part_of

ETAG = '"abc"'
SIZE = 10


def asked(range: str, size: int = SIZE, **headers: str) -> Part | None:
    return part_of({"range": range, **{name.replace("_", "-"): value for name, value in headers.items()}}, size, ETAG)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_every_range_of_a_small_body_is_the_slice_that_it_names(size: int) -> None:
    body = bytes(range(size))
    for first in range(size):
        for last in range(first, size + 3):
            part = asked(f"bytes={first}-{last}", size)
            assert part is not None
            assert body[part.start : part.end] == body[first : last + 1]
            assert part.content_range(size) == f"bytes {first}-{min(last, size - 1)}/{size}"
        assert asked(f"bytes={first}-", size) == (first, size)
    for suffix in range(1, size + 3):
        part = asked(f"bytes=-{suffix}", size)
        assert part is not None
        assert body[part.start : part.end] == body[-suffix:]


@pytest.mark.parametrize(
    "range",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "bytes=5-3",
        "bytes=x-2",
        "bytes=1",
        "bytes= 1 - 2",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=0-1, 3-",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=1-2;x",
        "bytes=\N{ARABIC-INDIC DIGIT ONE}-",
    ],
)
def test_a_range_that_is_malformed_or_one_of_several_asks_for_the_whole(range: str) -> None:
    assert asked(range) is None


def test_the_unit_has_any_case_and_a_list_may_have_empty_members() -> None:
    assert asked("Bytes=0-1") == (0, 2)
    assert asked("bytes=, 0-1 ,") == (0, 2)


@pytest.mark.parametrize("range", ["bytes=10-", "bytes=10-11", "bytes=-0", f"bytes={'9' * 5000}-", "bytes=00010-"])
def test_a_range_without_a_byte_of_the_body_is_refused_with_the_size(range: str) -> None:
    with pytest.raises(HTTPException) as refused:
        asked(range)
    assert (refused.value.status_code, refused.value.headers) == (416, {"content-range": "bytes */10"})


def test_numbers_of_any_length_are_read() -> None:
    assert asked(f"bytes=0-{'9' * 5000}") == (0, SIZE)
    assert asked(f"bytes={'0' * 5000}3-4") == (3, 5)
    assert asked(f"bytes=-{'9' * 5000}") == (0, SIZE)


def test_a_range_counts_only_for_the_body_that_its_if_range_names() -> None:
    assert asked("bytes=0-1", if_range=ETAG) == (0, 2)
    for other in ('"abd"', f"W/{ETAG}", "Sun, 29 Nov 2026 10:00:00 GMT"):
        assert asked("bytes=0-1", if_range=other) is None
        assert asked("bytes=99-", if_range=other) is None
