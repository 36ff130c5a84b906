"""Notifications of agents' questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tidings import Hub
from tidings.apps.notifications.fold import Notification
from tidings.apps.notifications.questions import Questions
from tidings.apps.notifications.service import Notifications


async def echo(question: str) -> AsyncIterator[str]:
    yield question


async def told(hub: Hub, announce: str | None, **about: Any) -> list[Notification]:
    """The notifications of Ann after a run that somebody started has asked a question, which is told twice."""
    notifications = Notifications(hub)
    run = await hub.runs.start(echo, "Refund?", announce=announce, about={"assistant": "support", **about})
    for _ in range(2):
        await Questions(hub, notifications, {"support": "Support"}).tell(run.id, "r1")
    return (await notifications.inbox("Ann"))[0].items


async def test_a_question_notifies_the_starter_of_the_run_once(hub: Hub) -> None:
    (one,) = await told(hub, "rooms.den", by="Ann")
    assert (one.kind, one.title, one.by) == ("question", "Support needs your answer", "Support")
    assert (one.link, one.topic, one.event, one.text, one.read) == ("/r/den", "rooms.den", None, "", False)


async def test_the_question_of_a_conversation_leads_there(hub: Hub) -> None:
    (one,) = await told(hub, "conversations.abc", by="Ann")
    assert (one.link, one.topic) == ("/c/abc", None)


async def test_a_question_that_no_page_shows_leads_nowhere(hub: Hub) -> None:
    (one,) = await told(hub, None, by="Ann", assistant="other")
    assert (one.link, one.title) == (None, "The assistant needs your answer")


async def test_the_question_of_a_run_without_a_person_is_told_to_nobody(hub: Hub) -> None:
    assert await told(hub, "rooms.den") == []
