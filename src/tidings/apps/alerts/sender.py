"""Webhooks at work: their queues, and the process that has the turn sends what is in them."""

from __future__ import annotations

import asyncio
import base64
import logging
import random
import secrets as randomness
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import msgspec

from tidings.apps.notifications.service import Notifications
from tidings.apps.projection import Projection, Projections
from tidings.clock import unix_time
from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, NotFound, TidingsError
from tidings.events import Offset, Retention
from tidings.log.names import text_of
from tidings.log.rules import NEW

from . import webhook as rules
from .addresses import PublicBackend, Refused
from .facts import Notice
from .webhook import (
    GONE,
    Attempted,
    Disabled,
    Enabled,
    Queued,
    Resent,
    Webhook,
    WebhookDeleted,
    WebhookMessage,
    WebhookSaved,
)

log: logging.Logger = logging.getLogger("tidings.alerts")

PREFIX = "webhooks."
SECRETS = "webhook-secrets"
"""First segment of the topics with the secrets of webhooks, which nobody reads from outside."""

TIMEOUT = 20.0
"""Seconds of one attempt."""

OVERLAP = 86_400.0
"""Seconds for which a secret that was changed still signs, beside the new one."""

SCAN = 5.0
"""Seconds between two looks for webhooks that other processes have changed."""


