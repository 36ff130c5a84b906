"""Sign-in at a provider that runs, without a server of ours between. tests/apps/people/test_sign_in.py has the rest."""

from __future__ import annotations

import base64
import hashlib
import ssl
import time
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests import provider as fake
from tidings.access import oidc
from tidings.access.oidc import Attempt, Provider
from tidings.errors import Forbidden, Gone, InvalidRequest, Unauthenticated, Unavailable

CALLBACK = "http://127.0.0.1:1/session/callback"


@pytest.fixture(scope="module")
def running() -> Iterator[fake.Provider]:
    with fake.Provider() as provider:
        yield provider


@pytest.fixture
def there(running: fake.Provider) -> fake.Provider:
    running.reset()
    return running


def ours(there: fake.Provider) -> Provider:
    return Provider(there.url, fake.CLIENT, fake.SECRET)


async def come_back(address: str) -> dict[str, str]:
    """The query with which the provider sends the browser back."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(address)
    assert answer.status_code == 303
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def test_a_provider_without_a_title_is_shown_by_its_host() -> None:
    assert Provider("https://login.example/realm", fake.CLIENT).title == "login.example"
    assert Provider("https://login.example/realm", fake.CLIENT, title="Example").title == "Example"


async def test_the_address_carries_state_nonce_and_challenge(there: fake.Provider) -> None:
    attempt = Attempt.begin("/")
    address = await ours(there).address(attempt, CALLBACK)
    query = dict(parse_qsl(urlsplit(address).query))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
    assert query == {
        "response_type": "code",
        "client_id": fake.CLIENT,
        "redirect_uri": CALLBACK,
        "scope": "openid profile email",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert attempt.verifier not in address


async def test_the_person_signed_in_at_the_provider(there: fake.Provider) -> None:
    provider, attempt = ours(there), Attempt.begin("/")
    query = await come_back(await provider.address(attempt, CALLBACK))
    person = await provider.person(attempt, CALLBACK, query)
    assert (person.issuer, person.subject) == (there.url, "account-1")
    assert person.names == ["Mara Lindqvist", "Mara Lindqvist (mara)", "mara"]
    with pytest.raises(Gone):
        await provider.person(attempt, CALLBACK, query)
    assert there.redeemed == 1


async def test_a_code_of_another_attempt_is_refused_by_its_verifier(there: fake.Provider) -> None:
    """PKCE: an attacker who has the victim's code, and gets past the state, still lacks the verifier."""
    provider, victim, thief = ours(there), Attempt.begin("/"), Attempt.begin("/")
    query = await come_back(await provider.address(victim, CALLBACK))
    with pytest.raises(Gone):
        await provider.person(thief, CALLBACK, {**query, "state": thief.state})
    assert there.redeemed == 0


async def test_a_token_of_another_attempt_is_refused_by_its_nonce(there: fake.Provider) -> None:
    provider, attempt = ours(there), Attempt.begin("/")
    there.lie = {"nonce": Attempt.begin("/").nonce}
    query = await come_back(await provider.address(attempt, CALLBACK))
    with pytest.raises(Unauthenticated, match="nonce"):
        await provider.person(attempt, CALLBACK, query)


async def test_a_token_for_several_audiences_names_us_as_its_party(there: fake.Provider) -> None:
    provider = ours(there)
    for azp, welcome in ((None, False), ("another", False), (fake.CLIENT, True)):
        there.lie = {"aud": [fake.CLIENT, "another"], "azp": azp}
        attempt = Attempt.begin("/")
        query = await come_back(await provider.address(attempt, CALLBACK))
        if welcome:
            assert (await provider.person(attempt, CALLBACK, query)).subject == "account-1"
        else:
            with pytest.raises(Unauthenticated, match="another client"):
                await provider.person(attempt, CALLBACK, query)


async def test_a_name_that_the_token_lacks_comes_from_the_userinfo_of_the_same_account(there: fake.Provider) -> None:
    provider = ours(there)
    for subject, welcome in (("account-1", True), ("account-2", False)):
        there.about = {"sub": subject, "name": "Mara Lindqvist"}
        attempt = Attempt.begin("/")
        query = await come_back(await provider.address(attempt, CALLBACK))
        if welcome:
            assert (await provider.person(attempt, CALLBACK, query)).names == ["Mara Lindqvist"]
        else:
            with pytest.raises(Unauthenticated, match="another account"):
                await provider.person(attempt, CALLBACK, query)


