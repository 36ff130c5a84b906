from __future__ import annotations

from tidings.assistants.words import alternatives, corrected, questions, terms


def test_the_words_that_carry_a_question() -> None:
    assert terms("How does a client resume?") == ["client", "resume"]
    assert terms("What is Tidings?") == ["tidings"]
    assert terms("Which offset has Tidings?") == ["offset"]
    assert terms("what is it?") == []


def test_a_question_about_you_is_about_the_assistant() -> None:
    assert terms("What can you do?") == ["assistant"]
    assert terms("How are you?") == []
    assert terms("Which offset do you have?") == ["offset"]


def test_words_that_mean_the_same_are_searched_for_together() -> None:
    assert "people" in alternatives("colleagues")
    assert alternatives("offset") == ["offset"]


def test_a_word_is_spelt_as_in_the_pages_if_one_letter_is_wrong() -> None:
    pages = ["connection", "connector", "retention", "before", "room"]
    assert corrected("conection", pages) == "connection"
    assert corrected("connectoin", pages) == "connection"
    assert corrected("connecxion", pages) == "connection"
    assert corrected("connectionn", pages) == "connection"
    assert corrected("befroe", pages) == ""  # a word without meaning
    for unknown in ("connecttor", "attention", "weather", "roon"):
        assert corrected(unknown, pages) == ("connector" if unknown == "connecttor" else unknown)
    assert corrected("winter", ["winner", "wintry", "winder"]) == "winter"  # there is more than one way


def test_a_text_of_several_sentences_is_searched_for_by_its_questions() -> None:
    assert questions("What is a run?") == ["What is a run?"]
    several = "I am new. What is a run? Thanks! And a topic?"
    assert questions(several) == [several, "What is a run?", "And a topic?"]
    assert questions("About runs\nfor Tom") == ["About runs\nfor Tom", "About runs"]
    assert len(questions("Why? " * 100)) < 10
