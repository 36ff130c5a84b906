"""Errors of any model's client in safe words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tidings.errors import Forbidden, Unavailable
from tidings.runs.failures import BrokenOff, explain


def status(number: int, **members: Any) -> Exception:
    error = type("APIStatusError", (Exception,), {"status_code": number, **members})("secret")
    assert isinstance(error, Exception)
    return error


def named(name: str) -> Exception:
    error = type(name, (Exception,), {})("secret")
    assert isinstance(error, Exception)
    return error


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


REQUEST = httpx.Request("POST", "https://secret.example")


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (TimeoutError("secret"), "timeout", True),
        (TimeoutError(), "timeout", True),
        (httpx.ReadTimeout("secret"), "timeout", True),
        (httpx.ConnectError("secret"), "connection", True),
        (httpx.RemoteProtocolError("secret"), "connection", True),
        (ConnectionResetError("secret"), "connection", True),
        (named("APIConnectionError"), "connection", True),
        (httpx.HTTPStatusError("secret", request=REQUEST, response=httpx.Response(429)), "rate_limit", True),
        (status(401), "credentials", False),
        (status(403), "credentials", False),
        (status(404), "unknown_model", False),
        (status(400), "rejected", False),
        (status(400, code="context_length_exceeded"), "too_long", False),
        (status(429), "rate_limit", True),
        (status(500), "provider", True),
        (status(529), "provider", True),
        (status(504), "timeout", True),
        (named("OutputParserException"), "bad_output", True),
        (named("GraphRecursionError"), "too_many_steps", False),
        (caused(ValueError("secret"), httpx.ConnectTimeout("secret")), "timeout", True),
        (BaseExceptionGroup("secret", [httpx.ConnectError("secret")]), "connection", True),
        (BrokenOff(), "broken_off", True),
        (ValueError("secret"), "internal", False),
        (MemoryError(), "internal", False),
    ],
)
def test_every_kind_of_error(error: BaseException, code: str, retryable: bool) -> None:
    failure = explain(error)
    assert (failure.code, failure.retryable) == (code, retryable)
    assert "secret" not in failure.message


def test_an_error_of_ours_keeps_its_words() -> None:
    assert explain(Unavailable("No model is configured.")) == ("unavailable", "No model is configured.", True)
    assert explain(Forbidden("Not yours.")) == ("forbidden", "Not yours.", False)


def test_a_circle_of_causes_ends() -> None:
    a, b = ValueError(), ValueError()
    a.__cause__, b.__cause__ = b, a
    assert explain(a).code == "internal"
