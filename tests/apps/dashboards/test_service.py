"""Dashboards in the store."""

from __future__ import annotations

import pytest

from tidings import Hub
from tidings.access.guards import Guards
from tidings.access.subject import ANYONE, Patterns, Subject
from tidings.apps.dashboards import service
from tidings.apps.dashboards.document import BUILT_IN
from tidings.apps.dashboards.guard import DashboardsGuard
from tidings.apps.dashboards.service import Dashboards
from tidings.errors import Conflict, NotFound

BOARD = BUILT_IN["server"]


async def test_every_version_is_an_event_and_the_last_one_counts() -> None:
    async with Hub("memory:") as hub:
        boards = Dashboards(hub, Guards(dashboards=DashboardsGuard()))
        first = await boards.save("a", BOARD, None)
        second = await boards.save("a", BOARD.model_copy(update={"title": "Two"}), first)
        assert (await boards.get("a")).offset == str(second)
        assert [event.type for event in (await hub.read("dashboards.a")).events] == [service.SAVED] * 2
        assert (await hub.describe("dashboards.a")).retention == service.VERSIONS
        with pytest.raises(Conflict) as refused:
            await boards.save("a", BOARD, first)
        assert refused.value.members["offset"] == str(second)


async def test_a_deleted_dashboard_is_gone_from_the_list() -> None:
    async with Hub("memory:") as hub:
        boards = Dashboards(hub, Guards(dashboards=DashboardsGuard()))
        offset = await boards.save("a", BOARD, None)
        assert [each.id for each in await boards.listed(ANYONE)] == ["a", "server"]
        await hub.delete("dashboards.a")
        assert [each.id for each in await boards.listed(ANYONE)] == ["server"]
        with pytest.raises(NotFound):
            await boards.get("a")
        with pytest.raises(Conflict):
            await boards.save("a", BOARD, offset)


async def test_a_list_begins_with_rights_and_is_cut_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LISTED", 2)
    async with Hub("memory:") as hub:
        boards = Dashboards(hub, Guards(dashboards=DashboardsGuard()))
        for id in "abcz":
            await boards.save(id, BOARD, None)
        reader = Subject("Ann", Patterns([]), Patterns(["dashboards.z"]))
        assert [each.id for each in await boards.listed(reader)] == ["z"]
        assert [each.id for each in await boards.listed(ANYONE)] == ["a", "b", "server"]
