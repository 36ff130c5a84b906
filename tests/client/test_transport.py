"""Steps as calls of httpx: the settings of its clients, requests, answers and errors."""

from __future__ import annotations

import httpx
import pytest

from tests.client.conftest import Make
from tests.client.scripted import Answer, script
from tidings import Client, InvalidRequest, TidingsError, Unexpected
from tidings.client import transport
from tidings.client.rules import Broken, Request, Send


@pytest.mark.parametrize("url", ["localhost:8000", "http://", "ftp://x", "", "https:", "http://x:y", "http://[::1"])
def test_a_wrong_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match="is not the URL of a server"):
        transport.options(url)


@pytest.mark.parametrize(
    ("url", "proxied"),
    [("http://127.0.0.1:1", False), ("http://localhost", False), ("http://[::1]:1", False), ("https://x.org", True)],
)
def test_a_proxy_is_used_for_other_machines_only(url: str, proxied: bool) -> None:
    assert transport.options(url)["trust_env"] is proxied


def test_connections_are_not_limited() -> None:
    with httpx.Client(**transport.options("http://127.0.0.1:1")) as client:
        assert client.base_url == "http://127.0.0.1:1"
    assert transport.options("http://127.0.0.1:1")["limits"].max_connections is None


@pytest.mark.parametrize("token", ["Ä", "", "a\nb", "a\0", 7])
def test_a_token_that_no_header_can_hold_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match="printable ASCII"):
        transport.valid_token(token)


def test_a_token_goes_into_the_header() -> None:
    assert transport.authorization(None) == {}
    assert transport.authorization(transport.valid_token("a.b.c")) == {"authorization": "Bearer a.b.c"}


@pytest.mark.parametrize(("stream", "read"), [(True, 45.0), (False, transport.ANSWER)])
def test_only_a_stream_may_be_silent_for_long(stream: bool, read: float) -> None:
    asked = Request("POST", "/topics/a/events", (("type", "b c"),), {"x": "1"}, b"data")
    built = httpx.Client().build_request(
        **{**transport.request(Send(asked, stream), {"authorization": "Bearer t"}, 45.0), "url": "http://x/topics/a"}
    )
    assert (built.method, str(built.url), built.read()) == ("POST", "http://x/topics/a?type=b+c", b"data")
    assert (built.headers["x"], built.headers["authorization"]) == ("1", "Bearer t")
    assert built.extensions["timeout"] == {"connect": 10.0, "read": read, "write": 30.0, "pool": None}


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (httpx.ConnectError("no"), False),
        (httpx.ConnectTimeout("no"), False),
        (httpx.ReadTimeout("no"), True),
        (httpx.ReadError("no"), True),
        (httpx.WriteError("no"), True),
        (httpx.RemoteProtocolError("no"), True),
    ],
)
def test_an_error_says_if_the_server_may_have_the_request(error: httpx.RequestError, sent: bool) -> None:
    broken = transport.broken("http://x", error)
    assert isinstance(broken, Broken)
    assert broken.sent is sent
    assert "http://x" in broken.why


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.TooManyRedirects("no"), Unexpected),
        (httpx.UnsupportedProtocol("no"), Unexpected),
        (httpx.LocalProtocolError("no"), InvalidRequest),
    ],
)
def test_a_permanent_failure_is_raised(error: httpx.RequestError, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="http://x"):
        transport.broken("http://x", error)


def test_a_header_takes_any_last_event_id() -> None:
    asked = Request("GET", "http://x/a?b=c", (), {"last-event-id": " ü\x7f "})
    built = httpx.Client().build_request(**transport.request(Send(asked, True), {"x": "1"}, None))
    assert str(built.url) == "http://x/a?b=c", "its query is kept"
    assert dict(built.headers.raw)[b"last-event-id"] == "ü\x7f".encode()
    assert built.extensions["timeout"]["read"] is None


@pytest.mark.parametrize(("key", "expected", "close"), [("k", None, False), (None, "Ab", False), (None, None, True)])
def test_a_transient_event_takes_no_condition(key: str | None, expected: str | None, close: bool) -> None:
    with pytest.raises(InvalidRequest, match="transient"):
        transport.must_be_plain(key, expected, close)
    transport.must_be_plain(None, None, False)


@pytest.mark.parametrize("location", ["http://[::1", "http://x:port/", "//"])
def test_a_redirect_to_no_address_is_an_error(source: Make, make: Make, location: str) -> None:
    with script(*[Answer(status=307, headers={"Location": location})] * 60) as server:
        with pytest.raises(Unexpected, match=server.url):
            next(source(server.url))
        with pytest.raises(Unexpected, match=server.url):
            make(server.url).publish("a", "x")


def test_a_group_with_another_error_stays_as_it_is() -> None:
    """The errors of two attempts to connect come as a group. One that is not about the address is not explained."""
    group = ExceptionGroup("two", [OverflowError("no port"), MemoryError("no memory")])
    with pytest.raises(ExceptionGroup) as raised, transport.addressed("http://x"):
        raise group
    assert raised.value is group
    with pytest.raises(Unexpected, match="http://x"), transport.addressed("http://x"):
        raise ExceptionGroup("one", [OverflowError("no port")])


def test_a_client_that_is_closed_while_its_token_is_made_ends_its_readers() -> None:
    with script(Answer()) as server:

        def token() -> str:
            client.close()
            return "a.b.c"

        client = Client(server.url, token=token)
        assert list(client.subscribe("a")) == []
        assert server.asked == []


@pytest.mark.parametrize("location", ["http://127.0.0.1:99999/", "http://a..b/"])
def test_an_address_that_no_socket_takes_is_an_error(source: Make, make: Make, location: str) -> None:
    with script(*[Answer(status=307, headers={"Location": location})] * 2) as server:
        for url in (server.url, location):
            with pytest.raises(TidingsError):
                next(source(url, patience=0))
            with pytest.raises(TidingsError):
                make(url, patience=0).topics()
