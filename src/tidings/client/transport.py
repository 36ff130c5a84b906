"""Steps as calls of httpx: the settings of its clients, its requests, answers and errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from tidings.access.origins import is_loopback
from tidings.errors import InvalidRequest

from .closing import Closing
from .rules import CLOSED, Answer, Broken, Send
from .values import Unexpected

CONNECT, ANSWER = 10.0, 30.0
"""Seconds: to connect, and between the bytes of an answer that is not a stream."""


HINT = "The command `tidings serve` starts one."
"""A hint for those who reach no server with a client of Tidings."""


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


def request(step: Send, headers: Mapping[str, str], silence: float | None) -> dict[str, Any]:
    """Return the arguments of `build_request`. `headers`: further headers, which replace those of the step."""
    asked = step.request
    return {
        "method": asked.method,
        "url": asked.path,
        "params": asked.params or None,  # an empty tuple would remove the query of the URL
        # A last event ID may hold any character, and goes as UTF-8. A header has no space at its ends.
        "headers": [(k, v.strip(" \t").encode()) for k, v in {**asked.headers, **headers}.items()],
        "content": asked.body,
        "timeout": httpx.Timeout(ANSWER, connect=CONNECT, read=silence if step.stream else ANSWER, pool=None),
    }


@contextmanager
def addressed(url: str) -> Iterator[None]:
    """Raise Unexpected in place of the exceptions of Python's sockets for what is no host or no port.

    httpx looks at neither in the `Location` of a redirect. The exceptions of asyncio's come in a group.
    """
    try:
        yield
    except (UnicodeError, OverflowError, ExceptionGroup) as error:
        if isinstance(error, ExceptionGroup) and error.split((UnicodeError, OverflowError))[1] is not None:
            raise
        raise Unexpected(f"The address {url}, or one to which it redirects, has no valid host or port.") from None


def answer(response: httpx.Response, body: bytes = b"") -> Answer:
    """Return the answer in a response."""
    url = response.url
    origin = f"{url.scheme}://{url.netloc.decode()}"
    return Answer(response.status_code, response.reason_phrase, response.headers, body, origin)


def broken(url: str, error: httpx.RequestError) -> Broken:
    """Return the meaning of an exception of httpx. Raises TidingsError if another try would end in the same way."""
    match error:
        case httpx.RemoteProtocolError() if "location header" in str(error):
            raise Unexpected(f"{url} redirects to something that is no URL.") from None
        case httpx.TooManyRedirects() | httpx.UnsupportedProtocol():
            raise Unexpected(f"{url} redirects in a circle, or to an address that is not one of HTTP.") from None
        case httpx.LocalProtocolError():
            raise InvalidRequest(f"The request to {url} cannot be sent: {error}") from None
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return Broken(f"No server answers at {url}.", sent=False)
        case httpx.ReadTimeout():
            return Broken(f"{url} was silent for too long.")
    return Broken(f"The connection to {url} was lost.")


def closed(closing: Closing) -> Broken:
    """Return the meaning of a closed client of httpx. Raises InvalidRequest if the application has closed it."""
    if not closing.closed:
        raise InvalidRequest("The client of httpx that was passed as `http` is closed.")
    return CLOSED