async def test_a_token_without_an_account_is_refused(there: fake.Provider) -> None:
    provider = ours(there)
    for subject in ("", "account\n1"):
        there.lie = {"sub": subject}
        attempt = Attempt.begin("/")
        query = await come_back(await provider.address(attempt, CALLBACK))
        with pytest.raises(Unauthenticated, match="no account"):
            await provider.person(attempt, CALLBACK, query)


async def test_a_name_of_one_letter_is_a_name(there: fake.Provider) -> None:
    there.claims = {"sub": "account-1", "name": "M"}
    provider, attempt = ours(there), Attempt.begin("/")
    query = await come_back(await provider.address(attempt, CALLBACK))
    assert (await provider.person(attempt, CALLBACK, query)).names == ["M"]


async def test_the_provider_is_asked_for_its_description_once_an_hour(
    there: fake.Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, begun, now = ours(there), time.monotonic(), [0.0]
    monkeypatch.setattr(oidc, "time", SimpleNamespace(monotonic=lambda: begun + now[0], time=time.time))
    for now[0], described in ((0, 1), (60, 1), (3599, 1), (3601, 2), (7200, 2), (7202, 3)):
        await provider.address(Attempt.begin("/"), CALLBACK)
        assert there.described == described, now


async def test_a_provider_that_is_away_is_asked_again_after_a_pause(
    there: fake.Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider, begun, now = ours(there), time.monotonic(), [0.0]
    monkeypatch.setattr(oidc, "time", SimpleNamespace(monotonic=lambda: begun + now[0], time=time.time))
    there.silent = True
    for now[0], described in ((0, 1), (oidc.PAUSE - 1, 1), (oidc.PAUSE + 1, 2)):
        with pytest.raises(Unavailable):
            await provider.address(Attempt.begin("/"), CALLBACK)
        assert there.described == described, now


async def test_the_certificates_of_this_machine_are_read_once_and_checked(
    there: fake.Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, made = httpx.create_ssl_context, list[ssl.SSLContext]()
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: made.append(make()) or made[-1])
    provider = ours(there)
    for _ in range(2):
        attempt = Attempt.begin("/")
        query = {"state": attempt.state, "code": "unknown", "iss": there.url}
        with pytest.raises(Gone):
            await provider.person(attempt, CALLBACK, query)
    assert [context.verify_mode for context in made] == [ssl.CERT_REQUIRED]


async def test_the_secret_goes_where_the_provider_wants_it(there: fake.Provider) -> None:
    for methods in (["client_secret_basic"], ["client_secret_post"], ["client_secret_post", "client_secret_basic"]):
        there.methods = methods
        provider, attempt = ours(there), Attempt.begin("/")
        query = await come_back(await provider.address(attempt, CALLBACK))
        assert (await provider.person(attempt, CALLBACK, query)).subject == "account-1"


async def test_a_wrong_secret_is_said_to_be_wrong(there: fake.Provider) -> None:
    provider, attempt = Provider(there.url, fake.CLIENT, "wrong"), Attempt.begin("/")
    query = await come_back(await provider.address(attempt, CALLBACK))
    with pytest.raises(Unauthenticated, match="rejected this server's client ID or secret"):
        await provider.person(attempt, CALLBACK, query)


async def test_a_refusal_is_reported(there: fake.Provider) -> None:
    there.denies = "access_denied"
    provider, attempt = ours(there), Attempt.begin("/")
    query = await come_back(await provider.address(attempt, CALLBACK))
    with pytest.raises(Forbidden, match="access_denied"):
        await provider.person(attempt, CALLBACK, query)


@pytest.mark.parametrize("issuer", ["http://provider.example", "ftp://127.0.0.1", "no address", ""])
def test_an_issuer_is_reached_privately(issuer: str) -> None:
    with pytest.raises(InvalidRequest):
        Provider(issuer, fake.CLIENT)
