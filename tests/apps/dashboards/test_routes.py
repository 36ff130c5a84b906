"""Dashboards over HTTP: looked at, saved without overwriting anybody, refused with the field that is wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from httpx import Response

from tests.apps.members import SECRET
from tests.http.conftest import Server
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARD = {"id": "a", "kind": "line", "title": "Orders", "series": [{"topic": "orders.paid", "agg": "rate"}]}
BOARD: dict[str, Any] = {"version": 1, "title": "Orders", "cards": [CARD]}


def of(name: str) -> str:
    """Return a token that allows everything."""
    return sign(SECRET, name, publish=["*"], subscribe=["*"], seconds=600)


async def ask(server: Server, method: str, path: str, json: Any = None, token: str | None = None) -> Response:
    token = token or of("ops")
    return await server.client.request(method, path, json=json, headers={"authorization": f"Bearer {token}"})


async def test_a_dashboard_is_exported_and_imported_as_it_is(server: Server, id: str) -> None:
    saved = await ask(server, "PUT", f"/dashboards/{id}?expected=new", BOARD)
    assert saved.status_code == 200
    exported = (await ask(server, "GET", f"/dashboards/{id}")).json()
    assert exported == saved.json()
    assert exported["dashboard"] == BOARD
    copy = await ask(server, "PUT", f"/dashboards/{id}-2?expected=new", exported["dashboard"])
    assert copy.json()["dashboard"] == BOARD
    listed = (await ask(server, "GET", "/dashboards")).json()["dashboards"]
    assert {"id": id, "title": "Orders"} in listed
    assert {"id": "server", "title": "Server"} in listed


async def test_the_slower_of_two_editors_gets_a_conflict(server: Server, id: str) -> None:
    path = f"/dashboards/{id}?expected="
    offset = (await ask(server, "PUT", path + "new", BOARD)).json()["offset"]
    boards = [{**BOARD, "title": title} for title in ("one", "two")]
    answers = await asyncio.gather(*[ask(server, "PUT", path + offset, board) for board in boards])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    kept = (await ask(server, "GET", f"/dashboards/{id}")).json()
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["offset"] == kept["offset"]
    assert (await ask(server, "PUT", path + "new", BOARD)).status_code == 409
    assert (await ask(server, "PUT", f"/dashboards/{id}", BOARD)).status_code == 422


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"version": 2, "news": 1}, "update the server"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"title": ""}, "title"),
        ({"range": 5}, "range"),
        ({"more": 1}, "more"),
        ({"cards": [CARD, CARD]}, "same `id`"),
        ({"cards": [CARD] * 41}, "cards"),
        ({"cards": [{**CARD, "kind": "pie"}]}, "cards.0.kind"),
        ({"cards": [{**CARD, "width": 7}]}, "cards.0.width"),
        ({"cards": [{**CARD, "series": []}]}, "series"),
        ({"cards": [{**CARD, "kind": "text"}]}, "series"),
        ({"cards": [{**CARD, "min": 3, "max": 1}]}, "min"),
        ({"cards": [{**CARD, "series": [{"topic": "a b"}]}]}, "topic"),
        ({"cards": [{**CARD, "series": [{"topic": "t", "agg": "mean"}]}]}, "field"),
        ({"cards": [{**CARD, "series": [{"topic": "t", "field": "a..b"}]}]}, "cards.0.series.0.field"),
        ({"cards": [{**CARD, "thresholds": ["1"]}]}, "cards.0.thresholds"),
    ],
)
async def test_a_wrong_document_is_refused_by_its_field(server: Server, change: dict[str, Any], named: str) -> None:
    answer = await ask(server, "PUT", "/dashboards/wrong?expected=new", {**BOARD, **change})
    assert answer.status_code in (400, 422)
    assert named in answer.text
    assert (await ask(server, "GET", "/dashboards/wrong")).status_code == 404


async def test_all_may_look_and_administrators_may_change(server: Server, id: str) -> None:
    topics = {"publish": ["dashboards.*"], "subscribe": ["dashboards.*"], "seconds": 60.0, "limits": "person"}
    person = sign(SECRET, "Ann", **topics)  # type: ignore[arg-type]
    stranger = sign(SECRET, "x", publish=["rooms.*"], subscribe=["rooms.*"], seconds=60)
    path = f"/dashboards/{id}?expected=new"
    refused = await ask(server, "PUT", path, BOARD, person)
    assert (refused.status_code, "administrators" in refused.text) == (403, True)
    assert (await ask(server, "PUT", path, BOARD)).status_code == 200
    assert (await ask(server, "GET", f"/dashboards/{id}", token=person)).status_code == 200
    assert (await ask(server, "GET", f"/dashboards/{id}", token=stranger)).status_code == 403
    assert (await ask(server, "GET", "/dashboards", token=stranger)).json() == {"dashboards": []}
    native = await ask(server, "POST", f"/topics/dashboards.{id}/events", BOARD)
    assert (native.status_code, "PUT /dashboards/ID" in native.text) == (403, True)
    assert (await ask(server, "DELETE", f"/topics/dashboards.{id}", token=person)).status_code == 403
    assert (await ask(server, "DELETE", f"/topics/dashboards.{id}")).status_code == 204
    assert (await ask(server, "GET", f"/dashboards/{id}")).status_code == 404


async def test_the_built_in_dashboard_can_be_changed_and_comes_back(server: Server) -> None:
    before = (await ask(server, "GET", "/dashboards/server")).json()
    assert (before["offset"], before["dashboard"]["title"]) == (None, "Server")
    assert (await ask(server, "PUT", "/dashboards/server?expected=new", BOARD)).status_code == 200
    assert (await ask(server, "GET", "/dashboards/server")).json()["dashboard"] == BOARD
    await ask(server, "DELETE", "/topics/dashboards.server")
    assert (await ask(server, "GET", "/dashboards/server")).json() == before
