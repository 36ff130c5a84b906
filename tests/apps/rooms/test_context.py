"""Tests of what an assistant is given when it is asked in a room."""

from __future__ import annotations

from tidings.apps.file import File
from tidings.apps.rooms import facts
from tidings.apps.rooms.context import CHARACTERS, conversation, question_of
from tidings.apps.rooms.facts import AnswerPosted, Fact, MessageDeleted, MessagePosted, Quote
from tidings.events import Event, Offset


def events(*said: Fact) -> list[Event]:
    """Return the events of these facts, from number 1 on."""
    items = enumerate(map(facts.written, said), 1)
    return [Event("rooms.den", Offset("AbCdEf", n), type, data, 0.0) for n, (type, data) in items]


def message(by: str, text: str) -> MessagePosted:
    return MessagePosted(by=by, text=text)


ASKED = message("Mara", "@echo Why?")


def test_messages_are_the_users_part_and_answers_the_assistants() -> None:
    before = events(message("Mara", "One"), message("Tom", "Two"), AnswerPosted(run="r", text="Three"))
    assert conversation(before, ASKED, "Why?") == [
        {"role": "user", "content": "Mara: One\nTom: Two"},
        {"role": "assistant", "content": "Three"},
        {"role": "user", "content": "Why?"},
    ]


def test_deleted_and_earlier_texts_are_not_given() -> None:
    one, two = message("Mara", "secret"), message("Tom", "draft")
    edit = facts.edited(two, "AbCdEf-2", "final", by="Tom")
    before = events(one, two, MessageDeleted(by="Mara", message="AbCdEf-1"), edit)
    assert conversation(before, ASKED, "Why?")[0] == {"role": "user", "content": "Tom: final"}


def test_a_quote_that_is_further_back_is_given_first() -> None:
    asked = MessagePosted(by="Mara", text="@echo Why?", quote=Quote("Tom", "Because"))
    assert conversation(events(message("Ada", "Hi")), asked, "Why?")[0]["content"] == "Tom: Because\nAda: Hi"
    assert conversation(events(message("Tom", "Because")), asked, "Why?")[0]["content"] == "Tom: Because"


def test_the_last_messages_are_given_up_to_a_size() -> None:
    before = events(message("Mara", "a" * CHARACTERS), message("Tom", "b" * 100))
    assert conversation(before, ASKED, "Why?")[0]["content"] == "Tom: " + "b" * 100


def test_the_question_is_the_text_without_the_call() -> None:
    assert question_of("@Echo: why?", ["assistant", "echo"]) == "why?"
    assert question_of("Why, @echo?", ["echo"]) == "Why, ?"
    assert question_of("- @echo and @assistant why?", ["assistant", "echo"]) == "- and why?"
    assert question_of("@echo", ["echo"]) == "@echo"
    assert question_of("mail@echo.example", ["echo"]) == "mail@echo.example"


def test_the_words_after_the_call_are_a_paragraph_by_themselves() -> None:
    assert question_of("Thanks, Tom! @echo Why?", ["echo"]) == "Thanks, Tom!\n\nWhy?"


def test_the_question_comes_with_the_ids_of_its_files() -> None:
    file = File("01JD9W3K5T8Q2R7V4X6Y9Z0ABC", "tide.png", "image/png", 3)
    turns = conversation([], MessagePosted(by="Mara", text="@echo Why?", files=[file]), "Why?")
    assert turns == [{"role": "user", "content": "Why?", "files": [file.id]}]
