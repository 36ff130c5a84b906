"""Handing notices on: to the topics of people, and to the queues of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tidings.apps.notifications.service import Notifications

from .facts import Notice, Told
from .fold import State
from .rights import Rights
from .service import topic_of

NAMED = 3
"""Instances that the title of a notification names."""


class Queue(Protocol):
    """The queues of webhooks."""

    async def put(self, webhook: str, rule: str, notice: Notice) -> None:
        """Queue a notice for a webhook. A repeated call queues the notice once."""


class Telling:
    """Tells webhooks, and those people who may read what the rule watches at that moment. A call may be repeated: keys
    are made of the notice's id."""

    def __init__(self, notifications: Notifications, queue: Queue, rights: Rights) -> None:
        self._notifications = notifications
        self._rights = rights
        self._queue = queue

    async def hand_on(self, id: str, state: State, notices: Sequence[Notice]) -> None:
        """Hand notices of a rule on, in their order. They are stored when this returns. Raises Unavailable."""
        rule = state.rule
        if rule is None:
            return
        named = [state.author] if rule.people is None and state.author else rule.people or []
        people = [name for name in dict.fromkeys(named) if await self._rights.may_be_told(name, state)]
        for notice in notices:
            for name in people:
                await self._notifications.notify(
                    name,
                    "alert",
                    title_of(notice),
                    key=f"alert.{notice.id}",
                    text=text_of(notice),
                    link=notice.link,
                    topic=topic_of(id),
                )
            for webhook in dict.fromkeys(rule.webhooks):
                await self._queue.put(webhook, id, notice)


def title_of(notice: Notice) -> str:
    """Return the title of a notification: the event of the notice in one line."""
    name = notice.title or notice.topic
    listed = [one.instance for one in notice.instances if one.instance]
    if listed:
        more = notice.more + max(0, len(listed) - NAMED)
        name += f" ({', '.join(listed[:NAMED])}{f' and {more} more' if more else ''})"
    return {
        "fired": f"{name} is firing",
        "again": f"{name} is still firing",
        "resolved": f"{name} is over",
        "no_data": f"{name} has no data",
        "broken": f"{name} has no values that are numbers",
    }[notice.kind]


def text_of(notice: Notice) -> str:
    """Return the text of a notification: the values, a line for each instance."""
    lines = [_line(notice, one) for one in notice.instances]
    if notice.more:
        lines.append(f"{notice.more} more")
    if notice.others:
        lines.append("“others” stands for all instances beyond the first 1,000.")
    return "\n".join(line for line in lines if line)


def _line(notice: Notice, one: Told) -> str:
    value = "" if one.value is None else f"{one.value:.10g}"
    limit = "" if notice.limit is None or not value else f" (limit {notice.limit:.10g})"
    said = f"{value}{limit}" if value else one.reason or ""
    return f"{one.instance}: {said}" if one.instance and said else said
