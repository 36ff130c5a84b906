"""A token goes in once, and a cookie carries it from then on."""

from __future__ import annotations

import pytest

from tests.asgi import asking
from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tidings.access.tokens import sign

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "a secret that is long enough for a test"


async def test_an_open_server_asks_nobody(server: Server) -> None:
    answer = await server.client.get("/session")
    open = {"auth": "open", "signed_in": True, "name": None, "expires": None, "admin": True, "oidc": None}
    assert answer.json() == open


async def test_a_name_is_chosen_on_an_open_server() -> None:
    async with serving() as server:
        client = server.client
        answer = await client.post("/session", json={"name": "Mara Lindqvist"})
        assert (answer.status_code, answer.json()["name"]) == (200, "Mara Lindqvist")
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=Lax" in answer.headers["set-cookie"]
        assert (await client.get("/session")).json()["name"] == "Mara Lindqvist"
        foreign = {"origin": "https://evil.example"}
        problem(await client.post("/session", json={"name": "Eve"}, headers=foreign), 403)
        problem(await client.delete("/session", headers=foreign), 403)
        problem(await client.post("/session", json={"name": "Eve"}, headers={"host": "evil.example"}), 403)
        assert (await client.get("/session")).json()["name"] == "Mara Lindqvist"
        assert (await client.delete("/session")).status_code == 204
        assert (await client.get("/session")).json()["name"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": ""}, 422),
        ({"name": "x" * 61}, 422),
        ({"name": None}, 422),
        ({"name": " Mara"}, 400),
        ({"name": "Ma\nra"}, 400),
        ({"name": "Mara", "token": "x"}, 400),
        ({"token": "x"}, 400),
        ({}, 400),
    ],
)
async def test_a_text_that_is_not_a_name_is_refused(server: Server, body: object, status: int) -> None:
    answer = await server.client.post("/session", json=body)
    problem(answer, status)
    assert "set-cookie" not in answer.headers


async def test_a_name_is_not_chosen_on_a_server_with_a_key() -> None:
    async with serving(secret=SECRET) as server:
        answer = await server.client.post("/session", json={"name": "root"})
        problem(answer, 400)
        assert "set-cookie" not in answer.headers


async def test_signing_in_and_out() -> None:
    async with serving(secret=SECRET) as server:
        client = server.client
        nobody = {"auth": "token", "signed_in": False, "name": None, "expires": None, "admin": False, "oidc": None}
        assert (await client.get("/session")).json() == nobody
        token = sign(SECRET, "ann", publish=("a",), subscribe=("a",), seconds=600)
        answer = await client.post("/session", json={"token": token})
        assert answer.status_code == 200
        assert (answer.json()["signed_in"], answer.json()["name"]) == (True, "ann")
        set_cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in set_cookie
        assert "SameSite=Lax" in set_cookie
        assert "Secure" not in set_cookie, "this is http"
        assert token not in answer.text
        assert (await client.get("/session")).json()["name"] == "ann"
        assert (await client.post("/topics/a/events", content="x")).status_code == 201
        problem(await client.post("/topics/a/events", content="x", headers={"origin": "https://evil.example"}), 403)
        cookie = {"cookie": f"tidings={token}"}
        async with asking(server.app, "/events?topic=a&from=earliest", headers=cookie) as reader:
            await reader.take(1)
        foreign = {"origin": "https://evil.example"}
        problem(await client.post("/session", json={"token": token}, headers=foreign), 403)
        problem(await client.delete("/session", headers=foreign), 403)
        answer = await client.delete("/session")
        assert answer.status_code == 204
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert (await client.get("/session")).json() == nobody
        problem(await client.get("/topics/a"), 401)


async def test_over_https_the_cookie_is_secure() -> None:
    async with serving(secret=SECRET) as server:
        token = sign(SECRET, "ann", publish=(), subscribe=(), seconds=600)
        answer = await server.client.post("https://localhost/session", json={"token": token})
        assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "nonsense"}, 401),
        ({"token": sign("another secret that is long enough", "ann", publish=(), subscribe=(), seconds=60)}, 401),
        ({"token": sign(SECRET, "ann", publish=(), subscribe=(), seconds=-60)}, 401),
        ({"token": ""}, 422),
        ({"token": "x" * 9000}, 422),
        ({"token": "é" * 10}, 401),
        ({"token": 3}, 422),
        ({}, 400),
        ({"token": "x", "more": 1}, 422),
        ([], 422),
    ],
)
async def test_a_text_that_is_not_a_token_is_refused(body: object, status: int) -> None:
    async with serving(secret=SECRET) as server:
        answer = await server.client.post("/session", json=body)
        problem(answer, status)
        assert "set-cookie" not in answer.headers
        assert "x" * 100 not in answer.text, "a token is never written back"
