"""The index of what was said: queries that cannot break it, and marks that are where they seem."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.apps.rooms import search
from tidings.apps.rooms.search import excerpt, query
from tidings.errors import InvalidRequest
from tidings.events import Event, Offset


@given(st.text(max_size=60))
def test_no_query_breaks_the_index(text: str) -> None:
    try:
        match = query(text)
    except InvalidRequest:
        return
    file = search.opened()
    search.take(file, "a", [Event("t", Offset("e", 1), "message.posted", '{"by":"x","text":"hello"}', 1.0)])
    search.find(file, match, None, ["a"])
    file.close()


@given(st.text(alphabet="ab \u00e9\U0001f600\x02\x03", min_size=1, max_size=800))
def test_marks_are_where_javascript_finds_them(text: str) -> None:
    file = search.opened()
    data = msgspec.json.encode({"by": "x", "text": text}).decode()
    search.take(file, "a", [Event("t", Offset("e", 1), "message.posted", data, 1.0)])
    for hit in search.find(file, query("a"), None, ["a"]):
        units = hit.text.encode("utf-16-le")
        words = [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in hit.marks]
        assert words
        assert all(word.startswith("a") and " " not in word for word in words)
    file.close()


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("今日は会議があります", "会議", ["会議"]),
        ("今日は会議があります", "議", ["議"]),
        ("今日は会議があります", "会議 今日", ["今日", "会議"]),
        ("今日は会議があります", '"議が"', ["議が"]),
        ("今日は会議があります", "議会", []),
        ("我的iPhone手机坏了", "手机", ["手机"]),
        ("我的iPhone手机坏了", "iphone", ["iPhone"]),
        ("我的iPhone手机坏了", "iPhone手", ["iPhone手"]),
        ("서울에서회의를", "회의", ["회의"]),
        ("วันนี้มีประชุม", "ประชุม", ["ประชุม"]),
        ("カタカナとﾊﾝｶｸ", "カナ", ["カナ"]),
        ("𠮷野家へ行く", "野家", ["野家"]),
        ("plain words", "wor", ["words"]),
    ],
)
def test_words_are_found_inside_text_without_spaces(text: str, words: str, marked: list[str]) -> None:
    file = search.opened()
    data = msgspec.json.encode({"by": "x", "text": text}).decode()
    search.take(file, "a", [Event("t", Offset("e", 1), "message.posted", data, 1.0)])
    hits = search.find(file, query(words), None, ["a"])
    units = [(hit, hit.text.encode("utf-16-le")) for hit in hits]
    assert [line[2 * a : 2 * b].decode("utf-16-le") for hit, line in units for a, b in hit.marks] == marked
    assert all(hit.text == text for hit in hits)
    file.close()


def test_an_excerpt_begins_a_little_before_the_match() -> None:
    text, marks = excerpt("x" * 500 + "\x02match\x03" + "y" * 500)
    assert text == "…" + "x" * 120 + "match" + "y" * 273 + "…"
    assert marks == [(121, 126)]
    assert excerpt("\x02" + "m" * 500 + "\x03") == ("m" * 279 + "…", [(0, 279)])
