"""The driver of plans against a real server: interrupts from another thread, over TCP and TLS."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Generator, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.client.scripted import Answer, script
from tests.client.test_rules import rules
from tests.serving import PATIENCE
from tidings import EventSource
from tidings.client.rules import INTERRUPTED, Read, Renew, Request, Send, Wait
from tidings.client.sync.driver import Driver, Items

HELD = Answer(b"data: 1\n\n", end="hold")
ASK = Send(Request("GET", "/"), stream=True)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key, and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
        + made.sign(key, hashes.SHA256()).public_bytes(pem)
    )
    return path


def test_a_read_over_tls_is_interrupted(certificate: Path) -> None:
    with script(HELD, Answer(b"data: 2\n\ndata: [DONE]\n\n"), tls=certificate) as server:
        trusted = ssl.create_default_context(cafile=str(certificate))
        with httpx.Client(verify=trusted) as http:
            events = EventSource(server.url, http=http)
            assert next(events).data == "1"
            got: list[str] = []
            thread = threading.Thread(target=lambda: got.extend(event.data for event in events))
            thread.start()
            events.reconnect()
            thread.join(PATIENCE)
    assert got == ["2", "[DONE]"]
    assert events.origin == server.url


def driver(http: httpx.Client) -> Driver:
    return Driver(http, rules(), dict)


def test_the_step_of_another_stream_is_not_interrupted() -> None:
    """A connection that has served its stream goes back to the client, and serves the next one."""
    with script(Answer(b"data: 1\n\n"), HELD) as server, httpx.Client(base_url=server.url) as http:
        ended = driver(http)
        ended.do(ASK)
        while ended.do(Read()):
            pass
        other = driver(http)
        other.do(ASK)
        ended.interrupt()
        assert other.do(Read()) != b""
        other.close()


def test_a_stream_without_a_socket_is_not_interrupted() -> None:
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text="data: 1\n\n"))) as http:
        made = driver(http)
        made.do(Send(Request("GET", "http://x"), stream=True))
        made.interrupt()
        assert made.do(Read()) == b"data: 1\n\n"
        assert made.do(Read()) == b""


def test_a_plan_without_a_token_has_none_to_renew() -> None:
    with httpx.Client() as http:
        assert driver(http).do(Renew()) is False


class Pressed(Driver):
    """A driver to which Ctrl-C comes at the second step."""

    closed = False

    def __init__(self) -> None:
        self.steps = 0

    def do(self, step: Any) -> Any:
        self.steps += 1
        if self.steps == 2:
            raise KeyboardInterrupt
        return None

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


def test_an_exception_from_outside_costs_a_step_and_no_item() -> None:
    replies = []

    def plan() -> Generator[Any, Any, None]:
        for n in range(3):
            replies.append((yield Wait(0.0)))
            yield n

    items: Items[int] = Items(Pressed(), plan())
    assert not items.begun
    assert next(items) == 0
    assert items.begun
    with pytest.raises(KeyboardInterrupt):
        next(items)
    assert [next(items), next(items)] == [1, 2]
    assert replies == [None, INTERRUPTED, None]
    assert list(items) == []


def test_items_are_closed_in_the_middle_and_for_good() -> None:
    def plan() -> Iterator[Any]:
        yield from range(9)

    items: Items[int] = Items(Pressed(), plan())  # type: ignore[arg-type]
    assert next(items) == 0
    assert items.close()
    assert list(items) == []
    assert items.close()


def test_a_waiting_thread_is_left_to_close_what_it_waits_with() -> None:
    waiting, go_on = threading.Event(), threading.Event()

    class Slow(Pressed):
        def do(self, step: Any) -> None:
            waiting.set()
            assert go_on.wait(PATIENCE)

    def plan() -> Iterator[Any]:
        yield Wait(0.0)
        yield "an item that comes too late"

    items: Items[str] = Items(Slow(), plan())  # type: ignore[arg-type]
    got: list[str] = []
    thread = threading.Thread(target=lambda: got.extend(items))
    thread.start()
    assert waiting.wait(PATIENCE)
    assert not items.close()
    go_on.set()
    thread.join(PATIENCE)
    assert got == []
