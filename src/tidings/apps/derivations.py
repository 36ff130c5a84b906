"""Derivations: topics that hold what was derived from another topic, deleted once that one is deleted or redacted."""

from __future__ import annotations

import logging
from asyncio import sleep
from contextlib import suppress

from tidings.delivery.hub import Hub
from tidings.errors import Conflict, TidingsError
from tidings.log.head import Head

log: logging.Logger = logging.getLogger("tidings.apps.derivations")

DERIVED = "derived "
"""Beginning of the labels of topics that hold what was derived from another one."""

LOOK = 5.0
"""Seconds between two looks for derived topics whose source was deleted or redacted."""


def derived_from(topic: str, epoch: str, redactions: int | None = None) -> str:
    """Return the label of what was derived from a topic in this life, when it had so many redactions.

    Without a number, it stays when the topic is redacted: its app takes the redacted content out of it.

    Each append to a derived topic sets this label. A topic that two processes have appended to, one of which had not
    heard of a redaction yet, has both labels, and goes by the older one.
    """
    return f"{DERIVED}{topic} {epoch} {'' if redactions is None else redactions}"


class Derivations:
    """The derived topics of a hub. Every process looks for those that may hold what was deleted, and deletes them.

    A look finds what any process has left, one that was killed included. They are made anew when they are asked for.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def open(self) -> None:
        """Begin to look. The work ends with the hub."""
        self._hub.delivery.background(self._watch())

    async def _watch(self) -> None:
        while True:
            try:
                await self.look()
            except TidingsError as error:
                log.warning("What was derived from deleted events is looked for in %d s: %s", LOOK, error)
            await sleep(LOOK)

    async def look(self) -> None:
        """Delete the topics whose source was deleted or redacted since. Raises Unavailable, OutcomeUnknown."""
        after, known, head = "", "", None
        while labels := await self._hub.log.store.labels(DERIVED, after):
            for label in labels:  # those of one source follow one another
                source, epoch, redactions = label.removeprefix(DERIVED).split(" ")
                if source != known:
                    head, known = await self._hub.log.describe(source), source
                if not _holds(head, epoch, redactions):
                    await self._delete(label)
            after = labels[-1]

    async def _delete(self, label: str) -> None:
        after = ""
        while heads := await self._hub.log.heads("", after, labels=[label]):
            for name, head in heads:
                with suppress(Conflict):  # it was deleted meanwhile, and made anew
                    await self._hub.log.delete(name, expected=head.epoch)
            after = heads[-1][0]


def _holds(source: Head | None, epoch: str, redactions: str) -> bool:
    if source is None or redactions not in ("", str(source.redactions)):
        return False
    return epoch in (source.epoch, *(life for life, _ in source.lives))
