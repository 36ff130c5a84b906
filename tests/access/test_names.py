"""Names of people: the rules, and that no two names share a topic."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.access.names import slug, topics_of, unslugged, valid_name
from tidings.errors import InvalidRequest
from tidings.log.names import valid_topic


@pytest.mark.parametrize("name", ["a", "Mara Lindqvist", "Zoë", "李小龙", "O'Brien-Smith", "😀", "x" * 60, "<b>hi</b>"])
def test_names(name: str) -> None:
    assert valid_name(name) is name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "1 to 60"),
        ("x" * 61, "1 to 60"),
        (" Mara", "a space"),
        ("Mara ", "a space"),
        (" ", "a space"),
        ("Ma\nra", "invisible"),
        ("Ma\0ra", "invisible"),
        ("Ma\u200bra", "invisible"),
        ("\u202eMara", "invisible"),
        ("Ma\ud800ra", "invisible"),
        ("Mara\u00a0", "invisible"),
        ("李" * 18, "Shorten it"),
        ("Ж" * 27, "Shorten it"),
    ],
)
def test_a_text_that_is_not_a_name_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        valid_name(name)


def test_slugs_are_those_of_the_page() -> None:
    """`indexTopic` of web/ui/session/state.js writes the same."""
    assert slug("Mara Lindqvist") == "Mara_20Lindqvist"
    assert slug("zoë_x-1") == "zo_c3_ab_5fx-1"
    assert slug("李") == "_e6_9d_8e"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_a_slug_is_a_segment_that_can_be_read_back(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]+", slug(name))
    assert unquote(slug(name).replace("_", "%"), errors="strict") == name
    assert unslugged(slug(name)) == name


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_name_that_is_taken_has_a_topic(name: str) -> None:
    try:
        valid_name(name)
    except InvalidRequest:
        return
    for topic in (f"snapshots.users.{slug(name)}", f"users.{slug(name)}.conversations"):
        assert valid_topic(topic) == topic


def test_half_a_character_has_no_slug() -> None:
    with pytest.raises(InvalidRequest):
        slug("\ud800")


def test_the_topics_of_people_are_those_of_the_page_about_tokens() -> None:
    page = (Path(__file__).parents[2] / "docs/how-to/auth.md").read_text("utf-8")
    assert f"topics = {json.dumps(topics_of('Mara Lindqvist'))}" in page
