"""PURE: webhooks, folded from `webhooks.ID`: an address, what is to be sent to it, and what could not be sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import Event, check_nesting

VERSION = 1

SCHEDULE = (0.0, 5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Seconds between the attempts to send, each with jitter. After the last one the webhook is disabled."""

LONGEST_WAIT = 86_400.0
"""Seconds of the longest `Retry-After` that counts."""

SLOW = frozenset({429, 502, 503, 504})
"""Statuses of a receiver that asks for time. `Retry-After` says how much."""

GONE = 410
"""The status of a receiver that wants no more: the webhook is disabled at once."""

WAITING, FAILED = 1_000, 100
"""Messages that wait for a webhook, and those that were given up, at most: the last ones."""

LONGEST_URL = 1_000

BODY = 20_000
"""Bytes of the largest body."""


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event of a webhook's topic."""

    type: ClassVar[str]


class WebhookSaved(Fact, frozen=True, kw_only=True):
    """The webhook begins."""

    type = "webhook.saved"
    url: str
    title: str = ""
    by: str = ""


class Queued(Fact, frozen=True, kw_only=True):
    """A message that is to be sent. `body` is the exact text."""

    type = "webhook.queued"
    id: str
    rule: str
    episodes: list[str]
    body: str


class Attempted(Fact, frozen=True, kw_only=True):
    """An attempt to send a message. `status`: the receiver's, null where there was none; `next`: the time of the next
    attempt, in Unix seconds; null: the message was delivered, or is given up."""

    type = "webhook.attempted"
    id: str
    at: float
    delivered: bool
    status: int | None = None
    error: str = ""
    next: float | None = None


class Disabled(Fact, frozen=True, kw_only=True):
    """The webhook is sent no more, until somebody enables it."""

    type = "webhook.disabled"
    reason: str


class Enabled(Fact, frozen=True, kw_only=True):
    """The webhook is sent again."""

    type = "webhook.enabled"
    by: str = ""


class Resent(Fact, frozen=True, kw_only=True):
    """Messages that were given up are to be sent again."""

    type = "webhook.resent"
    ids: list[str]
    by: str = ""


class WebhookDeleted(Fact, frozen=True, kw_only=True):
    """The end of the webhook."""

    type = "webhook.deleted"
    by: str = ""


_KINDS = (WebhookSaved, Queued, Attempted, Disabled, Enabled, Resent, WebhookDeleted)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {kind.type: msgspec.json.Decoder(kind) for kind in _KINDS}


class WebhookMessage(msgspec.Struct):
    """A message: the number of attempts, the time of the next one, and how the last one ended."""

    id: str
    rule: str
    episodes: list[str]
    body: str
    queued: float
    tries: int = 0
    due: float = 0.0
    status: int | None = None
    error: str = ""


class Webhook(msgspec.Struct):
    """The state of a webhook; `url` is empty before it is saved. `reason`: the one for which it is disabled."""

    url: str = ""
    title: str = ""
    by: str = ""
    saved: float = 0.0
    deleted: bool = False
    reason: str | None = None
    waiting: dict[str, WebhookMessage] = {}
    failed: dict[str, WebhookMessage] = {}
    delivered: int = 0
    last: float = 0.0

    def next(self) -> WebhookMessage | None:
        """Return the message whose attempt is due first.

        A message waits for all earlier ones of the same episodes, so that *resolved* never comes before *fired*.
        """
        first: WebhookMessage | None = None
        busy: set[str] = set()
        if self.reason is not None or self.deleted:
            return None
        for message in self.waiting.values():
            if not busy.intersection(message.episodes) and (first is None or message.due < first.due):
                first = message
            busy.update(message.episodes)
        return first


def apply(state: Webhook, event: Event) -> None:
    """Change the state by the next event of the topic."""
    decoder = _DECODERS.get(event.type)
    try:
        check_nesting(event.data)
        fact = decoder.decode(event.data) if decoder is not None else None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    match fact:
        case WebhookSaved():
            state.url, state.title, state.by, state.saved = fact.url, fact.title, fact.by, event.time
        case Queued():
            message = WebhookMessage(fact.id, fact.rule, fact.episodes, fact.body, event.time, due=event.time)
            (state.waiting if state.reason is None else state.failed)[fact.id] = message
        case Attempted():
            _attempted(state, fact)
        case Disabled():
            state.reason = fact.reason
        case Enabled():
            state.reason = None
        case Resent():
            for id in fact.ids:
                if (known := state.failed.pop(id, None)) is not None:
                    state.waiting[id] = msgspec.structs.replace(known, tries=0, due=event.time)
        case WebhookDeleted():
            state.deleted = True
    _bound(state.waiting, WAITING)
    _bound(state.failed, FAILED)


def _attempted(state: Webhook, fact: Attempted) -> None:
    message = state.waiting.get(fact.id)
    if message is None:
        return
    message.tries, message.status, message.error = message.tries + 1, fact.status, fact.error
    if fact.next is not None:
        message.due = fact.next
        return
    del state.waiting[fact.id]
    if fact.delivered:
        state.delivered, state.last = state.delivered + 1, fact.at
    else:
        state.failed[fact.id] = message


def _bound(messages: dict[str, WebhookMessage], most: int) -> None:
    while len(messages) > most:
        del messages[next(iter(messages))]


def to_item(fact: Fact) -> tuple[str, str]:
    """Return the type and the data of the event that says the fact."""
    return fact.type, msgspec.json.encode(fact).decode()


def check_url(url: str, *, private: bool) -> None:
    """Raise InvalidRequest for a URL that is not https, unless `private` allows http, or that names a person."""
    try:
        parts = urlsplit(url)
        fine = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        fine = False
    if not fine or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidRequest(
            f"`url`: A webhook needs a URL such as https://example.com/hook, of at most {LONGEST_URL}."
        )
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise InvalidRequest("`url`: A webhook's URL begins with https://; TIDINGS_WEBHOOKS_PRIVATE allows http://.")


# Standard Webhooks 1.0.


def signature(secrets: Sequence[str], id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`: one signature for each secret, `whsec_` and Base64 each."""
    signed = f"{id}.{timestamp}.".encode() + body
    made = [hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256) for secret in secrets]
    return " ".join(f"v1,{base64.b64encode(each).decode()}" for each in made)


def next_attempt(tries: int, now: float, status: int | None, wait: float | None, jitter: float) -> float | None:
    """Return the time of the attempt after `tries` that failed; None: there is no further one.

    `wait`: the seconds that a slow receiver asked for, of which at most a day count. `jitter`: from 0 to 1.
    """
    if tries >= len(SCHEDULE):
        return None
    delay = SCHEDULE[tries] * (0.9 + 0.2 * jitter)
    if status in SLOW and wait is not None:
        delay = max(delay, min(wait, LONGEST_WAIT))
    return now + delay
