"""The errors as users and clients meet them: a sentence, a status and a problem document."""

from __future__ import annotations

import pytest

from tidings import errors
from tidings.errors import (
    Closed,
    Conflict,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    TidingsError,
    TooLarge,
    TooManyRequests,
    Unavailable,
)

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TidingsError)]


def test_a_problem_document_has_the_title_the_status_the_sentence_and_further_fields() -> None:
    error = NotFound("There is no topic 'a'.", topic="a")
    assert error.problem() == {
        "title": "Not found",
        "status": 404,
        "detail": "There is no topic 'a'.",
        "topic": "a",
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_without_a_sentence_says_its_title(kind: type[TidingsError]) -> None:
    assert str(kind()) == kind.title != ""
    assert kind().problem() == {"title": kind.title, "status": kind.status, "detail": kind.title}


@pytest.mark.parametrize(
    ("kind", "family"),
    [(TooLarge, InvalidRequest), (Closed, Conflict), (OutcomeUnknown, Unavailable), (TooManyRequests, TidingsError)],
    ids=lambda kind: kind.__name__,
)
def test_an_error_is_caught_by_its_family(kind: type[TidingsError], family: type[TidingsError]) -> None:
    with pytest.raises(family, match="sentence"):
        raise kind("A sentence.")


def test_every_kind_has_a_title_of_its_own() -> None:
    titles = [kind.title for kind in KINDS]
    assert len(set(titles)) == len(titles)
