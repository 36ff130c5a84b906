"""The words in which viewers learn of an error in a model's client. The text of the error goes to the log only."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tidings.errors import TidingsError


class BrokenOff(Exception):
    """The model ended its answer by a cancellation that nobody had asked for."""


class Failure(NamedTuple):
    """`retryable`: the same again may well succeed."""

    code: str
    message: str
    retryable: bool


TIMEOUT = Failure("timeout", "The model did not answer in time.", True)
CONNECTION = Failure("connection", "The model could not be reached.", True)
RATE_LIMIT = Failure("rate_limit", "The model has too many requests now. Try again in a moment.", True)
CREDENTIALS = Failure("credentials", "The model refused the credentials of this server.", False)
UNKNOWN_MODEL = Failure("unknown_model", "The model does not exist, or this server may not use it.", False)
TOO_LONG = Failure("too_long", "The conversation is too long for the model.", False)
REJECTED = Failure("rejected", "The model rejected the request.", False)
PROVIDER = Failure("provider", "The model's provider has a problem. Try again in a moment.", True)
STEPS = Failure("too_many_steps", "The answer took more steps than are allowed.", False)
BAD_OUTPUT = Failure("bad_output", "The model's answer was not in the form that was asked for.", True)
BROKEN_OFF = Failure("broken_off", "The model broke off its answer.", True)
INTERNAL = Failure("internal", "Something went wrong on this server.", False)

_BY_STATUS = {
    401: CREDENTIALS, 403: CREDENTIALS, 404: UNKNOWN_MODEL, 408: TIMEOUT, 413: TOO_LONG, 429: RATE_LIMIT, 504: TIMEOUT,
}  # fmt: skip
_BY_NAME = (
    ("Timeout", TIMEOUT),
    ("ConnectError", CONNECTION),
    ("ConnectionError", CONNECTION),
    ("NetworkError", CONNECTION),
    ("ProtocolError", CONNECTION),
    ("OutputParser", BAD_OUTPUT),
    ("BrokenOff", BROKEN_OFF),
    ("GraphRecursionError", STEPS),
    ("ContextOverflow", TOO_LONG),
)


def explain(error: BaseException) -> Failure:
    """The kind of an error of any model's client, without importing one: by its HTTP status, else by its class's name.

    A TidingsError was written to be shown: it keeps its text.
    """
    if isinstance(error, TidingsError):
        code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
        return Failure(code, str(error), error.status in (429, 503))
    for cause in _causes(error):
        if (status := _status(cause)) is not None:
            return _of_status(status, cause)
        names = [base.__name__ for base in type(cause).__mro__]
        for part, failure in _BY_NAME:
            if any(part in name for name in names):
                return failure
    return INTERNAL


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what caused it, outermost first; the first of a group stands for the group."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.exceptions[0] if isinstance(at, BaseExceptionGroup) else at.__cause__
    return found


def _status(error: BaseException) -> int | None:
    status: Any = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _of_status(status: int, error: BaseException) -> Failure:
    if getattr(error, "code", None) == "context_length_exceeded":
        return TOO_LONG
    if status >= 500:
        return _BY_STATUS.get(status, PROVIDER)
    return _BY_STATUS.get(status, REJECTED)
