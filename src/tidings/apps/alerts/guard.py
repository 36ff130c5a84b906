"""The guards of the topics of alerts: they decide who reads them, and the routes alone change them."""

from __future__ import annotations

from tidings.access.guards import Admitted, Guard, Items, Watch
from tidings.access.subject import PERSON, Subject
from tidings.errors import Forbidden

from .rights import Rights


def check_may_change(subject: Subject) -> None:
    """Raise Forbidden for a person who does not administer the server. Programs have their tokens' patterns."""
    if subject.limits == PERSON and not subject.admin:
        raise Forbidden("Only an administrator may change that.")


class AlertsGuard(Guard):
    """Guards `silences`, and is the base of the others. The patterns of a token decide who reads them."""

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise _by_routes(topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        raise _by_routes(topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise _by_routes(topic)


class RulesGuard(AlertsGuard):
    """Guards `alerts.*`. A rule's topic is read by those who may read what the rule watches."""

    def __init__(self, rights: Rights) -> None:
        self._rights = rights

    async def read(self, subject: Subject, topic: str) -> None:
        await self._rights.read(subject, topic)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        return self._rights.watch(subject, topic)


class WebhooksGuard(AlertsGuard):
    """Guards `webhooks.*`, whose addresses are for administrators alone."""

    async def read(self, subject: Subject, topic: str) -> None:
        check_may_change(subject)


def _by_routes(topic: str) -> Forbidden:
    return Forbidden("Rules, silences and webhooks are changed by /alerts, not by publishing.", topic=topic)
