"""Topic patterns, and what a subject may do by them."""

from __future__ import annotations

import pytest

from tidings.access.subject import ANYONE, Patterns, Subject, named
from tidings.errors import InvalidRequest


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("rooms.*", ["rooms.lobby", "rooms.a.b"], ["rooms", "roomsandmore", "arooms.x", "runs.R"]),
        ("rooms.lobby", ["rooms.lobby"], ["rooms.lobby.x", "rooms.lobb", "rooms", "rooms.*"]),
        ("a.b.*", ["a.b.c"], ["a.b", "a.bc", "a.c.b"]),
        ("*", ["rooms", "rooms.lobby"], []),
    ],
)
def test_a_pattern_covers_a_topic_or_all_below_a_dot(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    patterns = Patterns([pattern])
    assert all(map(patterns.cover, covered))
    assert not any(map(patterns.cover, not_covered))


def test_an_empty_list_of_patterns_covers_no_topic() -> None:
    assert not Patterns([]).cover("rooms")


def test_several_patterns_cover_what_any_of_them_covers() -> None:
    patterns = Patterns(["news", "rooms.*"])
    assert patterns.cover("news")
    assert patterns.cover("rooms.lobby")
    assert not patterns.cover("runs.R")


@pytest.mark.parametrize(
    "text",
    ["", ".", "*.rooms", "rooms.", "rooms*", "rooms.*.x", "**", "rooms..x", "é", "a b", "a\n", "x" * 201, 7, None],
)
def test_a_text_that_is_no_pattern_is_rejected_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="topic pattern") as error:
        Patterns(["rooms.*", text])
    assert repr(text) in str(error.value)


def test_the_longest_pattern_has_200_characters() -> None:
    assert Patterns(["x" * 200]).cover("x" * 200)


def test_a_subject_reads_by_one_list_and_publishes_by_the_other() -> None:
    subject = Subject("ann", publish=Patterns(["rooms.*"]), subscribe=Patterns(["news"]))
    assert subject.may_publish("rooms.lobby")
    assert not subject.may_publish("news")
    assert subject.may_subscribe("news")
    assert not subject.may_subscribe("rooms.lobby")


def test_everybody_may_do_everything_on_a_server_without_a_key() -> None:
    assert (ANYONE.name, ANYONE.expires) == (None, None)
    ann = named("Ann")
    assert ann.name == "Ann"
    assert ann.may_publish("rooms.lobby")
    assert ann.may_subscribe("runs.R")


@pytest.mark.parametrize(
    ("patterns", "prefix", "within"),
    [
        (["*"], "", ["*"]),
        (["*"], "rooms.", ["rooms.*"]),
        (["rooms.*", "users.a.*", "users.a"], "", ["rooms.*", "users.a", "users.a.*"]),
        (["rooms.*", "users.*", "users.a", "users.a.*"], "us", ["users.*"]),
        (["rooms.*"], "rooms.lob", ["rooms.lob*"]),
        (["rooms.*", "roo"], "roo", ["roo", "rooms.*"]),
        (["rooms.lobby"], "rooms.lobby.", []),
        (["rooms.*"], "runs.", []),
        ([], "", []),
    ],
)
def test_the_patterns_within_a_prefix(patterns: list[str], prefix: str, within: list[str]) -> None:
    assert Patterns(patterns).within(prefix) == within


def test_a_subject_with_limits_can_be_a_key() -> None:
    narrow, wide = Subject("ann", Patterns([]), ANYONE.subscribe, limits={"runs": 1}), named("ann")
    assert len({hash(narrow), hash(narrow)}) == 1
    assert narrow != wide
