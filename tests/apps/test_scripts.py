"""Scripts that are written without spaces between words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.apps.scripts import CUT, begins, cut, is_unspaced


@pytest.mark.parametrize("character", "会カなｶ々회ᄒ𠮷ปລကខ")
def test_letters_of_unspaced_scripts(character: str) -> None:
    assert is_unspaced(character)
    assert cut(character) == f"{CUT}{character}{CUT}"


@pytest.mark.parametrize("character", ["", "a", "é", "ж", "ع", "ש", "ह", "1", "。", "，", "😀", " "])
def test_other_scripts_are_not_split(character: str) -> None:
    assert not is_unspaced(character)
    assert cut(character) == character


@given(st.text(alphabet=st.characters(blacklist_characters=CUT)))
def test_a_cut_text_holds_the_text(text: str) -> None:
    assert cut(text).replace(CUT, "") == text


def test_a_name_begins_with_the_letters_of_one_of_its_words() -> None:
    assert begins("Mara Lindqvist", "lind")
    assert begins("Mara Lindqvist", " MARA L")
    assert not begins("Mara Lindqvist", "ara")
