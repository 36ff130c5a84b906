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


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    missing = ModuleNotFoundError("No module named 'langchain_core'", name="langchain_core")
    sentence = "The package langchain_core is not installed. Run: pip install 'tidings[langchain]'"
    assert errors.missing_package(missing, "langchain") == sentence


@pytest.mark.parametrize("name", [None, "tidings", "tidings.nowhere"])
def test_a_missing_module_of_tidings_itself_is_raised_again(name: str | None) -> None:
    missing = ModuleNotFoundError("No module", name=name)
    with pytest.raises(ModuleNotFoundError) as raised:
        errors.missing_package(missing, "server")
    assert raised.value is missing
