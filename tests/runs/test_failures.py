"""Errors of any model's client in safe words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tidings.errors import Forbidden, TooManyRequests, Unavailable
from tidings.runs.failures import BrokenOff, Declined, explain


def status(number: int, **members: Any) -> Exception:
    error = type("APIStatusError", (Exception,), {"status_code": number, **members})("secret")
    assert isinstance(error, Exception)
    return error


def named(name: str, *arguments: Any) -> Exception:
    error = type(name, (Exception,), {})(*(arguments or ["secret"]))
    assert isinstance(error, Exception)
    return error


def amazon(code: str, number: int) -> Exception:
    """An error as botocore raises it."""
    error = type("ClientError", (Exception,), {})("secret")
    error.response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": number}}
    assert isinstance(error, Exception)
    return error


def google(code: int, word: str) -> Exception:
    error = type("ClientError", (Exception,), {"code": code, "status": word})("secret")
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
        (status(529), "overloaded", True),
        (status(402), "quota", False),
        (status(200, body={"type": "error", "error": {"type": "overloaded_error"}}), "overloaded", True),
        (named("APIError"), "provider", True),
        (status(400, type="invalid_request_error"), "rejected", False),
        (status(404, body={"type": "invalid_request_error"}), "unknown_model", False),
        (status(400, code="content_policy_violation"), "refused", False),
        (status(429, code="insufficient_quota"), "quota", False),
        (amazon("ThrottlingException", 400), "rate_limit", True),
        (amazon("Unheard", 500), "provider", True),
        (google(429, "RESOURCE_EXHAUSTED"), "rate_limit", True),
        (google(503, "UNAVAILABLE"), "provider", True),
        (BrokenOff(code=502), "provider", True),
        (BrokenOff(type="overloaded_error"), "overloaded", True),
        (ValueError("server_error: secret"), "provider", True),
        (ValueError("ResponseError(code='rate_limit_exceeded', message='secret')"), "rate_limit", True),
        (ValueError("something: secret"), "internal", False),
        (ValueError({"code": "server_error", "message": "secret"}), "provider", True),
        (named("RemoteException", {"error": "RateLimitError", "message": "secret"}), "rate_limit", True),
        (Declined(), "refused", False),
        (named("OpenAIRefusalError"), "refused", False),
        (named("ContentFilterFinishReasonError"), "refused", False),
        (named("StructuredOutputValidationError"), "bad_output", True),
        (named("ModelCallLimitExceededError"), "too_many_steps", False),
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
    assert explain(Unavailable("No model is configured.")) == ("unavailable", "No model is configured.", True, None)
    assert explain(Forbidden("Not yours.")) == ("forbidden", "Not yours.", False, None)
    assert explain(TooManyRequests("Wait.", retry_after=3)) == ("too_many_requests", "Wait.", True, 3)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "20"}, 20),
        ({"Retry-After": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "Fri, 31 Dec 2027 23:59:59 GMT"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e9"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_provider_asks_for(headers: dict[str, str], wait: float | None) -> None:
    response = httpx.Response(429, headers=headers)
    assert explain(httpx.HTTPStatusError("secret", request=REQUEST, response=response)).wait == wait
    assert explain(caused(ValueError(), status(400, response=response))).wait is None, "trying again is no use"


def test_a_circle_of_causes_ends() -> None:
    a, b = ValueError(), ValueError()
    a.__cause__, b.__cause__ = b, a
    assert explain(a).code == "internal"
