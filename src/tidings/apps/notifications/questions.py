"""Notifications of agents' questions: the person who started a run hears that the run waits for an answer."""

from __future__ import annotations

from collections.abc import Mapping

from tidings.delivery.hub import Hub
from tidings.wire.run_events import RunStarted, from_event

from .service import Notifications

PAGES = {"rooms": "/r/", "conversations": "/c/"}
"""The beginnings of the paths of the pages that show runs, by the first segment of the topic that announces them."""


class Questions:
    """Notifies the person who started a run of each question that the run asks. `titles`: of assistants, by name.

    The notification names no content of the question, because the person may have left the room meanwhile.
    """

    def __init__(self, hub: Hub, notifications: Notifications, titles: Mapping[str, str]) -> None:
        self._hub = hub
        self._notifications = notifications
        self._titles = titles

    async def tell(self, run: str, request: str) -> None:
        """Notify the person, once for each question. Does nothing for a run that nobody with a name started.

        Raises Unavailable, and NotFound if the run was deleted.
        """
        page = await self._hub.read(f"runs.{run}", "earliest", 1)
        started = from_event(page.events[0]) if page.events else None
        if not isinstance(started, RunStarted) or started.by is None:
            return
        title = self._titles.get(started.assistant, "The assistant")
        kind, _, id = (started.topic or "").partition(".")
        await self._notifications.notify(
            started.by,
            "question",
            f"{title} needs your answer",
            key=f"question.{run}.{request}",
            link=f"{PAGES[kind]}{id}" if kind in PAGES else None,
            topic=started.topic if kind == "rooms" else None,
            by=title,
        )
