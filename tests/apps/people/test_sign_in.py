"""Signing in with an OpenID Connect provider, against one that runs; and against its lies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.http.conftest import Server, serving
from tests.http.problems import problem
from tests.provider import CLIENT, SECRET, Provider
from tidings.access.names import slug

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a secret that is long enough for a test"


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.reset()
    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(running: Provider) -> AsyncIterator[Server]:
    async with serving(**settings(running)) as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Server:
    """A server whose browser has no cookies yet."""
    shared.client.cookies.clear()
    return shared


def settings(provider: Provider, **more: Any) -> dict[str, Any]:
    about = {"oidc_issuer": provider.url, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
    return {"secret": KEY, **about, **more}


async def there(server: Server, next: str | None = None) -> str:
    """Sign in up to the address to which the provider sends the browser back."""
    answer = await server.client.get("/session/login", params={} if next is None else {"next": next})
    assert answer.status_code == 303, answer.text
    async with httpx.AsyncClient() as browser:
        back = await browser.get(answer.headers["location"])
    assert back.status_code == 303, back.text
    return back.headers["location"]


async def back(server: Server, address: str) -> str:
    """Come back from the provider, and return the address to which the server redirects the browser."""
    answer = await server.client.get(address)
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    assert "tidings_login=;" in answer.headers["set-cookie"], "an attempt is good for one answer"
    return answer.headers["location"]


async def who(server: Server) -> str | None:
    return (await server.client.get("/session")).json()["name"]


async def test_somebody_signs_in(server: Server, provider: Provider) -> None:
    nobody = (await server.client.get("/session")).json()
    assert (nobody["signed_in"], nobody["oidc"]) == (False, "127.0.0.1")
    assert await back(server, await there(server, "/r/deploys#e7")) == "/r/deploys#e7"
    session = (await server.client.get("/session")).json()
    assert (session["signed_in"], session["name"]) == (True, "Mara Lindqvist")
    assert time.time() < session["expires"] < time.time() + 13 * 3600
    assert (await server.client.delete("/session")).status_code == 204
    assert await who(server) is None


async def test_the_cookies_are_out_of_reach(server: Server, provider: Provider) -> None:
    answer = await server.client.get("/session/login")
    assert "HttpOnly; SameSite=Lax" in answer.headers["set-cookie"]
    answer = await server.client.get(await there(server))
    for cookie in answer.headers.get_list("set-cookie"):
        assert "HttpOnly; SameSite=Lax" in cookie
    assert answer.headers["referrer-policy"] == "no-referrer"
    answer = await server.client.get("https://localhost/session/login")
    assert "; Secure" in answer.headers["set-cookie"]
    assert parse_qs(urlsplit(answer.headers["location"]).query)["redirect_uri"] == [
        "https://localhost/session/callback"
    ]


async def test_a_person_may_do_what_people_do_and_no_more(server: Server, provider: Provider) -> None:
    await back(server, await there(server))
    client = server.client
    mine = f"users.{slug('Mara Lindqvist')}"
    assert (await client.post(f"/topics/{mine}.conversations/events", content="x")).status_code == 201
    room = {"name": "Deploys", "private": True}
    created = await client.post("/topics/rooms.deploys/events?type=room.created", json=room)
    assert created.status_code == 201, created.text
    (mine,) = (await client.get("/rooms")).json()["rooms"]
    assert (mine["id"], mine["role"]) == ("deploys", "owner")
    for path in ("/people", "/notifications", "/assistants"):
        assert (await client.get(path)).status_code == 200
    run = await client.post("/runs", json={"assistant": "echo", "input": "hi"})
    assert (await client.get(f"{run.headers['location']}/events")).status_code == 200
    for topic in ("users.Eve", "users.Eve.conversations", "accounts.1", "names.mara", "anything"):
        problem(await client.post(f"/topics/{topic}/events", content="x"), 403)
        problem(await client.get(f"/topics/{topic}/events"), 403)


async def test_a_provider_that_says_little_is_asked(server: Server, provider: Provider) -> None:
    provider.claims = {"sub": "thin"}
    provider.about = {"sub": "thin", "name": "Thin Lizzy"}
    assert await back(server, await there(server)) == "/"
    assert await who(server) == "Thin Lizzy"
    provider.about["sub"] = "account-1"
    assert await back(server, await there(server)) == "/?problem=untrusted"


async def test_a_provider_that_wants_its_secret_in_the_body(provider: Provider) -> None:
    provider.methods = ["client_secret_post"]
    async with serving(**settings(provider, oidc_title="Example Corp", audience="tidings", issuer="us")) as server:
        assert await back(server, await there(server)) == "/"
        assert await who(server) == "Mara Lindqvist"
        assert (await server.client.get("/session")).json()["oidc"] == "Example Corp"


FOREIGN = rsa.generate_private_key(65537, 2048)
LIES: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "expired": {"exp": int(time.time()) - 60},
    "no expiry": {"exp": None},
    "another issuer": {"iss": "https://evil.example"},
    "two issuers": {"iss": ["https://evil.example"]},
    "for another client": {"aud": "another"},
    "for others, too": {"aud": [CLIENT, "another"]},
    "another party's": {"aud": [CLIENT, "another"], "azp": "another"},
    "nobody": {"sub": ""},
    "half a character": {"sub": "\ud800"},
    "no subject": {"sub": None},
    "a number": {"sub": 7},
    "not yet": {"nbf": int(time.time()) + 3600},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_an_id_token_that_lies_is_not_believed(server: Server, provider: Provider, lie: dict[str, Any]) -> None:
    provider.lie = lie
    assert await back(server, await there(server)) == "/?problem=untrusted"
    assert await who(server) is None


@pytest.mark.parametrize(("key", "algorithm"), [(FOREIGN, "RS256"), (KEY, "HS256"), (None, "none")])
async def test_an_id_token_that_others_signed(server: Server, provider: Provider, key: Any, algorithm: str) -> None:
    provider.sign_with, provider.algorithm = key, algorithm
    assert await back(server, await there(server)) == "/?problem=untrusted"
    assert await who(server) is None


async def test_another_browser_s_answer_is_not_taken(server: Server, provider: Provider) -> None:
    """The classic: a page sends the victim's browser here with the attacker's code."""
    theirs = await there(server)
    server.client.cookies.clear()
    assert await back(server, theirs) == "/?problem=expired", "this browser has begun nothing"
    ours = await there(server)
    assert await back(server, theirs) == "/?problem=expired", "it has begun another"
    assert await back(server, ours) == "/?problem=expired", "and that is over now"
    assert provider.asked == 0
    assert await who(server) is None


async def test_a_code_is_good_once(server: Server, provider: Provider) -> None:
    address = await there(server)
    attempt = server.client.cookies["tidings_login"]
    assert await back(server, address) == "/"
    assert await back(server, address) == "/?problem=expired", "the attempt is over"
    server.client.cookies.clear()
    server.client.cookies.set("tidings_login", attempt)
    asked = provider.asked
    assert await back(server, address) == "/?problem=expired", "the attempt was used"
    assert (provider.redeemed, provider.asked) == (1, asked), "the provider is not asked again"
    assert await who(server) is None


async def test_an_attempt_cannot_be_made_up_nor_taken_for_a_token(server: Server, provider: Provider) -> None:
    address = await there(server)
    attempt = server.client.cookies["tidings_login"]
    body = jwt.decode(attempt, options={"verify_signature": False})
    for made in (jwt.encode(body, KEY), jwt.encode({**body, "next": "//evil.example"}, KEY), attempt[:-3] + "abc", "x"):
        server.client.cookies.clear()
        server.client.cookies.set("tidings_login", made)
        assert await back(server, address) == "/?problem=expired"
    problem(await server.client.get("/topics/a", headers={"authorization": f"Bearer {attempt}"}), 401)


async def test_another_process_finishes_what_one_began(server: Server, provider: Provider) -> None:
    address = await there(server)
    async with serving(**settings(provider)) as other:
        other.client.cookies = server.client.cookies
        assert await back(other, address) == "/"
        assert await who(other) == "Mara Lindqvist"


async def test_an_attempt_does_not_wait_for_ever(
    server: Server, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.access.oidc.ATTEMPT", -1.0)
    address = await there(server)
    assert await back(server, address) == "/?problem=expired"
    assert provider.asked == 0


async def test_another_provider_s_answer_is_not_taken(server: Server, provider: Provider) -> None:
    address = await there(server)
    mixed = address.replace(f"{urlsplit(provider.url).port}", "1") if "iss=" in address else address
    assert mixed != address
    assert await back(server, mixed) == "/?problem=untrusted"
    assert provider.asked == 0


async def test_somebody_who_says_no(server: Server, provider: Provider) -> None:
    provider.denies = "access_denied"
    assert await back(server, await there(server)) == "/?problem=refused"


@pytest.mark.parametrize("status", [200, 400, 429, 500, 503])
async def test_a_provider_out_of_order(server: Server, provider: Provider, status: int) -> None:
    provider.broken = status
    expected = "untrusted" if status == 200 else "unreachable"
    assert await back(server, await there(server)) == f"/?problem={expected}"


async def test_a_provider_that_is_away(provider: Provider) -> None:
    async with serving(**settings(provider, oidc_issuer="http://127.0.0.1:9")) as server:
        answer = await server.client.get("/session/login")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?problem=unreachable")


@pytest.mark.parametrize("silent", [False, True])
async def test_a_provider_is_asked_about_itself_once(provider: Provider, silent: bool) -> None:
    provider.silent = silent
    async with serving(**settings(provider)) as server:
        answers = await asyncio.gather(*(server.client.get("/session/login") for _ in range(5)))
    assert [answer.headers["location"] == "/?problem=unreachable" for answer in answers] == [silent] * 5
    assert provider.described == 1


async def test_a_provider_that_is_away_for_a_while_is_still_known(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(**settings(provider)) as server:
        await back(server, await there(server))
        monkeypatch.setattr("tidings.access.oidc.FRESH", -1.0)
        monkeypatch.setattr("tidings.access.oidc.PAUSE", -1.0)
        provider.silent = True
        assert await back(server, await there(server)) == "/"
        assert provider.described > 1


async def test_a_provider_by_another_name(provider: Provider) -> None:
    async with serving(**settings(provider, oidc_issuer=f"{provider.url}/")) as server:
        assert (await server.client.get("/session/login")).headers["location"] == "/?problem=unreachable"


async def test_a_client_that_the_provider_does_not_know(provider: Provider) -> None:
    async with serving(**settings(provider, oidc_client_secret="wrong")) as server:
        assert await back(server, await there(server)) == "/?problem=untrusted"


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "",
        "/a\nb",
        "/\t/evil",
        "/é",
        "/ a",
        "/a\\b",
    ],
)
async def test_nobody_is_sent_elsewhere(server: Server, provider: Provider, next: str) -> None:
    answer = await server.client.get("/session/login", params={"next": next})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?problem=link")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("query", ["", "?code=x", "?state=%ff", "?state=é&code=x", "?error=%0aevil", "?code=%00"])
async def test_any_callback_query_gets_a_kind_answer(server: Server, provider: Provider, query: str) -> None:
    assert await back(server, f"/session/callback{query}") == "/?problem=expired"
    state = parse_qs(urlsplit(await there(server)).query)["state"][0]
    sep = "&" if query else "?"
    assert (await back(server, f"/session/callback{query}{sep}state={state}")).startswith("/?problem=")
    assert await who(server) is None


async def test_without_a_provider_there_is_no_such_page() -> None:
    async with serving(secret=KEY) as server:
        problem(await server.client.get("/session/login"), 404)
        assert (await server.client.get("/session")).json()["oidc"] is None


# Names


async def test_a_name_is_its_account_s(server: Server, provider: Provider) -> None:
    """People may change their names at the provider. A changed name opens no other person's rooms."""

    async def named(**claims: Any) -> str | None:
        provider.claims = claims
        server.client.cookies.clear()
        await back(server, await there(server))
        return await who(server)

    assert await named(sub="1", name="Ada Lovelace") == "Ada Lovelace"
    assert await named(sub="2", name="Ada Lovelace", preferred_username="eve") == "Ada Lovelace (eve)"
    assert await named(sub="3", name="ADA LOVELACE", preferred_username="mal") == "ADA LOVELACE (mal)"
    assert await named(sub="1", name="Countess") == "Ada Lovelace", "a name stays"
    assert await named(sub="9", name="Countess") == "Countess", "and takes no other with it"
    assert await named(sub="4", preferred_username="bob") == "bob"
    assert await named(sub="5", name="Bob ", email="b@x.org", email_verified=True) == "Bob (b@x.org)"
    assert await named(sub="6", name="\u202eevil", email="mara@x.org") is None, "an unverified address is anybody's"
    assert await named(sub="7") is None
    assert await named(sub="8", name=["a"]) is None


async def test_nobody_has_a_free_name_left(server: Server, provider: Provider) -> None:
    provider.claims = {"sub": "10", "name": "Grace"}
    await back(server, await there(server))
    server.client.cookies.clear()
    provider.claims = {"sub": "11", "name": "grace"}
    assert await back(server, await there(server)) == "/?problem=name"
    assert await who(server) is None
