"""The guard of dashboards: who looks at `dashboards.ID`, and who changes it."""

from __future__ import annotations

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import PERSON, Subject
from tidings.errors import Forbidden


class DashboardsGuard(Guard):
    """Tokens decide who reads and who saves; of people, all may look, and administrators may save."""

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise Forbidden("A dashboard is saved by PUT /dashboards/ID, which overwrites nobody's change.", topic=topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        if subject.limits == PERSON and not subject.admin:
            raise Forbidden("Only administrators change dashboards.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise Forbidden("A run is not announced in a dashboard.", topic=topic)