class Webhooks:
    """The webhooks of a hub, each the state of the topic `webhooks.ID`. `private`: all addresses are allowed."""

    def __init__(self, hub: Hub, notifications: Notifications, *, private: bool = False) -> None:
        self.hub: Hub = hub
        self.private: bool = private
        self._notifications = notifications
        self._states: Projections[Webhook] = Projections(
            hub, Webhook, rules.apply, version=rules.VERSION, lasting=[WebhookSaved.type, Queued.type]
        )
        self._changed = asyncio.Event()

    # Looking and changing.

    async def all(self) -> AsyncGenerator[tuple[str, Webhook], None]:
        """Iterate over the webhooks by their ids. Raises Unavailable."""
        after = ""
        while heads := await self.hub.log.heads(PREFIX, after):
            for topic, head in heads:
                if not head.closed:
                    found = await self._states.at(topic, Offset(head.epoch, head.tail))
                    if found.state.url and not found.state.deleted:
                        yield topic.removeprefix(PREFIX), found.state
            after = heads[-1][0]

    async def get(self, id: str) -> Projection[Webhook]:
        """Return the state of a webhook. Raises NotFound, Unavailable."""
        found = await self._states.get(PREFIX + id)
        if not found.state.url or found.state.deleted:
            raise NotFound("There is no such webhook.")
        return found

    async def create(self, url: str, title: str, by: str | None) -> tuple[str, str]:
        """Save a webhook; return its id, and its secret, which nobody is shown again. Raises InvalidRequest."""
        rules.check_url(url, private=self.private)
        id = randomness.token_hex(6)
        secret = await self._new_secret(id)
        await self._append(id, WebhookSaved(url=url, title=title, by=by or ""), expected=NEW)
        return id, secret

    async def rotate(self, id: str) -> str:
        """Make a new secret and return it. The old one signs for a day more."""
        await self.get(id)
        return await self._new_secret(id)

    async def delete(self, id: str, by: str | None) -> None:
        """Delete a webhook and its secrets: what waits is not sent."""
        await self.get(id)
        await self._append(id, WebhookDeleted(by=by or ""))
        await self.hub.delete(f"{SECRETS}.{id}")

    async def enable(self, id: str, by: str | None) -> None:
        """Send to a webhook that was disabled."""
        await self.get(id)
        await self._append(id, Enabled(by=by or ""))

    async def resend(self, id: str, ids: list[str] | None, by: str | None) -> list[str]:
        """Send messages again that were given up, by default all; return their ids. Raises NotFound."""
        failed = (await self.get(id)).state.failed
        chosen = list(failed) if ids is None else ids
        if not set(chosen) <= set(failed):
            raise NotFound("There is no such message that was given up.")
        if chosen:
            await self._append(id, Resent(ids=chosen, by=by or ""))
        return chosen

    async def put(self, webhook: str, rule: str, notice: Notice) -> None:
        """Queue a notice, once however often it is called. A webhook that does not exist takes nothing."""
        try:
            await self.get(webhook)
        except NotFound:
            return
        queued = Queued(id=notice.id, rule=rule, episodes=notice.episodes, body=body_of(rule, notice))
        await self._append(webhook, queued, key=notice.id)

    async def _append(self, id: str, fact: rules.Fact, **conditions: Any) -> None:
        try:
            await self.hub.log.append(PREFIX + id, [rules.to_item(fact)], default=None, **conditions)
        except (Closed, Conflict):
            raise NotFound("There is no such webhook.") from None
        self._changed.set()

    async def _new_secret(self, id: str) -> str:
        secret = "whsec_" + base64.b64encode(randomness.token_bytes(32)).decode()
        items = [("secret", text_of({"secret": secret}))]
        await self.hub.log.append(f"{SECRETS}.{id}", items, retention=Retention(max_events=10))
        return secret

    async def _secrets(self, id: str) -> list[str]:
        """Return the secrets that sign now, the newest first."""
        events = (await self.hub.read(f"{SECRETS}.{id}", -2)).events
        older = events[:-1] if unix_time() - events[-1].time < OVERLAP else ()
        return [str(event.json()["secret"]) for event in (events[-1], *older)]

    # Sending.

    async def run(self) -> None:
        """Send what is due, until this is cancelled: only the process that has the turn does so."""
        busy: dict[str, asyncio.Task[None]] = {}
        pool = httpcore.AsyncConnectionPool(network_backend=PublicBackend(private=self.private), max_connections=100)
        try:
            while True:
                self._changed.clear()
                wait = SCAN
                try:
                    async for id, state in self.all():
                        message = state.next()
                        if message is None or (id in busy and not busy[id].done()):
                            continue
                        if message.due <= unix_time():
                            busy[id] = asyncio.create_task(self._send(pool, id, state.url, message))
                        else:
                            wait = min(wait, message.due - unix_time())
                except TidingsError as error:
                    log.warning("Webhooks are not sent now: %s", error)
                try:
                    async with asyncio.timeout(max(wait, 0.01)):  # `wait_for` may lose a cancellation
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            for task in busy.values():
                task.cancel()
            await asyncio.gather(*busy.values(), return_exceptions=True)
            await pool.aclose()

    async def _send(self, pool: httpcore.AsyncConnectionPool, id: str, url: str, message: WebhookMessage) -> None:
        """Make one attempt, and store how it ended."""
        try:
            status, wait, error = await self._attempt(pool, id, url, message)
            await self._ended(id, message, status, wait, error)
        except TidingsError as error:
            log.warning("An attempt of the webhook %s is not stored: %s", id, error)
            await asyncio.sleep(1.0)
        finally:
            self._changed.set()

    async def _attempt(
        self, pool: httpcore.AsyncConnectionPool, id: str, url: str, message: WebhookMessage
    ) -> tuple[int | None, float | None, str]:
        timestamp, body = int(unix_time()), message.body.encode()
        headers = [
            ("content-type", "application/json"),
            ("user-agent", "Tidings"),
            ("webhook-id", message.id),
            ("webhook-timestamp", str(timestamp)),
            ("webhook-signature", rules.signature(await self._secrets(id), message.id, timestamp, body)),
        ]
        try:
            async with asyncio.timeout(TIMEOUT), pool.stream("POST", url, headers=headers, content=body) as answer:
                return answer.status, _wait_of(answer), ""
        except TimeoutError:
            return None, None, f"No answer within {TIMEOUT:.0f} seconds."
        except Refused as error:
            return None, None, str(error)
        except (
            httpcore.NetworkError,
            httpcore.TimeoutException,
            httpcore.ProtocolError,
            OSError,
        ) as error:
            return None, None, f"The receiver cannot be reached ({type(error).__name__})."

    async def _ended(
        self, id: str, message: WebhookMessage, status: int | None, wait: float | None, error: str
    ) -> None:
        now, delivered = unix_time(), status is not None and 200 <= status < 300
        next = None
        if not delivered and status != GONE:
            next = rules.next_attempt(message.tries + 1, now, status, wait, random.random())
        error = error or ("" if delivered else f"The receiver answered {status}.")
        made = Attempted(id=message.id, at=now, delivered=delivered, status=status, error=error, next=next)
        key = f"{message.id}.{message.queued}.{message.due}"
        await self._append(id, made, key=key)
        if not delivered and next is None:
            await self._disable(id, "The receiver says that it is gone (410)." if status == GONE else error)

    async def _disable(self, id: str, reason: str) -> None:
        state = (await self.get(id)).state
        log.warning("The webhook %s is disabled: %s", id, reason)
        await self._append(id, Disabled(reason=reason))
        if state.by:
            title = f"The webhook {state.title or id} is disabled"
            key = f"webhook.{id}.{int(state.last)}.{state.delivered}"
            await self._notifications.notify(state.by, "webhook", title, key=key, text=reason, link="/a")


def body_of(rule: str, notice: Notice) -> str:
    """Return the body of a notice: `{"type", "timestamp", "data"}`, of at most 20 kB."""
    data = msgspec.to_builtins(notice)
    for name in ("episodes", "kind"):
        data.pop(name, None)
    about = {"type": f"alert.{notice.kind}", "timestamp": datetime.fromtimestamp(notice.at, UTC).isoformat()}
    text = text_of({**about, "data": {"rule": rule, **data}})
    while len(text.encode()) > rules.BODY and data["instances"]:
        data["instances"].pop()
        data["more"] = data.get("more", 0) + 1
        text = text_of({**about, "data": {"rule": rule, **data}})
    return text


def _wait_of(answer: httpcore.Response) -> float | None:
    """Return the seconds that `Retry-After` asks for; None without such a header."""
    for name, value in answer.headers:
        if name.lower() == b"retry-after":
            text = value.decode("latin-1").strip()
            if text.isdecimal() and len(text) < 10:
                return float(text)
            try:
                return max(0.0, parsedate_to_datetime(text).timestamp() - unix_time())
            except ValueError:
                return None
    return None
