"""Questions of newcomers, written down before the documentation was read, and the sections that answer them.

An answer is right if all that it quotes is from a section that a reader of the pages has chosen for the question, and
wrong if it quotes another one. Saying that nothing was found is right only where the pages hold no answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidings.assistants.answer import compose
from tidings.assistants.catalog import PROMPTS
from tidings.assistants.corpus import read_docs
from tidings.assistants.search import Index

NEWCOMERS = json.loads((Path(__file__).parent / "newcomers.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(read_docs)


def quoted(index: Index, question: str) -> set[str]:
    """The sections that the answer quotes."""
    return {f"{quote.passage.path}: {quote.passage.heading}" for quote in compose(index.search(question))}


def judged(index: Index) -> Iterator[tuple[str, str]]:
    """The questions, each with `right`, `wrong` or `missed`."""
    for question, answers in ((one["question"], set(one["answers"])) for one in NEWCOMERS):
        found = quoted(index, question)
        right = found <= answers and bool(found) == bool(answers)
        yield question, "right" if right else "wrong" if found else "missed"


def test_newcomers_are_answered_rightly_and_never_wrongly(index: Index) -> None:
    verdicts = dict(judged(index))
    assert len(verdicts) == 60
    assert [question for question, verdict in verdicts.items() if verdict == "wrong"] == []
    assert list(verdicts.values()).count("right") >= 50


def test_the_sections_that_answer_newcomers_are_there() -> None:
    sections = {f"{passage.path}: {passage.heading}" for passage in read_docs()}
    assert {answer for one in NEWCOMERS for answer in one["answers"]} <= sections


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_prompts_that_the_page_offers_are_answered(index: Index, prompt: str) -> None:
    assert quoted(index, prompt)
