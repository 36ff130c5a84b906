"""Tests of names and media types of files."""

from __future__ import annotations

import pytest

from tidings.apps.file import FILMS, ID, MAX_NAME, PICTURES, valid_media_type, valid_name
from tidings.errors import InvalidRequest


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\\b", "a\nb", "gnp\u202eexe", "x" * (MAX_NAME + 1)])
def test_a_name_that_no_file_may_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="name"):
        valid_name(name)


def test_any_other_line_is_a_name() -> None:
    for name in ("plan.pdf", "Pläne für 2027.pdf", "x" * MAX_NAME):
        assert valid_name(name) == name


def test_a_media_type_is_read_without_its_parameters() -> None:
    assert valid_media_type("Text/HTML; charset=utf-8") == "text/html"
    for header in ("", "text", "text/", "/html"):
        with pytest.raises(InvalidRequest, match="media type"):
            valid_media_type(header)


def test_no_kind_that_is_shown_can_hold_a_script() -> None:
    assert {kind.partition("/")[0] for kind in (*PICTURES, *FILMS)} == {"image", "video"}
    assert "image/svg+xml" not in PICTURES


def test_an_id_is_a_ulid() -> None:
    assert ID.fullmatch("01JD9W3K5T8Q2R7V4X6Y9Z0ABC")
    assert not ID.fullmatch("01JD9W3K5T8Q2R7V4X6Y9Z0ABU")
