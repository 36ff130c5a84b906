"""Requests through proxies: a trusted proxy tells what the browser sees, and the log names other peers that try to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route, Router

from tests.http.problems import problem
from tests.serving import PATIENCE, ServerProcess
from tidings.server.proxies import WARNED, TrustedProxies

HTTPS = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}


async def seen(request: Request) -> JSONResponse:
    """Answer with what the app sees of the request."""
    assert request.client is not None
    raw = request.scope["raw_path"].decode()
    return JSONResponse(
        {"url": str(request.url), "root": request.scope["root_path"], "raw": raw, "from": request.client.host}
    )


APP = Router([Route("/topics/{topic}", seen), Mount("/app", Router([Route("/x", seen)]))])


async def get(
    headers: Mapping[str, str], *, trusted: Any = ("10.0.0.0/8",), peer: str = "10.1.2.3", path: str = "/topics/a%2Fb"
) -> httpx.Response:
    transport = httpx.ASGITransport(TrustedProxies(APP, trusted), client=(peer, 9))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://events.example") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("trusted", [("10.0.0.0/8",), ("192.0.2.1", "10.1.2.3"), ("*",)])
async def test_a_trusted_proxy_tells_the_scheme_the_sender_and_the_prefix(trusted: tuple[str, ...]) -> None:
    answer = await get({**HTTPS, "x-forwarded-prefix": "/live/v1"}, trusted=trusted, path="/topics/a")
    assert answer.json() == {
        "url": "https://events.example/live/v1/topics/a",
        "root": "/live/v1",
        "raw": "/live/v1/topics/a",
        "from": "203.0.113.9",
    }


async def test_routes_and_mounted_apps_are_found_below_a_prefix() -> None:
    answer = await get({"x-forwarded-prefix": "/live/"}, path="/app/x")
    assert (answer.json()["url"], answer.json()["root"]) == ("http://events.example/live/app/x", "/live/app")


@pytest.mark.parametrize("prefix", ["", "/"])
async def test_an_empty_prefix_changes_nothing(prefix: str) -> None:
    answer = await get({"x-forwarded-prefix": prefix}, path="/topics/a")
    assert (answer.json()["root"], answer.json()["url"]) == ("", "http://events.example/topics/a")


@pytest.mark.parametrize(
    "prefix", ["live", "//evil.example", "/live/../x", "/.", "/a b", "/%2e", "/a,/b", "/a;x", "/é", "/" + "x" * 101]
)
async def test_a_prefix_that_is_no_path_is_refused(prefix: str) -> None:
    problem(await get({"x-forwarded-prefix": prefix.encode()}), 400, "X-Forwarded-Prefix")  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [("https, http", "https"), ("HTTPS", "https"), (" https ,https", "https"), ("http, https", "http"), ("", "http")],
)
async def test_the_first_scheme_of_a_chain_of_proxies_is_the_browsers(scheme: str, expected: str) -> None:
    answer = await get({"x-forwarded-proto": scheme}, path="/topics/a")
    assert answer.json()["url"] == f"{expected}://events.example/topics/a"


@pytest.mark.parametrize("scheme", ["on", "wss", "https:", "1", "javascript"])
async def test_a_scheme_that_is_not_one_of_http_is_refused(scheme: str) -> None:
    problem(await get({"x-forwarded-proto": scheme}), 400, "X-Forwarded-Proto")


async def test_the_headers_of_other_peers_are_ignored_and_the_log_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = TrustedProxies(APP, ("127.0.0.1",))
    for n in range(3 * WARNED):
        peer = f"10.0.0.{n // 2}"
        transport = httpx.ASGITransport(app, client=(peer, 9))  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://events.example") as client:
            answer = await client.get("/topics/a", headers={**HTTPS, "x-forwarded-prefix": "//evil"})
            assert answer.json()["url"] == "http://events.example/topics/a"
            assert answer.json()["from"] == peer
    warnings = [record.getMessage() for record in caplog.records if record.name == "tidings.proxies"]
    assert len(warnings) == WARNED
    assert warnings[0].startswith("10.0.0.0 sends X-Forwarded headers and is not in TIDINGS_TRUSTED_PROXIES")
    assert {record.levelno for record in caplog.records if record.name == "tidings.proxies"} == {logging.WARNING}


def cookie(server: ServerProcess) -> str:
    """Choose a name through the proxy that this test is, and return the cookie."""
    answer = httpx.post(f"{server.url}/session", json={"name": "Ann"}, headers=HTTPS, timeout=PATIENCE)
    assert answer.status_code == 200
    return answer.headers["set-cookie"]


def test_a_served_cookie_is_secure_behind_a_trusted_proxy_only() -> None:
    with ServerProcess("memory:") as server:
        assert cookie(server).endswith("; Secure")
    with ServerProcess("memory:", env={"TIDINGS_TRUSTED_PROXIES": "192.0.2.1"}) as server:
        assert "Secure" not in cookie(server)
        assert "Secure" not in cookie(server)
        server.terminate()
        assert "".join(server.output).count("127.0.0.1 sends X-Forwarded headers and is not in TIDINGS_TRUSTED") == 1
