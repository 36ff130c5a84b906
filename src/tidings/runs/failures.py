"""The words in which viewers learn of an error in a model's client. The text of the error goes to the log only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tidings.errors import TidingsError

LONGEST_WAIT = 24 * 3600.0
"""Seconds. A provider that asks for a longer pause is not believed."""


class BrokenOff(Exception):
    """The end of a model's answer before the answer was complete, without an error of its own.

    `code` and `type` are the words of a provider that reported a failure in the middle of the answer.
    """

    def __init__(self, message: str = "", *, code: Any = None, type: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.type = type


class Declined(Exception):
    """A model's refusal to answer, or the removal of its whole answer by a provider's filter."""


class Failure(NamedTuple):
    """`retryable`: the same again may well succeed. `wait`: the seconds to wait first, if the provider said so."""

    code: str
    message: str
    retryable: bool
    wait: float | None = None


TIMEOUT = Failure("timeout", "The model did not answer in time.", True)
CONNECTION = Failure("connection", "The model could not be reached.", True)
RATE_LIMIT = Failure("rate_limit", "The model has too many requests now. Try again in a moment.", True)
OVERLOADED = Failure("overloaded", "The model is overloaded now. Try again in a moment.", True)
QUOTA = Failure("quota", "This server's account with the model's provider is used up.", False)
CREDENTIALS = Failure("credentials", "The model refused the credentials of this server.", False)
UNKNOWN_MODEL = Failure("unknown_model", "The model does not exist, or this server may not use it.", False)
TOO_LONG = Failure("too_long", "The conversation is too long for the model.", False)
REJECTED = Failure("rejected", "The model rejected the request.", False)
DECLINED = Failure("refused", "The model refused to answer this.", False)
PROVIDER = Failure("provider", "The model's provider has a problem. Try again in a moment.", True)
STEPS = Failure("too_many_steps", "The answer took more steps than are allowed.", False)
BAD_OUTPUT = Failure("bad_output", "The model's answer was not in the form that was asked for.", True)
BROKEN_OFF = Failure("broken_off", "The model broke off its answer.", True)
INTERNAL = Failure("internal", "Something went wrong on this server.", False)

_BY_STATUS = {
    401: CREDENTIALS, 402: QUOTA, 403: CREDENTIALS, 404: UNKNOWN_MODEL, 408: TIMEOUT, 413: TOO_LONG, 429: RATE_LIMIT,
    504: TIMEOUT, 529: OVERLOADED,
}  # fmt: skip
_BY_WORD = {
    "overloaded_error": OVERLOADED, "overloaded": OVERLOADED, "server_overloaded": OVERLOADED, "slow_down": OVERLOADED,
    "engine_overloaded": OVERLOADED, "service_unavailable": OVERLOADED, "serviceunavailableexception": OVERLOADED,
    "rate_limit_error": RATE_LIMIT, "rate_limit_exceeded": RATE_LIMIT, "too_many_requests": RATE_LIMIT,
    "throttlingexception": RATE_LIMIT, "resource_exhausted": RATE_LIMIT,
    "insufficient_quota": QUOTA, "billing_error": QUOTA, "billing_hard_limit_reached": QUOTA,
    "api_error": PROVIDER, "server_error": PROVIDER, "internal_error": PROVIDER, "internal_server_error": PROVIDER,
    "internalserverexception": PROVIDER, "modelstreamerrorexception": PROVIDER,
    "timeout_error": TIMEOUT, "modeltimeoutexception": TIMEOUT,
    "authentication_error": CREDENTIALS, "invalid_api_key": CREDENTIALS, "permission_error": CREDENTIALS,
    "accessdeniedexception": CREDENTIALS,
    "not_found_error": UNKNOWN_MODEL, "model_not_found": UNKNOWN_MODEL, "resourcenotfoundexception": UNKNOWN_MODEL,
    "context_length_exceeded": TOO_LONG, "request_too_large": TOO_LONG, "string_above_max_length": TOO_LONG,
    "content_policy_violation": DECLINED, "content_filter": DECLINED, "image_content_policy_violation": DECLINED,
    "invalid_request_error": REJECTED, "invalid_prompt": REJECTED, "validationexception": REJECTED,
}  # fmt: skip
"""The words of OpenAI, Anthropic, Google and Amazon for what went wrong, which are more exact than a status."""
_BY_NAME = (
    ("Timeout", TIMEOUT),
    ("ConnectError", CONNECTION),
    ("ConnectionError", CONNECTION),
    ("NetworkError", CONNECTION),
    ("ProtocolError", CONNECTION),
    ("RateLimit", RATE_LIMIT),
    ("Overloaded", OVERLOADED),
    ("OutputParser", BAD_OUTPUT),
    ("StructuredOutput", BAD_OUTPUT),
    ("LengthFinishReason", BAD_OUTPUT),
    ("Refusal", DECLINED),
    ("Declined", DECLINED),
    ("ContentFilter", DECLINED),
    ("BrokenOff", BROKEN_OFF),
    ("GraphRecursionError", STEPS),
    ("CallLimitExceeded", STEPS),
    ("ContextOverflow", TOO_LONG),
)

_QUOTED = re.compile(r"([a-z_]{4,40}): |ResponseError\(code='([a-z_]{4,40})'")
"""The words of an error that langchain-openai keeps in a ValueError's text alone: those of the Responses API."""


