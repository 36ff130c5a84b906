"""The index of what was said: queries that cannot break it, and marks that are where they seem."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.apps.search import index, room_texts
from tidings.apps.search.index import Found, excerpt
from tidings.apps.search.query import parse
from tidings.errors import InvalidRequest
from tidings.events import Event, Offset

ROOM = "rooms.a"


def holding(*texts: str) -> sqlite3.Connection:
    """An index of a room with these messages."""
    file = index.opened()
    for n, text in enumerate(texts, 1):
        data = msgspec.json.encode({"by": "x", "text": text}).decode()
        event = Event(ROOM, Offset("e", n), "message.posted", data, float(n))
        index.take(file, ROOM, [*room_texts.changes_of(event)])
    return file


def found(file: sqlite3.Connection, words: str) -> list[Found]:
    return index.find(file, parse(words), None, [ROOM])


@given(st.text(max_size=60))
def test_no_query_breaks_the_index(text: str) -> None:
    try:
        query = parse(text)
    except InvalidRequest:
        return
    with closing(holding("hello")) as file:
        index.find(file, query, None, [ROOM])


@given(st.text(alphabet="ab \u00e9\U0001f600\x02\x03", min_size=1, max_size=800))
def test_marks_are_where_javascript_finds_them(text: str) -> None:
    file = holding(text)
    for hit in found(file, "a"):
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
    file = holding(text)
    hits = found(file, words)
    units = [(hit, hit.text.encode("utf-16-le")) for hit in hits]
    assert [line[2 * a : 2 * b].decode("utf-16-le") for hit, line in units for a, b in hit.marks] == marked
    assert all(hit.text == text for hit in hits)
    file.close()


def test_an_excerpt_begins_a_little_before_the_match() -> None:
    text, marks = excerpt("x" * 500 + "\x02match\x03" + "y" * 500)
    assert text == "…" + "x" * 120 + "match" + "y" * 273 + "…"
    assert marks == [(121, 126)]
    assert excerpt("\x02" + "m" * 500 + "\x03") == ("m" * 279 + "…", [(0, 279)])
    assert excerpt("no match here") == ("no match here", [])


def test_a_hit_comes_with_what_was_said_before_and_after_it() -> None:
    with closing(holding("first 会議", "a needle", "third" * 100)) as file:
        (hit,) = found(file, "needle")
        assert (hit.previous, hit.following) == (
            ("x", None, "first 会議"),
            ("x", None, ("third" * 100)[: index.BESIDE]),
        )
        (first,) = found(file, "first")
        assert (first.previous, first.following) == (None, ("x", None, "a needle"))


TEXTS = st.lists(st.sampled_from(["tide", "tide http://a.b", "moon", "https://tide.example moon"]), max_size=8)


@given(TEXTS, st.integers(0, 9), st.booleans(), st.sampled_from(["", "tide", "moon"]))
def test_conditions_leave_what_they_name(texts: list[str], before: int, link: bool, word: str) -> None:
    """The index answers as a loop over the texts does."""
    query = parse(f"{word} from:x{' has:link' if link else ''}")._replace(before=before)
    with closing(holding(*texts)) as file:
        hits = [hit.text for hit in index.find(file, query, None, [ROOM])]
        assert index.find(file, query, None, ["rooms.b"]) == []
        assert index.find(file, query._replace(author="y"), None, [ROOM]) == []
    expected = [text for n, text in enumerate(texts, 1) if n < before and word in text and (not link or "http" in text)]
    assert hits == expected[::-1]
