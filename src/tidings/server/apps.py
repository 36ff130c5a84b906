"""The wiring of the apps: their services, their guards and their routers."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from tidings.access.access import Access
from tidings.access.guards import Sealed
from tidings.api import Hub
from tidings.apps.alerts import routes as alerting
from tidings.apps.alerts import webhook_routes as hooks
from tidings.apps.alerts.guard import AlertsGuard, RulesGuard, WebhooksGuard
from tidings.apps.alerts.judging import Judging
from tidings.apps.alerts.rights import Rights
from tidings.apps.alerts.sender import SECRETS, Webhooks
from tidings.apps.alerts.service import CALLS, SILENCES, Alerts
from tidings.apps.conversations.guard import ConversationsGuard
from tidings.apps.dashboards import routes as dashboards
from tidings.apps.dashboards.guard import DashboardsGuard
from tidings.apps.dashboards.service import Dashboards
from tidings.apps.files import routes as transfers
from tidings.apps.files.files import FILES
from tidings.apps.notifications import routes as notifications
from tidings.apps.notifications.guard import PeopleGuard
from tidings.apps.notifications.questions import Questions
from tidings.apps.notifications.service import Notifications
from tidings.apps.people import routes as people
from tidings.apps.people.presence import Presence, PresenceGuard
from tidings.apps.processes import conformance_routes
from tidings.apps.processes import routes as processes
from tidings.apps.processes.deviations import Deviations
from tidings.apps.processes.guard import ProcessesGuard
from tidings.apps.processes.own_runs import OwnRuns
from tidings.apps.processes.service import Processes
from tidings.apps.rooms import routes as rooms
from tidings.apps.rooms.answers import Answers
from tidings.apps.rooms.erasing import Eraser
from tidings.apps.rooms.guard import RoomsGuard
from tidings.apps.rooms.index import Index
from tidings.apps.rooms.notifying import Notices
from tidings.apps.rooms.rooms import Rooms
from tidings.apps.runs.guard import RunsGuard
from tidings.apps.search import routes as searching
from tidings.apps.search.index import Search
from tidings.apps.snapshots import SNAPSHOTS
from tidings.runs.assistant import NamedAssistant

from .settings import Settings
from .shared_limits import TOPIC


def apps(
    hub: Hub,
    access: Access,
    presence: Presence,
    search: Search,
    assistants: Mapping[str, NamedAssistant],
    settings: Settings,
) -> tuple[list[APIRouter], Eraser, Judging, Deviations]:
    """Return the routers of the apps, what erases deleted texts, and what judges alerts and the cases of processes; add
    the guards to `access`."""
    told, service, mined, max_file = Notifications(hub), Rooms(hub), Processes(hub), int(settings.max_file)
    deviations, own_runs = Deviations(hub, mined), OwnRuns(hub)
    index = Index(service)
    notices = Notices(told, proven=not access.authenticator.open)
    answers, eraser = Answers(hub, service, told, assistants), Eraser(hub, service, told, notices)
    service.on_unerased = eraser.erase_soon

    async def run_ended(run: str) -> None:
        await access.limits.ended(run)
        await answers.post(run)
        await own_runs.add(run)

    hub.runs.on_end = run_ended
    titles = {name: assistant.title for name, assistant in assistants.items()}
    hub.runs.on_request = Questions(hub, told, titles).tell
    conversations = ConversationsGuard(hub)
    uploads = {"rooms": service.check_may_upload, "conversations": conversations.check_may_upload}
    access.guards.update(
        {
            "rooms": RoomsGuard(service, notices, answers, access.limits, eraser),
            "runs": RunsGuard(hub, access.guards),
            "conversations": conversations,
            "users": PeopleGuard(),
            "presence": PresenceGuard(),
            "dashboards": DashboardsGuard(),
            "process": ProcessesGuard(mined),
            SNAPSHOTS: Sealed(),
            FILES: Sealed(),
            "sessions": Sealed(),
            TOPIC: Sealed(),
        }
    )
    alerts, judging = alerts_of(hub, access, told, private=settings.webhooks_private)
    routers = [
        rooms.routes(service, index, access, told.markers, max_file),
        searching.routes(hub, service, index, access, search),
        transfers.routes(service.files, access, max_file, uploads),
        people.routes(access, presence),
        notifications.routes(access, told),
        conformance_routes.routes(access, deviations),
        processes.routes(access, mined),
        dashboards.routes(access, Dashboards(hub, access.guards)),
        *alerts,
    ]
    return routers, eraser, judging, deviations


def alerts_of(hub: Hub, access: Access, told: Notifications, *, private: bool) -> tuple[list[APIRouter], Judging]:
    """Return the routers of alerts and what judges them; add their guards. `private`: see TIDINGS_WEBHOOKS_PRIVATE."""
    alerts, webhooks = Alerts(hub), Webhooks(hub, told, private=private)
    rights = Rights(alerts, access)
    access.guards.update(
        {
            "alerts": RulesGuard(rights),
            SILENCES: AlertsGuard(),
            CALLS: Sealed(),
            "webhooks": WebhooksGuard(),
            SECRETS: Sealed(),
        }
    )
    return [alerting.routes(rights), hooks.routes(webhooks, access)], Judging(hub, rights, told, webhooks)
