"""Steps as calls of httpx: the settings of its clients, its requests, answers and errors."""

from __future__ import annotations

from typing import Any

import httpx

from tidings.access.origins import is_loopback
from tidings.errors import InvalidRequest

from .rules import Answer, Broken, Send

CONNECT, ANSWER = 10.0, 30.0
"""Seconds: to connect, and between the bytes of an answer that is not a stream."""


def options(url: str) -> dict[str, Any]:
    """Return the arguments of httpx.Client and httpx.AsyncClient. Raises InvalidRequest for a wrong URL."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidRequest(f"{url!r} is not the URL of a server, such as http://127.0.0.1:8000.")
    return {
        "base_url": parsed,
        "follow_redirects": True,
        # Each subscription holds a connection, so that a limit would block the next request for ever.
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=20),
        # A proxy cannot reach the loopback address of this machine.
        "trust_env": not is_loopback(parsed.host),
    }


def valid_token(token: str) -> str:
    """Return `token` if a header can hold it. Raises InvalidRequest."""
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise InvalidRequest("A token consists of printable ASCII characters.")
    return token


def must_be_plain(key: str | None, expected: object, close: bool) -> None:
    """Raises InvalidRequest for parameters that a transient event cannot have."""
    if close or key is not None or expected is not None:
        raise InvalidRequest("A transient event takes no `key`, no `expected` and no `close`.")


def authorization(token: str | None) -> dict[str, str]:
    """Return the header for a token, or nothing for None."""
    return {} if token is None else {"authorization": f"Bearer {token}"}


def request(step: Send, authorization: dict[str, str], silence: float) -> dict[str, Any]:
    """Return the arguments of `build_request`."""
    asked = step.request
    return {
        "method": asked.method,
        "url": asked.path,
        "params": asked.params,
        "headers": {**asked.headers, **authorization},
        "content": asked.body,
        "timeout": httpx.Timeout(ANSWER, connect=CONNECT, read=silence if step.stream else ANSWER, pool=None),
    }


def answer(response: httpx.Response, body: bytes = b"") -> Answer:
    """Return the answer in a response."""
    return Answer(response.status_code, response.reason_phrase, response.headers, body)


def broken(url: str, error: httpx.RequestError) -> Broken:
    """Return the meaning of an exception of httpx."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return Broken(f"No server answers at {url}. The command `tidings serve` starts one.", sent=False)
    return Broken(f"The connection to {url} was lost before the answer came.")
