from __future__ import annotations

import pytest

from tidings.assistants.answer import SOURCES, WORDS, compose
from tidings.assistants.corpus import Kind, Passage, read_docs
from tidings.assistants.search import Hit, Index


def hit(
    text: str, heading: str = "Runs", *, kind: Kind = "prose", score: float = 1, headed: float = 1, rank: float = 2
):
    return Hit(Passage("a.md", "A", heading, (1, 1), kind, text), score, headed, rank)


def words(count: int, sentence: int = 10) -> str:
    return " ".join(f"Word{'.' if number % sentence == sentence - 1 else ''}" for number in range(count))


def texts(*hits: Hit) -> list[str]:
    return [quote.text for quote in compose(hits)]


def test_an_empty_search_quotes_nothing() -> None:
    assert compose([]) == []


def test_an_asked_heading_is_answered_from_its_first_paragraph_on() -> None:
    assert texts(hit("First.", score=0.2), hit("Second.", score=1)) == ["First.", "Second."]


def test_an_unasked_section_opens_with_the_paragraph_that_was_meant_and_drops_what_was_not() -> None:
    found = [hit("Before.", score=0.2, headed=0), hit("Meant.", score=1, headed=0), hit("Other.", score=0, headed=0)]
    assert texts(*found) == ["Meant."]


def test_another_section_is_not_quoted() -> None:
    assert texts(hit("Short."), hit("Close.", "Ends", rank=1.9)) == ["Short."]


TABLE = "| a | b |\n|---|---|\n" + "\n".join(f"| row {number} | {'x ' * 20}|" for number in range(10))


def test_rows_that_match_are_quoted_from_a_long_table() -> None:
    asked = hit(TABLE, kind="table", headed=0)
    asked.words = ("row", "7")
    assert texts(asked) == ["| a | b |\n|---|---|\n| row 7 | " + "x " * 20 + "|"]
    above = hit("These are rows:\n\n" + TABLE, kind="table", headed=0)
    above.words = ("row", "7")
    assert texts(above) == ["These are rows:\n\n| a | b |\n|---|---|\n| row 7 | " + "x " * 20 + "|"]


def test_the_first_rows_of_a_long_table_are_quoted_when_no_row_matches_or_its_heading_does() -> None:
    for asked in (hit(TABLE, kind="table", headed=0), hit(TABLE, kind="table")):
        asked.words = ("row", "7") if asked.headed else ("nothing",)
        (text,) = texts(asked)
        assert text.splitlines() == TABLE.splitlines()[:8]


def test_code_is_quoted_with_the_passage_above_it() -> None:
    found = [
        hit("Meant.", score=1, headed=0),
        hit("```\ncode\n```", kind="code", score=0, headed=0),
        hit("Other.", score=0, headed=0),
        hit("```\nother\n```", kind="code", score=0, headed=0),
    ]
    assert texts(*found) == ["Meant.", "```\ncode\n```"]


def test_a_short_table_is_quoted_as_a_whole() -> None:
    short = "| a |\n|---|\n| 1 |\n| 2 |"
    asked = hit(short, kind="table", headed=0)
    asked.words = ("2",)
    assert texts(asked) == [short]


def test_long_prose_is_cut_between_sentences() -> None:
    assert texts(hit(words(300))) == [words(WORDS)]


def test_a_passage_that_cannot_be_cut_is_left_out() -> None:
    assert texts(hit("First."), hit(words(300), kind="code"), hit("Last.")) == ["First.", "Last."]


def test_a_mark_stands_behind_prose_and_below_code_and_tables() -> None:
    quotes = compose([hit("Text."), hit("```\ncode\n```", kind="code"), hit("| a |\n|---|", kind="table")])
    assert [quote.mark for quote in quotes] == [" [1]", "\n\n[2]", "\n\n[3]"]


def test_an_answer_has_few_sources() -> None:
    assert len(texts(*(hit(f"Number {number}.") for number in range(20)))) == SOURCES


SECTIONS = sorted({(p.path, p.heading) for p in read_docs() if p.heading.endswith("?")})


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(read_docs)


@pytest.mark.parametrize(("path", "heading"), SECTIONS)
def test_every_question_that_heads_a_section_is_answered_from_there(index: Index, path: str, heading: str) -> None:
    first = compose(index.search(heading))[0].passage
    assert first.heading == heading
    assert sum(len(quote.text.split()) for quote in compose(index.search(heading))) <= WORDS


def test_a_long_table_without_a_line_below_its_head_is_quoted_up_to_a_row_or_not_at_all() -> None:
    row = "| " + " ".join(["word"] * 40)
    assert texts(hit("\n".join([row] * 6), kind="table", headed=0)) == ["\n".join([row] * 4)]
    assert texts(hit(row * 5, kind="table", headed=0)) == []
