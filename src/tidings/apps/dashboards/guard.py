"""The guard of dashboards: decides who may read and who may save `dashboards.ID`."""

from __future__ import annotations

from tidings.access.guards import Admitted, Guard, Items
from tidings.access.subject import PERSON, Subject
from tidings.errors import Forbidden


class DashboardsGuard(Guard):
    """Allows what the token allows, with one exception: of the people that sign in, only administrators may save."""

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise Forbidden("A dashboard is saved by PUT /dashboards/ID, which overwrites nobody's change.", topic=topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        if subject.limits == PERSON and not subject.admin:
            raise Forbidden("Only administrators change dashboards.", topic=topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise Forbidden("A run is not announced in a dashboard.", topic=topic)
