"""The listening socket, and the limit of open files: each stream is one."""

from __future__ import annotations

import resource
import socket
import sys

from tidings.errors import InvalidRequest

TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
NOTSENT = 65536
"""Unsent bytes the kernel takes for one connection. Its own limit is 3 MB: 100 frozen readers then cost 300 MB of its
memory and none is ever noticed to be slow; with this, 27 MB (docs/design.md, Delivery). Accepted sockets inherit it."""

EVERY = ("0.0.0.0", "::")
"""Hosts that stand for all addresses of this machine."""


def greeting(host: str, port: int) -> str:
    """Return the line with the URL of the server, and a warning if other machines reach every address of this one."""
    everywhere = host in EVERY
    if everywhere:
        host = socket.gethostname()
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"Tidings is at {url}" + (", and listens on all addresses of this machine" if everywhere else "")


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises InvalidRequest for an address that cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        made = socket.create_server((host, port), family=family, backlog=4096, reuse_port=False)
    except OSError as error:
        reason = "it is in use" if error.errno == 98 else (error.strerror or "it cannot be used")
        raise InvalidRequest(
            f"Cannot listen on {host} port {port}: {reason}. Choose another with --port or PORT=."
        ) from None
    if sys.platform == "linux":
        made.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOTSENT)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def raise_file_limit() -> None:
    """Allow as many open files as this user may have: each stream is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
