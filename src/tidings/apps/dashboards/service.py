"""Dashboards in the store: each is a topic whose last event is its document."""

from __future__ import annotations

from typing import Any

import msgspec

from tidings.access.guards import Guards
from tidings.access.listing import Listing
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, NotFound
from tidings.events import Offset, Retention
from tidings.log.rules import NEW

from .document import BUILT_IN, Dashboard

PREFIX = "dashboards."

SAVED = "dashboard.saved"

VERSIONS = Retention(max_events=100)
"""The versions of a dashboard that are kept."""

LISTED = 200
"""Dashboards in a list."""


class Listed(msgspec.Struct):
    """A dashboard in a list."""

    id: str
    title: str


class Kept(msgspec.Struct):
    """A dashboard. `offset`: the offset of its version, which the next save expects; null before the first save."""

    id: str
    topic: str
    offset: str | None
    dashboard: Any


class Dashboards:
    """The dashboards of a hub."""

    def __init__(self, hub: Hub, guards: Guards) -> None:
        self._hub, self._guards = hub, guards

    async def listed(self, subject: Subject) -> list[Listed]:
        """Return the first 200 dashboards that the subject may read, by title. Raises Unavailable."""
        listing = Listing(self._hub.log, self._guards, subject, LISTED)
        await listing.fill(PREFIX, "")
        built_in = {id for id in BUILT_IN if subject.may_subscribe(PREFIX + id)}
        found = []
        for id in {name.removeprefix(PREFIX) for name in listing.names} | built_in:
            try:
                found.append(Listed(id, (await self.get(id)).dashboard["title"]))
            except NotFound:
                continue  # it was deleted meanwhile
        return sorted(found, key=lambda each: (each.title.casefold(), each.id))

    async def get(self, id: str) -> Kept:
        """Return a dashboard. Raises NotFound, Unavailable."""
        topic = PREFIX + id
        try:
            page = await self._hub.read(topic, -1)
        except NotFound:
            page = None
        if page is not None and page.events and page.events[-1].type == SAVED:
            return Kept(id, topic, str(page.events[-1].offset), page.events[-1].json())
        if id not in BUILT_IN:
            raise NotFound(f"There is no dashboard {id}.")
        return Kept(id, topic, None, BUILT_IN[id].model_dump(exclude_defaults=True))

    async def save(self, id: str, dashboard: Dashboard, expected: Offset | None) -> Offset:
        """Store a version of a dashboard and return its offset.

        `expected`: the offset of the version that was changed, or None for the first version of the dashboard. Raises
        Conflict, with the present `offset`, if another version was saved meanwhile.
        """
        topic = PREFIX + id
        text = dashboard.model_dump_json(exclude_defaults=True)
        try:
            done = await self._hub.log.append(
                topic, [(SAVED, text)], expected=NEW if expected is None else expected, retention=VERSIONS
            )
        except Conflict:
            head = await self._hub.log.describe(topic)
            offset = str(Offset(head.epoch, head.tail)) if head else None
            raise Conflict("The dashboard was changed meanwhile. Load it again.", topic=topic, offset=offset) from None
        return done.last
