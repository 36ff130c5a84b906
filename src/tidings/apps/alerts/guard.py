"""The guard of the topics of alerts: all who are allowed to may read them, and the routes alone change them."""

from __future__ import annotations

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import PERSON, Subject
from tidings.errors import Forbidden


def check_may_change(subject: Subject) -> None:
    """Raise Forbidden for a person who does not administer the server. Programs have their tokens' patterns."""
    if subject.limits == PERSON and not subject.admin:
        raise Forbidden("Only an administrator may change that.")


class AlertsGuard(Guard):
    """Guards `alerts.*` and `silences`. The patterns of a token decide who reads them."""

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise _by_routes(topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        raise _by_routes(topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise _by_routes(topic)


class WebhooksGuard(AlertsGuard):
    """Guards `webhooks.*`, whose addresses are for administrators alone."""

    async def read(self, subject: Subject, topic: str) -> None:
        check_may_change(subject)


def _by_routes(topic: str) -> Forbidden:
    return Forbidden("Rules, silences and webhooks are changed by /alerts, not by publishing.", topic=topic)
