"""Access: the rights of a request's sender, by token and by guard."""

from __future__ import annotations

import jwt
import pytest

from tidings.access.access import Access
from tidings.access.cookies import COOKIE
from tidings.access.guards import Guard, Guards
from tidings.access.subject import Subject
from tidings.access.tokens import Authenticator, sign
from tidings.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated

SECRET = "a secret of thirty-two characters."


class Closed(Guard):
    """Refuses everything."""

    async def read(self, subject: Subject, topic: str) -> None:
        raise NotFound("There is no such room.")

    async def manage(self, subject: Subject, topic: str) -> None:
        raise Forbidden("Nobody manages this.")


def access() -> Access:
    return Access(Authenticator(secret=SECRET), Guards(closed=Closed()))


def headers(
    *, publish: tuple[str, ...] = (), subscribe: tuple[str, ...] = (), redact: tuple[str, ...] = ()
) -> list[tuple[bytes, bytes]]:
    token = sign(SECRET, "ann", publish=publish, subscribe=subscribe, redact=redact, seconds=60)
    return [(b"authorization", f"Bearer {token}".encode())]


async def test_a_reader_needs_a_token_for_every_topic() -> None:
    ann = headers(subscribe=("a", "closed.*"))
    assert (await access().reader(ann, "a")).name == "ann"
    assert (await access().reader(ann)).name == "ann"
    with pytest.raises(Forbidden, match="reading b"):
        await access().reader(ann, "a", "b")
    with pytest.raises(Unauthenticated):
        await access().reader([], "a")
    with pytest.raises(InvalidRequest, match="segments"):
        await access().reader(ann, "a b")


async def test_a_guard_refuses_a_reader_whom_the_token_allows() -> None:
    with pytest.raises(NotFound, match="no such room"):
        await access().reader(headers(subscribe=("*",)), "closed.a")


async def test_a_publisher_is_checked_by_token_only() -> None:
    ann = headers(publish=("a", "closed.*"))
    assert (await access().publisher(ann, "a", "closed.a")).name == "ann"
    with pytest.raises(Forbidden, match="publishing to b"):
        await access().publisher(ann, "b")
    with pytest.raises(Forbidden, match="publishing to a"):
        await access().publisher(headers(subscribe=("a",)), "a")


async def test_a_manager_needs_the_token_and_the_guard() -> None:
    ann = headers(publish=("a", "closed.*"))
    assert (await access().manager(ann, "a")).name == "ann"
    with pytest.raises(Forbidden, match="Nobody"):
        await access().manager(ann, "closed.a")
    with pytest.raises(Forbidden, match="publishing to b"):
        await access().manager(ann, "b")


async def test_redacting_is_a_right_of_its_own() -> None:
    all_else = headers(publish=("*",), subscribe=("*",))
    with pytest.raises(Forbidden, match="redacting events of a"):
        await access().redactor(all_else, "a")
    ann = headers(redact=("a", "closed.*"))
    assert (await access().redactor(ann, "a")).name == "ann"
    with pytest.raises(Forbidden, match="redacting events of b"):
        await access().redactor(ann, "b")
    with pytest.raises(Forbidden, match="Nobody manages"):
        await access().redactor(ann, "closed.a")
    with pytest.raises(Forbidden, match="publishing"):
        await access().publisher(ann, "a")
    with pytest.raises(Unauthenticated, match="redact"):
        await access().authenticator.verify(bad_token())


def bad_token() -> str:
    return jwt.encode({"sub": "ann", "exp": 9e9, "redact": "all"}, SECRET, algorithm="HS256")


@pytest.mark.parametrize("foreign", [(b"origin", b"https://evil.example"), (b"sec-fetch-site", b"cross-site")])
async def test_a_page_of_another_origin_changes_nothing_by_a_cookie(foreign: tuple[bytes, bytes]) -> None:
    """A browser sends our cookie with a foreign page's request. Such a request may read, but change nothing."""
    token = sign(SECRET, "ann", publish=("*",), subscribe=("*",), redact=("*",), seconds=60)
    sent = [(b"host", b"tidings.example"), (b"cookie", f"{COOKIE}={token}".encode()), foreign]
    assert (await access().reader(sent, "a")).name == "ann"
    for act in (access().publisher, access().manager, access().redactor):
        with pytest.raises(Forbidden, match="another origin"):
            await act(sent, "a")
