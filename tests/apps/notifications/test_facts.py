"""The facts of a person's topic: what each may hold, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tidings.apps.notifications.facts import (
    FACTS,
    KIND,
    LINK,
    MANY,
    TEXT,
    TITLE,
    check_link,
    parse,
    to_item,
    understood,
)
from tidings.errors import InvalidRequest, TidingsError, TooLarge

AT = "x7Kp2Q-42"
CREATED = "notification.created"


def refusal(type: str, data: Any) -> type[TidingsError] | None:
    text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    try:
        parse(type, text)
    except TidingsError as error:
        return error.__class__
    return None


TAKEN = [
    (CREATED, {"title": "x" * TITLE}),
    (CREATED, {"title": "Order", "kind": "k" * KIND, "text": "x" * TEXT, "by": "Shop"}),
    (CREATED, {"title": "Reply", "topic": "rooms.lobby", "event": AT, "link": "/r/lobby"}),
    ("notification.read", {"offsets": [AT] * MANY}),
    ("notification.read", {"upto": AT}),
    ("notification.withdrawn", {"offsets": [AT] * MANY}),
    ("room.read", {"room": "lobby", "offset": AT}),
    ("room.unread", {"room": "lobby", "offset": AT}),
    ("topic.watched", {"topic": "rooms.lobby"}),
    ("topic.unwatched", {"topic": "rooms.lobby"}),
    ("topic.muted", {"topic": "rooms.lobby"}),
    ("topic.unmuted", {"topic": "rooms.lobby"}),
    ("dnd.set", {"until": 1.8e9}),
    ("dnd.set", {"until": None}),
]

REFUSED = [
    (CREATED, {}, InvalidRequest),
    (CREATED, {"title": " \n"}, InvalidRequest),
    (CREATED, {"title": "x" * (TITLE + 1)}, TooLarge),
    (CREATED, {"title": "x", "text": "x" * (TEXT + 1)}, TooLarge),
    (CREATED, {"title": "a\x1b[31m"}, InvalidRequest),
    (CREATED, {"title": "x", "kind": "k" * (KIND + 1)}, InvalidRequest),
    (CREATED, {"title": "x", "kind": "two words"}, InvalidRequest),
    (CREATED, {"title": "x", "event": AT}, InvalidRequest),
    (CREATED, {"title": "x", "topic": "rooms.lobby", "event": "42"}, InvalidRequest),
    (CREATED, {"title": "x", "topic": "a b"}, InvalidRequest),
    (CREATED, {"title": "x", "by": "a\nb"}, InvalidRequest),
    (CREATED, {"title": "x", "colour": "red"}, InvalidRequest),
    ("notification.read", {}, InvalidRequest),
    ("notification.read", {"offsets": [AT], "upto": AT}, InvalidRequest),
    ("notification.read", {"offsets": [AT] * (MANY + 1)}, TooLarge),
    ("notification.read", {"offsets": ["42"]}, InvalidRequest),
    ("room.read", {"room": "a.b", "offset": AT}, InvalidRequest),
    ("room.read", {"room": "x" * 65, "offset": AT}, InvalidRequest),
    ("room.read", {"room": "lobby", "offset": "tail"}, InvalidRequest),
    ("topic.muted", {"topic": ""}, InvalidRequest),
    ("dnd.set", {}, InvalidRequest),
    ("dnd.set", {"until": -1}, InvalidRequest),
    ("dnd.set", {"until": 1e12}, InvalidRequest),
    ("notification.lost", {}, InvalidRequest),
    (CREATED, "not JSON", InvalidRequest),
    (CREATED, "[" * 100_000, InvalidRequest),
]


@pytest.mark.parametrize(("type", "data"), TAKEN)
def test_a_fact_within_its_limits_is_taken_and_written_as_it_was(type: str, data: dict[str, Any]) -> None:
    fact = parse(type, msgspec.json.encode(data).decode())
    written_type, written = to_item(fact)
    assert written_type == type
    assert parse(type, written) == fact


@pytest.mark.parametrize(("type", "data", "error"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_fact_beyond_its_limits_is_refused(type: str, data: Any, error: type[TidingsError]) -> None:
    assert refusal(type, data) is error


def test_every_kind_of_fact_is_among_those_taken_above() -> None:
    assert {type for type, _ in TAKEN} == set(FACTS)


def test_readers_of_the_log_take_a_fact_by_its_shape_alone() -> None:
    """A limit that is lowered later must not make old events unreadable."""
    data = msgspec.json.encode({"title": "x" * (TITLE + 1)}).decode()
    assert understood(CREATED, data).type == CREATED


@pytest.mark.parametrize("link", ["/", "/r/lobby?x=1#y", "https://shop.example/o/1", "https://xn--bcher-kva.example"])
def test_a_path_and_an_https_url_are_links(link: str) -> None:
    check_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "", "//evil.example", "/\\evil.example", "http://shop.example", "javascript:alert(1)", "JaVaScript:alert(1)",
        "data:text/html,x", "https://", "https://user@shop.example", "https://a b", "/a\u202eb", "/a\nb", "lobby",
        "https://[", "/" + "x" * LINK,
    ],
)  # fmt: skip
def test_a_link_that_a_browser_could_run_or_hide_is_refused(link: str) -> None:
    with pytest.raises(InvalidRequest, match="A link is a path"):
        check_link(link)
