"""Host, Origin and Sec-Fetch-Site."""

from __future__ import annotations

import pytest

from tidings.access.origins import is_loopback, may_address, name_of, same_origin


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "0.0.0.0", "::", "10.0.0.1", "app.example", "127.0.0.1.evil.example", "localhost.evil.example", "127.1"],
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("authority", "name"),
    [
        ("localhost:8000", "localhost"),
        ("App.Example", "app.example"),
        ("[::1]:8000", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_name_of(authority: str, name: str) -> None:
    assert name_of(authority) == name


def test_a_rebound_name_may_not_address_loopback() -> None:
    assert not may_address("evil.example:8000", frozenset())
    assert may_address("box.lan:8000", frozenset({"box.lan"}))
    assert may_address("localhost:8000", frozenset())
    assert may_address(None, frozenset())


ORIGINS = frozenset({"https://friend.example"})


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        (None, None),  # curl, or a server
        ("http://app.example:8000", "same-origin"),
        ("https://app.example:8000", None),  # http on a LAN: browsers leave Sec-Fetch-Site out; the scheme is a proxy's
        (None, "none"),  # typed into the address bar
        ("https://friend.example", "cross-site"),
        ("HTTPS://FRIEND.example", None),
    ],
)
def test_same_origin(origin: str | None, site: str | None) -> None:
    assert same_origin("App.Example:8000", origin, site, ORIGINS)


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://evil.example", "cross-site"),
        (None, "cross-site"),  # an <img> of another site
        ("http://app.example:9999", "same-site"),  # another port of our host is another origin
        ("http://app.example:9999", None),
        ("null", None),  # a sandboxed frame, or a file
        ("app.example:8000", None),  # no scheme: no browser sends this
        ("x://app.example:8000", None),  # a page of another kind, such as an extension's
        ("//app.example:8000", None),
        ("https://app.example:8000.evil.example", None),
        ("http://app.example:8000", "cross-site"),  # Sec-Fetch-Site is what cannot be forged
    ],
)
def test_another_origin(origin: str | None, site: str | None) -> None:
    assert not same_origin("app.example:8000", origin, site, ORIGINS)


def test_an_origin_without_a_host_is_another() -> None:
    assert not same_origin(None, "http://app.example", None, frozenset())
