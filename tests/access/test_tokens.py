"""Tokens, what they allow, and where they may come from."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.access import tokens as auth
from tidings.access.cookies import COOKIE, cookie, name_cookie
from tidings.access.subject import ANYONE, Patterns
from tidings.access.tokens import Authenticator, digest_of, sign, token_of
from tidings.errors import Forbidden, InvalidRequest, Unauthenticated

SECRET = "0123456789abcdef0123456789abcdef"

segments = st.lists(st.text("ab_-9", min_size=1, max_size=3), min_size=1, max_size=4)


def header(**fields: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in fields.items()]


def token(key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **claims: Any) -> str:
    claims = {"sub": "ann", "exp": time.time() + 60, "publish": ["rooms.*"], "subscribe": ["*"]} | claims
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm, headers)


async def authenticate(authenticator: Authenticator, *, unsafe: bool = False, **fields: str) -> auth.Subject:
    return await authenticator.authenticate(header(**fields), unsafe=unsafe)


# Patterns


@given(pattern=segments, star=st.booleans(), topic=segments)
def test_a_pattern_covers_what_its_segments_say(pattern: list[str], star: bool, topic: list[str]) -> None:
    text = ".".join([*pattern, "*"] if star else pattern)
    expected = topic[: len(pattern)] == pattern and len(topic) > len(pattern) if star else topic == pattern
    assert Patterns([text]).cover(".".join(topic)) is expected


@given(st.lists(segments.map(".".join)), segments.map(".".join))
def test_patterns_cover_what_any_of_them_covers(texts: list[str], topic: str) -> None:
    assert Patterns(texts).cover(topic) is any(Patterns([text]).cover(topic) for text in texts)


@given(segments.map(".".join))
def test_a_star_covers_everything_and_nothing_covers_nothing(topic: str) -> None:
    assert Patterns(["*"]).cover(topic)
    assert not Patterns([]).cover(topic)


@given(st.text(alphabet="ab.*/ \0é", max_size=6))
def test_only_a_topic_or_a_prefix_is_a_pattern(text: str) -> None:
    body = text[:-2] if text.endswith(".*") else text
    right = text == "*" or (body != "" and all(part and set(part) <= set("ab") for part in body.split(".")))
    if right:
        Patterns([text])
    else:
        with pytest.raises(InvalidRequest, match="no topic pattern"):
            Patterns([text])


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a*", "*.a", "a.*.b", "**", "a.**", "a b", "x" * 201, 7, None])
def test_an_invalid_pattern_is_refused(text: Any) -> None:
    with pytest.raises(InvalidRequest):
        Patterns([text])


# Tokens


async def test_a_token_names_its_subject_and_topics() -> None:
    expires = time.time() + 60
    subject = await authenticate(Authenticator(secret=SECRET), authorization=f"Bearer {token(exp=expires)}")
    assert subject.name == "ann"
    assert subject.expires == expires + auth.LEEWAY
    assert subject.may_publish("rooms.lobby")
    assert not subject.may_publish("runs.1")
    assert subject.may_subscribe("runs.1")


async def test_a_token_without_topics_allows_nothing() -> None:
    subject = await Authenticator(secret=SECRET).verify(token(publish=None, subscribe=None))
    assert not subject.may_publish("a")
    assert not subject.may_subscribe("a")


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"exp": None}, "no `exp`"),
        ({"sub": None}, "no `sub`"),
        ({"sub": ""}, "`sub`"),
        ({"sub": "x" * 201}, "`sub`"),
        ({"sub": "a\nb"}, "`sub`"),
        ({"sub": "\ud800"}, "`sub`"),
        ({"exp": "soon"}, "`exp`"),
        ({"exp": True}, "`exp`"),
        ({"exp": float("inf")}, "`exp`"),
        ({"exp": 10**400}, "`exp`"),
        ({"exp": 1}, "expired"),
        ({"nbf": time.time() + 3600}, "not valid yet"),
        ({"aud": "another"}, "audience"),
        ({"publish": "rooms.*"}, "`publish` must be a list"),
        ({"publish": [1]}, "`publish`"),
        ({"subscribe": ["rooms*"]}, "`subscribe`"),
    ],
)
async def test_a_token_with_wrong_claims_is_refused(claims: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Unauthenticated, match=sentence):
        await Authenticator(secret=SECRET).verify(token(**claims))


async def test_audience_and_issuer_are_checked_when_set() -> None:
    authenticator = Authenticator(secret=SECRET, audience="tidings", issuer="us")
    assert (await authenticator.verify(token(aud="tidings", iss="us"))).name == "ann"
    for wrong in ({"iss": "us"}, {"aud": "tidings"}, {"aud": "other", "iss": "us"}, {"aud": "tidings", "iss": "them"}):
        with pytest.raises(Unauthenticated):
            await authenticator.verify(token(**wrong))


def forged(head: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (head, claims)]
    return ".".join([*parts, signature])


async def test_the_algorithm_none_is_refused() -> None:
    claims = {"sub": "root", "exp": time.time() + 60, "publish": ["*"]}
    for name in ("none", "None", "NONE", "", None, 7, ["HS256"]):
        with pytest.raises(Unauthenticated):
            await Authenticator(secret=SECRET).verify(forged({"alg": name, "typ": "JWT"}, claims))


async def test_another_secret_and_a_changed_token_are_refused() -> None:
    authenticator = Authenticator(secret=SECRET)
    good = token()
    await authenticator.verify(good)
    head, body, signature = good.split(".")
    other = token(sub="root").split(".")[1]
    for wrong in (
        token(SECRET[::-1]),
        f"{head}.{other}.{signature}",
        f"{head}.{body}.",
        token(SECRET * 2, algorithm="HS512"),
    ):
        with pytest.raises(Unauthenticated):
            await authenticator.verify(wrong)


@given(st.one_of(st.text(max_size=50), st.binary(max_size=50).map(lambda raw: raw.decode("latin-1"))))
async def test_rubbish_is_refused_in_words(text: str) -> None:
    authenticator = Authenticator(secret=SECRET)
    for raw in (text, text + "." + text + "." + text, token() + "." + text):
        with pytest.raises(Unauthenticated):
            await authenticator.verify(raw)


async def test_a_huge_token_is_not_looked_at() -> None:
    with pytest.raises(Unauthenticated, match="at most 8192"):
        await Authenticator(secret=SECRET).verify("x" * 8193)


async def test_a_verified_token_is_remembered_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    clock = [now]
    authenticator = Authenticator(secret=SECRET, clock=lambda: clock[0])
    text = token(exp=now + 60)
    first = await authenticator.verify(text)
    with monkeypatch.context() as without:
        without.setattr(auth.jwt, "decode", None)
        assert await authenticator.verify(text) is first
    clock[0] = now + 60 + auth.LEEWAY
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticator.verify(text)


async def test_remembered_tokens_are_bounded_and_the_longest_unused_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "REMEMBERED", 2)
    authenticator = Authenticator(secret=SECRET)
    one, two, three = (token(sub=name) for name in ("one", "two", "three"))
    first = await authenticator.verify(one)
    second = await authenticator.verify(two)
    assert await authenticator.verify(one) is first
    await authenticator.verify(three)
    assert await authenticator.verify(one) is first
    assert await authenticator.verify(two) is not second


def test_sign_refuses_what_verify_would() -> None:
    with pytest.raises(InvalidRequest):
        sign(SECRET, "ann", publish=["a*"], subscribe=[], seconds=60)
    with pytest.raises(InvalidRequest):
        sign(SECRET, "", publish=[], subscribe=[], seconds=60)


async def test_a_signed_token_verifies() -> None:
    text = sign(SECRET, "ann", publish=["rooms.*"], subscribe=["a", "b.*"], seconds=60)
    subject = await Authenticator(secret=SECRET).verify(text)
    assert (subject.name, subject.publish.texts, subject.subscribe.texts) == ("ann", ("rooms.*",), ("a", "b.*"))


# Where a token comes from


async def test_a_missing_token_is_refused() -> None:
    for fields in ({}, {"cookie": "other=1; tidings=; tidingsx=2"}):
        with pytest.raises(Unauthenticated, match="Send a token"):
            await authenticate(Authenticator(secret=SECRET), **fields)


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic YTpi", "Token x"])
async def test_a_wrong_authorization_header_never_falls_back_to_the_cookie(value: str) -> None:
    with pytest.raises(Unauthenticated, match="Bearer"):
        await authenticate(Authenticator(secret=SECRET), authorization=value, cookie=f"tidings={token()}")


async def test_two_authorization_headers_are_refused() -> None:
    twice = header(authorization=f"Bearer {token()}") * 2
    with pytest.raises(Unauthenticated):
        await Authenticator(secret=SECRET).authenticate(twice, unsafe=False)


async def test_the_header_wins_over_the_cookie() -> None:
    authenticator = Authenticator(secret=SECRET)
    subject = await authenticate(authenticator, authorization=f"bearer {token()}", cookie=f"tidings={token(sub='bob')}")
    assert subject.name == "ann"


async def test_a_cookie_acts_only_for_our_own_pages() -> None:
    authenticator = Authenticator(secret=SECRET, origins=["https://friend.example"])
    fields = {"cookie": f"a=b; tidings={token()}; c=d", "host": "app.example"}
    assert (await authenticate(authenticator, **fields)).name == "ann"
    assert (await authenticate(authenticator, unsafe=True, **fields, origin="https://app.example")).name == "ann"
    assert (await authenticate(authenticator, unsafe=True, **fields, origin="https://friend.example")).name == "ann"
    with pytest.raises(Forbidden, match="another origin"):
        await authenticate(authenticator, unsafe=True, **fields, origin="https://evil.example")
    with pytest.raises(Forbidden):
        await authenticate(authenticator, unsafe=True, **fields, sec_fetch_site="cross-site")


async def test_a_bearer_token_acts_from_anywhere() -> None:
    fields = {"authorization": f"Bearer {token()}", "host": "app.example", "origin": "https://elsewhere.example"}
    assert (await authenticate(Authenticator(secret=SECRET), unsafe=True, **fields)).name == "ann"


async def test_an_open_server_takes_anyone_on_its_machine() -> None:
    authenticator = Authenticator()
    assert authenticator.open
    assert await authenticate(authenticator) is ANYONE
    assert (
        await authenticate(authenticator, unsafe=True, host="localhost:8000", origin="http://localhost:8000") is ANYONE
    )
    assert ANYONE.may_publish("a")
    assert ANYONE.may_subscribe("a.b")


@pytest.mark.parametrize("name", ["Mara Lindqvist", 'Zoë; x=y, "z"', "李小龙", "100%", "a=b"])
async def test_a_name_that_is_chosen_comes_back_in_its_cookie(name: str) -> None:
    kept = name_cookie(name, secure=False).partition(";")[0]
    subject = await authenticate(Authenticator(), cookie=f"a=b; {kept}; c=d")
    assert subject.name == name
    assert subject.may_publish("a")
    assert subject.may_subscribe("a.b")
    with pytest.raises(Forbidden, match="another origin"):
        await authenticate(Authenticator(), unsafe=True, cookie=kept, host="localhost", origin="https://evil.example")


@pytest.mark.parametrize("value", ["", "%ff", "%0a", "%20", "Zo\xc3\xab", "x" * 61, "%e2%80%8b"])
async def test_a_name_that_cannot_be_read_is_ignored(value: str) -> None:
    assert await authenticate(Authenticator(), cookie=f"tidings_name={value}") is ANYONE


async def test_the_cookie_of_a_name_is_nothing_to_a_server_with_a_key() -> None:
    kept = name_cookie("root", secure=False).partition(";")[0]
    with pytest.raises(Unauthenticated):
        await authenticate(Authenticator(secret=SECRET), cookie=kept)
    subject = await authenticate(Authenticator(secret=SECRET), cookie=f"{kept}; tidings={token()}")
    assert subject.name == "ann"


@pytest.mark.parametrize("authenticator", [Authenticator(), Authenticator(secret=SECRET)], ids=["open", "with a key"])
def test_a_foreign_page_may_not_sign_its_browser_in_or_out(authenticator: Authenticator) -> None:
    """Signing in and out come without a token that could be checked."""
    own = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    authenticator.refuse_foreign(own)
    for foreign in ([(b"origin", b"https://evil.example")], [(b"sec-fetch-site", b"cross-site")]):
        with pytest.raises(Forbidden, match="another origin"):
            authenticator.refuse_foreign([(b"host", b"localhost"), *foreign])


async def test_an_open_server_refuses_foreign_names_and_foreign_pages() -> None:
    authenticator = Authenticator(hosts=["Box.lan"])
    assert await authenticate(authenticator, host="box.lan:8000") is ANYONE
    with pytest.raises(Forbidden, match="own machine"):
        await authenticate(authenticator, host="evil.example:8000")
    with pytest.raises(Forbidden, match="another origin"):
        await authenticate(authenticator, unsafe=True, host="localhost:8000", origin="https://evil.example")
    with pytest.raises(Forbidden):
        await authenticate(authenticator, unsafe=True, host="localhost:8000", sec_fetch_site="cross-site")


def test_a_second_kind_of_key_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="one kind of key"):
        Authenticator(secret=SECRET, jwks_url="https://id.example/keys")


def test_a_server_with_a_key_of_any_kind_is_not_open() -> None:
    assert Authenticator().open
    assert not Authenticator(secret=SECRET).open
    assert not Authenticator(jwks_url="https://id.example/keys").open


async def test_another_algorithm_is_named_with_the_right_one() -> None:
    with pytest.raises(Unauthenticated, match="must be signed with HS256"):
        await Authenticator(secret=SECRET).verify(token(SECRET * 2, algorithm="HS512"))


async def test_a_token_claims_limits_of_its_own() -> None:
    authenticator = Authenticator(secret=SECRET)
    assert (await authenticator.verify(token())).limits is None
    assert (await authenticator.verify(token(limits="person"))).limits == "person"
    assert (await authenticator.verify(token(limits={"publishes": 3}))).limits == {"publishes": 3}


# Sessions


def test_the_token_of_a_session_is_the_one_in_its_cookie() -> None:
    assert token_of([(b"cookie", f"{COOKIE}=abc.def.ghi".encode())]) == "abc.def.ghi"
    assert token_of([(b"authorization", b"Bearer abc.def.ghi")]) is None


async def test_a_revoked_session_is_refused_and_its_streams_end() -> None:
    authenticator, ended = Authenticator(secret=SECRET), list[str]()
    mine, other = token(limits="person"), token(limits="person", sub="bob")
    for name, text in (("mine", mine), ("other", other)):
        watch = authenticator.watch(await authenticator.verify(text))
        assert watch is not None
        watch.start(lambda name=name: ended.append(name))  # type: ignore[misc]
    authenticator.revoke(digest_of(mine), time.time() + 60)
    assert ended == ["mine"]
    with pytest.raises(Unauthenticated, match="session has ended"):
        await authenticator.verify(mine)
    await authenticator.verify(other)
    assert authenticator.watch(await authenticator.verify(token())) is None, "the session of a program does not end"


def test_an_expired_revocation_is_forgotten_and_others_stay() -> None:
    now = [1000.0]
    authenticator = Authenticator(secret=SECRET, clock=lambda: now[0])
    authenticator.revoke(b"late", 999.0)
    assert authenticator._revoked == {}
    authenticator.revoke(b"a", 1010.0)
    authenticator.revoke(b"b", 1020.0)
    now[0] = 1010.0
    authenticator.revoke(b"c", 1030.0)
    assert authenticator._revoked == {b"b": 1020.0, b"c": 1030.0}
    now[0] = 2000.0
    authenticator.revoke(b"d", 2000.0)
    assert authenticator._revoked == {}


def test_the_cookie_is_out_of_reach() -> None:
    assert cookie("x.y.z", seconds=60, secure=True) == (
        "tidings=x.y.z; Path=/; HttpOnly; SameSite=Lax; Max-Age=60; Secure"
    )
    assert "Secure" not in cookie("", seconds=0, secure=False)
    assert name_cookie("a b", secure=True) == (
        "tidings_name=a%20b; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000; Secure"
    )
    assert name_cookie("", secure=False) == "tidings_name=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
    with pytest.raises(InvalidRequest):
        name_cookie("a\nb", secure=False)


@given(
    st.lists(st.tuples(st.sampled_from(["authorization", "cookie", "host", "origin", "sec-fetch-site"]), st.binary()))
)
async def test_headers_of_any_bytes_give_a_subject_or_an_error_of_ours(fields: list[tuple[str, bytes]]) -> None:
    for authenticator in (Authenticator(), Authenticator(secret=SECRET)):
        for unsafe in (False, True):
            with contextlib.suppress(Unauthenticated, Forbidden, InvalidRequest):
                await authenticator.authenticate([(name.encode(), value) for name, value in fields], unsafe=unsafe)


# Administrators


def test_an_absent_person_has_the_topics_of_all_people_and_a_guest_has_every_topic() -> None:
    ann = Authenticator(secret=SECRET, admins=["Ann"]).absent("Ann")
    topics = ("rooms.a", "users.Ann", "users.Bob", "data.a")
    assert [ann.may_subscribe(topic) for topic in topics] == [True, True, False, False]
    assert (ann.name, ann.admin, ann.authenticated, ann.limits) == ("Ann", True, True, "person")
    assert not Authenticator(secret=SECRET).absent("Ann").admin
    guest = Authenticator().absent("Ann")
    assert (guest.authenticated, guest.may_subscribe("data.a")) == (False, True)
    with pytest.raises(InvalidRequest):
        Authenticator(secret=SECRET).absent("\ud800")


async def test_administrators_are_named_by_the_settings_or_claim_it_in_their_token() -> None:
    authenticator = Authenticator(secret=SECRET, admins=["ann"])
    assert (await authenticator.verify(token())).admin
    assert not (await authenticator.verify(token(sub="bob"))).admin
    assert (await authenticator.verify(token(sub="bob", admin=True))).admin
    assert not (await authenticator.verify(token(sub="bob", admin=False))).admin
    for wrong in ("yes", 1, [True]):
        with pytest.raises(Unauthenticated, match="`admin` must be true or false"):
            await authenticator.verify(token(sub="bob", admin=wrong))
