"""Tests of reading searches."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.apps.search.query import KINDS, Query, parse
from tidings.errors import InvalidRequest

NAMES = st.text(st.characters(exclude_characters='"', exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        query = parse(text)
    except InvalidRequest:
        return
    assert query != Query(None)
    assert query.has <= {*KINDS}


@given(NAMES.map(lambda name: name.lstrip("@#")).filter(bool), st.sampled_from(["from", "FROM", "In", "in"]))
def test_a_condition_takes_a_word_or_a_quoted_text(name: str, operator: str) -> None:
    for written, value in ((name, name), (f'"{name} b"', f"{name} b"), (f'"{name} b', f"{name} b")):
        query = parse(f"{operator}:{written} deploy" if written == name else f"deploy {operator}:{written}")
        expected = {"author" if operator.lower() == "from" else "place": value}
        assert query == Query('"deploy"*', **expected)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("from:me", Query(None, author="Mara")),
        ("from:@tom in:#deploys", Query(None, author="tom", place="deploys")),
        ("has:file HAS:Image deploy", Query('"deploy"*', has=frozenset({"file", "image"}))),
        ("before:2026-11-29", Query(None, before=datetime(2026, 11, 29, tzinfo=UTC).timestamp())),
        ("http://in:80", Query('"http://in:80"*')),
        ("from:x from", Query('"from"*', author="x")),
        ("information:x", Query('"information:x"*')),
    ],
)
def test_conditions_are_told_from_words(text: str, query: Query) -> None:
    assert parse(text, "Mara") == query


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("from: tom", 'after "from:"'),
        ("deploy in:", 'after "in:"'),
        ("from:@ in:#", 'after "from:"'),
        ('from:""', 'after "from:"'),
        ("from:a from:b", '"from:" once'),
        ("has:cheese", 'Write file, image or link after "has:"'),
        ("before:friday", 'Write a day after "before:"'),
        ("before:2026-02-30", 'Write a day after "before:"'),
        ("before:20261129", 'Write a day after "before:"'),
        ("  ", "Name a word"),
        (" ".join("abcdefghijklmnopq"), "at most 16 words"),
    ],
)
def test_a_search_that_cannot_be_read_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        parse(text)
