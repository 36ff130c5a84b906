"""`GET /series`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.members import SECRET
from tests.http.conftest import Server
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def asked(server: Server, path: str, *topics: str) -> Any:
    token = sign(SECRET, "a", publish=(), subscribe=topics or ("*",), seconds=60)
    return await server.client.get(f"/series?{path}", headers={"authorization": f"Bearer {token}"})


async def test_a_series_of_events_that_were_just_published(server: Server, id: str) -> None:
    for n in range(3):
        await server.hub.publish(id, {"n": n, "kind": "odd" if n % 2 else "even"})
    answer = (await asked(server, f"topic={id}&field=n&agg=max&by=kind")).json()
    assert [(line["group"], max(v for v in line["values"] if v is not None)) for line in answer["lines"]] == [
        ("even", 2.0),
        ("odd", 1.0),
    ]
    assert answer["offset"] == str((await server.hub.describe(id)).tail)
    assert (answer["step"], answer["to"] - answer["from"]) == (1, len(answer["lines"][0]["values"]))
    assert (answer["bad"], answer["gaps"], answer["notes"]) == (0, [], [])
    counted = (await asked(server, f"topic={id}&from=-3600")).json()
    assert (counted["agg"], counted["step"], counted["lines"][0]["open"]["events"]) == ("rate", 5, 3.0)


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("topic=t&agg=mean", "agg"),
        ("topic=t&agg=median&field=v", "agg"),
        ("topic=t&field=a..b", "field"),
        ("topic=t&by=" + "a.b." * 4 + "c", "by"),
        ("topic=t&from=0&to=-5", "from"),
        ("topic=t&to=9999999999", "to"),
        ("topic=t&from=5", "from"),
        ("topic=t&from=nan", "from"),
        ("topic=t&points=2001", "points"),
        ("topic=t&points=many", "points"),
        ("topic=t&more=1", "more"),
        ("field=v", "topic"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_its_name(server: Server, path: str, named: str) -> None:
    answer = await asked(server, path)
    assert answer.status_code in (400, 422)
    assert named in answer.text


async def test_the_right_to_read_the_topic_is_the_right_to_its_series(server: Server) -> None:
    assert (await asked(server, "topic=orders.paid", "rooms.*")).status_code == 403
    assert (await asked(server, "topic=orders.paid", "orders.*")).status_code == 200
    assert (await asked(server, "topic=snapshots.series.x.m")).status_code == 403
