"""Problem documents for what goes wrong outside the routes: short, whatever was sent."""

from __future__ import annotations

import msgspec
import pytest

from tests.http.conftest import Server
from tests.http.problems import problem
from tidings.http.problems import ERRORS

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", ["/session", "/runs"])
@pytest.mark.parametrize("count", [1_000, 80_000])
async def test_many_unknown_members_get_a_short_answer(server: Server, path: str, count: int) -> None:
    body = msgspec.json.encode({f"k{n}": n for n in range(count)})
    answer = await server.client.post(path, content=body, headers=JSON)
    assert answer.status_code in (413, 422)
    problem(answer, answer.status_code)
    assert len(answer.content) < 500


async def test_many_wrong_items_get_a_short_answer(server: Server) -> None:
    for count, status in ((9_900, 422), (300_000, 413)):
        body = b'{"messages":[' + b",".join([b"{}"] * count) + b"]}"
        answer = await server.client.post("/runs", content=body, headers=JSON)
        problem(answer, status)
        assert len(answer.content) < 2_000


async def test_the_errors_and_their_places_are_few_and_short(server: Server) -> None:
    body = msgspec.json.encode({"x" * 5_000 + str(n): n for n in range(3)})
    answer = await server.client.put("/topics/a", content=body, headers=JSON)
    assert len(answer.content) < 2_000
    body = msgspec.json.encode({f"k{n}": n for n in range(50)})
    answer = await server.client.put("/topics/a", content=body, headers=JSON)
    assert len(problem(answer, 422)["errors"]) == ERRORS


async def test_a_path_names_the_methods_of_all_its_routes(server: Server) -> None:
    answer = await server.client.delete("/topics/a/events")
    problem(answer, 405, "GET, POST")
    assert answer.headers["allow"] == "GET, POST"
