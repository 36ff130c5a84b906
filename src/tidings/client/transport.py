"""Steps in httpx's words: the settings of its clients, requests, answers and errors."""

from __future__ import annotations

from typing import Any

import httpx

from tidings.access.origins import is_loopback
from tidings.errors import InvalidRequest

from .rules import Answer, Broken, Send

CONNECT, ANSWER = 10.0, 30.0
"""Seconds for a connection, and between the bytes of an answer that is no stream."""


def options(url: str) -> dict[str, Any]:
    """For httpx.Client and httpx.AsyncClient alike. Raises InvalidRequest."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidRequest(f"{url!r} is no URL of a server; one is like http://127.0.0.1:8000.")
    return {
        "base_url": parsed,
        "follow_redirects": True,
        # Each subscription holds a connection, so a limit would hang the next request for good.
        "limits": httpx.Limits(max_connections=None, max_keepalive_connections=20),
        # A proxy is for other machines, whatever HTTP_PROXY says.
        "trust_env": not is_loopback(parsed.host),
    }


def valid_token(token: str) -> str:
    """`token`, if a header can hold it; raises InvalidRequest."""
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise InvalidRequest("The token is no token: it is printable ASCII.")
    return token


def authorization(token: str | None) -> dict[str, str]:
    """The header, if there is a token."""
    return {} if token is None else {"authorization": f"Bearer {token}"}


def request(step: Send, authorization: dict[str, str], silence: float) -> dict[str, Any]:
    """For `build_request`."""
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
    """What was answered."""
    return Answer(response.status_code, response.reason_phrase, response.headers, body)


def broken(url: str, error: httpx.RequestError) -> Broken:
    """What an exception of httpx means."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return Broken(f"No server answers at {url}; `tidings serve` starts one.", sent=False)
    return Broken(f"The connection to {url} was lost before the answer came.")
