"""The index of what was said: queries that cannot break it, and marks that are where they seem."""

from __future__ import annotations

import msgspec
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


def test_an_excerpt_begins_a_little_before_the_match() -> None:
    text, marks = excerpt("x" * 500 + "\x02match\x03" + "y" * 500)
    assert text == "…" + "x" * 120 + "match" + "y" * 273 + "…"
    assert marks == [(121, 126)]
    assert excerpt("\x02" + "m" * 500 + "\x03") == ("m" * 279 + "…", [(0, 279)])
