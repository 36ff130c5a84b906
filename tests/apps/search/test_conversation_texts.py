"""Tests of what the events of a conversation say. The answers are tested with the route."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings import Hub
from tidings.apps.search.conversation_texts import answer_of, changes_of
from tidings.apps.search.texts import Said
from tidings.events import Event, Offset

RUN = "01JD9W3K5T8Q2R7V4X6Y9Z0ABC"


def said(data: Any, type: str = "run.created") -> list[Any]:
    return [*changes_of(Event("conversations.a", Offset("e", 4), type, json.dumps(data), 1.5))]


def test_a_run_that_is_announced_asks_its_question() -> None:
    assert said({"run": RUN, "input": "Why?", "by": "Mara"}) == [Said(8, "Why?", "Mara", 1.5, None, RUN, [])]
    assert said({"run": RUN, "input": ["a list"]}) == [Said(8, "", "", 1.5, None, RUN, [])]


@pytest.mark.parametrize("data", [None, 5, {}, {"run": 5}, {"run": "../x"}, {"run": RUN, "files": "x"}])
def test_an_event_without_a_run_has_no_text(data: Any) -> None:
    assert said(data) == []
    assert said({"run": RUN, "input": "Why?"}, "answer.rated") == []


async def test_a_conversation_without_a_run_has_no_answer() -> None:
    async with Hub("memory:") as hub:
        assert await answer_of(hub, "conversations.a", RUN, 8) is None
