"""The listening socket, and what is said of its address."""

from __future__ import annotations

import socket
import sys

import pytest

from tidings.errors import InvalidRequest
from tidings.server.listening import NOTSENT, TCP_NOTSENT_LOWAT, greeting, listen


def test_the_greeting_says_when_every_address_is_listened_on() -> None:
    assert greeting("127.0.0.1", 8000) == "Tidings is at http://127.0.0.1:8000"
    assert greeting("::1", 8000) == "Tidings is at http://[::1]:8000"
    for host in ("0.0.0.0", "::"):
        assert greeting(host, 8000).endswith(":8000, and listens on all addresses of this machine")


@pytest.mark.skipif(sys.platform != "linux", reason="the option is Linux's")
def test_accepted_sockets_show_a_slow_reader_early() -> None:
    with listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT) == NOTSENT


def test_an_address_that_cannot_be_used_is_refused_with_a_sentence() -> None:
    with listen("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(InvalidRequest, match=f"Cannot listen on 127.0.0.1 port {port}: it is in use"):
            listen("127.0.0.1", port)