def explain(error: BaseException) -> Failure:
    """The kind of an error of any model's client, without importing one: by the provider's word for it, else by its
    HTTP status, else by its class's name.

    A TidingsError was written to be shown: it keeps its text.
    """
    if isinstance(error, TidingsError):
        code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
        return Failure(code, str(error), error.status in (429, 503), error.members.get("retry_after"))
    for cause in _causes(error):
        if (failure := _of_one(cause)) is not None:
            return failure._replace(wait=_wait(cause)) if failure.retryable else failure
    return INTERNAL


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what caused it, outermost first; the first of a group stands for the group."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.exceptions[0] if isinstance(at, BaseExceptionGroup) else at.__cause__
    return found


def _of_one(error: BaseException) -> Failure | None:
    status = _status(error)
    named = [_BY_WORD[word] for word in _words(error) if word in _BY_WORD]
    # "invalid_request_error" is the type of nearly all refusals of OpenAI; the status tells them apart.
    exact = next((failure for failure in named if failure is not REJECTED), None)
    if exact is not None:
        return exact
    if status is not None and status >= 400:
        return _BY_STATUS.get(status) or (PROVIDER if status >= 500 else REJECTED)
    if named:
        return REJECTED
    names = [base.__name__ for base in type(error).__mro__]
    names += [
        name for name in [_dict_of(error).get("error")] if isinstance(name, str)
    ]  # the class there, of RemoteGraph
    by_name = next((failure for part, failure in _BY_NAME if any(part in name for name in names)), None)
    # An error of a provider's client that says nothing else came in the middle of an answer.
    return by_name or (PROVIDER if "APIError" in names else None)


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    amazon = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, Mapping) else None
    for found in (getattr(error, "status_code", None), getattr(response, "status_code", None), amazon):
        # 200 is the status of a stream in which an error came later.
        if isinstance(found, int) and found >= 400:
            return found
    code = getattr(error, "code", None)  # Google's clients, and OpenRouter's errors in a stream
    return code if isinstance(code, int) else None


def _words(error: BaseException) -> Iterator[str]:
    """The provider's words for an error: the attributes of its client's exception, and the body it was sent."""
    body, response = getattr(error, "body", None), getattr(error, "response", None)
    told = [body, body.get("error") if isinstance(body, Mapping) else None, _dict_of(error)]
    told.append(response.get("Error") if isinstance(response, Mapping) else None)
    words = [getattr(error, name, None) for name in ("code", "type", "status")]
    words += [part.get(name) for part in told if isinstance(part, Mapping) for name in ("code", "Code", "type")]
    if type(error) is ValueError and (quoted := _QUOTED.match(str(error))):
        words += quoted.groups()
    yield from (word.lower() for word in words if isinstance(word, str))


def _dict_of(error: BaseException) -> Mapping[str, Any]:
    """The body of a failure that a client has made the argument of its exception."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Mapping) else {}


def _wait(error: BaseException) -> float | None:
    """The seconds that a provider asks to wait, by its answer's headers."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            wait = float(headers.get(name, "")) * unit
        except ValueError:  # absent, or a date
            continue
        if 0 <= wait <= LONGEST_WAIT:
            return wait
    return None
