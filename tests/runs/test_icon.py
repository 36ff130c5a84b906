"""The icons of assistants: signs, and pictures that are read from files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tidings.errors import InvalidRequest
from tidings.runs.icon import LARGEST, Picture, read_icon

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>'

PICTURES = {
    "a.svg": (SVG, "image/svg+xml"),
    "b.SVG": (b'<?xml version="1.0"?>\n<!-- made by hand -->\n' + SVG, "image/svg+xml"),
    "c.png": (b"\x89PNG\r\n\x1a\n....", "image/png"),
    "d.webp": (b"RIFF\0\0\0\0WEBP....", "image/webp"),
    "e.jpg": (b"\xff\xd8\xff\xe0....", "image/jpeg"),
    "f.jpeg": (b"\xff\xd8\xff\xe0....", "image/jpeg"),
}


@pytest.mark.parametrize("sign", ["A", "ab", "é", "字", "🛟", "👩‍💻", "👨‍👩‍👧‍👦", "🇨🇭", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1️⃣", "§"])
def test_a_letter_or_an_emoji_is_shown_as_it_is(sign: str) -> None:
    assert read_icon(f" {sign} ") == sign


@pytest.mark.parametrize("name", PICTURES)
def test_a_path_is_read_when_the_assistant_is_made(name: str, tmp_path: Path) -> None:
    body, media_type = PICTURES[name]
    (tmp_path / name).write_bytes(body)
    for path in (tmp_path / name, str(tmp_path / name)):
        assert read_icon(path) == Picture(body, media_type)
    assert len(Picture(body, media_type).digest) == 16


@pytest.mark.parametrize("name", ["nowhere.svg", "nowhere/at/all.png", "../../nowhere.webp"])
def test_a_file_that_is_not_there_says_where_paths_begin(name: str) -> None:
    with pytest.raises(InvalidRequest, match=r"cannot be read\. A relative path begins in .*__file__"):
        read_icon(name)


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("page.html", b"<html>", "is no picture"),
        ("passwd.svg", b"root:x:0:0:root:/root:/bin/bash\n", "not a picture of the kind"),
        ("page.svg", b"<!doctype html><svg>", "not a picture of the kind"),
        ("entities.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "not a picture of the kind"),
        ("other.png", SVG, "not a picture of the kind"),
        ("huge.svg", SVG + b" " * LARGEST, "larger than 64 KiB"),
    ],
)
def test_a_file_that_is_no_picture_is_refused(name: str, body: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(InvalidRequest, match=says):
        read_icon(tmp_path / name)


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.svg").mkdir()
    os.symlink(tmp_path / "gone", tmp_path / "link.svg")
    for name in ("folder.svg", "link.svg"):
        with pytest.raises(InvalidRequest, match="cannot be read"):
            read_icon(tmp_path / name)


@pytest.mark.parametrize("icon", ["  ", "abc", "<b>", "support", "日本語", "🛟 🛟", "\x00", "\u202e", "🛟" * 20])
def test_a_text_that_is_no_sign_is_refused(icon: str) -> None:
    with pytest.raises(InvalidRequest, match="Give one letter, one emoji, or the path of a picture"):
        read_icon(icon)
