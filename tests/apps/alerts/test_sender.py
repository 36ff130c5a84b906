"""Webhooks are sent to a real receiver, and verified by the library of Standard Webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from tests.apps.alerts.receiver import Receiver, receiving
from tests.apps.alerts.test_telling import NOTICE
from tidings import Hub
from tidings.apps.alerts import webhook as rules
from tidings.apps.alerts.facts import Notice, Told
from tidings.apps.alerts.sender import Webhooks, body_of
from tidings.apps.notifications.service import Notifications
from tidings.errors import InvalidRequest, NotFound

RESOLVED = msgspec.structs.replace(NOTICE, id="e-resolved", kind="resolved")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempt again after some milliseconds."""
    monkeypatch.setattr(rules, "SCHEDULE", (0.0, 0.01, 0.01, 0.01))


class Sending:
    """Webhooks that are sent while the context is open."""

    def __init__(self, hub: Hub, *, private: bool = True) -> None:
        self.bells = Notifications(hub)
        self.webhooks = Webhooks(hub, self.bells, private=private)

    async def __aenter__(self) -> Webhooks:
        self.task = asyncio.create_task(self.webhooks.run())
        return self.webhooks

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def facts(hub: Hub, id: str, type: str, count: int) -> list[dict[str, object]]:
    found = []
    async with asyncio.timeout(30):
        async for event in hub.subscribe(f"webhooks.{id}", "earliest"):
            if event.type == type:
                found.append(event.json())
                if len(found) == count:
                    return found
    raise AssertionError


async def test_a_notice_is_signed_and_sent_once(hub: Hub, receiver: Receiver) -> None:
    async with Sending(hub) as webhooks:
        id, secret = await webhooks.create(receiver.url, "Pager", "Ann")
        for _ in range(2):
            await webhooks.put(id, "r", NOTICE)
        await webhooks.put("0" * 12, "r", NOTICE)
        await facts(hub, id, "webhook.attempted", 1)
    [(headers, body)] = receiver.requests
    said = Verifier(secret).verify(body, headers)
    assert headers["webhook-id"] == "e-fired"
    assert (said["type"], said["timestamp"], said["data"]["rule"]) == ("alert.fired", "1970-01-01T00:00:05+00:00", "r")
    assert said["data"]["instances"] == [{"instance": "", "episode": "e", "value": 1.0, "since": 5.0}]


async def test_an_attempt_that_fails_is_repeated_with_the_same_id_and_in_order(hub: Hub, receiver: Receiver) -> None:
    receiver.answers = ["500 Oops", "302 Found\r\nlocation: http://127.0.0.1:1/"]
    async with Sending(hub) as webhooks:
        id, secret = await webhooks.create(receiver.url, "", None)
        await webhooks.put(id, "r", NOTICE)
        await webhooks.put(id, "r", RESOLVED)
        attempts = await facts(hub, id, "webhook.attempted", 4)
    assert [headers["webhook-id"] for headers, _ in receiver.requests] == ["e-fired"] * 3 + ["e-resolved"]
    assert [attempt.get("status") for attempt in attempts] == [500, 302, 204, 204]
    for headers, body in receiver.requests:
        Verifier(secret).verify(body, headers)


async def test_the_schedule_goes_on_after_a_restart(sqlite_url: str, receiver: Receiver) -> None:
    receiver.answers = ["503 Later\r\nretry-after: 1"]
    async with Hub(sqlite_url) as hub, Sending(hub) as webhooks:
        id, _ = await webhooks.create(receiver.url, "", None)
        await webhooks.put(id, "r", NOTICE)
        [first] = await facts(hub, id, "webhook.attempted", 1)
    async with Hub(sqlite_url) as hub, Sending(hub):
        first, second = await facts(hub, id, "webhook.attempted", 2)
    assert isinstance(first["next"], float)
    assert isinstance(second["at"], float)
    assert isinstance(first["at"], float)
    assert first["next"] >= first["at"] + 1
    assert second["at"] >= first["next"]


async def test_a_receiver_that_is_gone_disables_the_webhook_and_its_owner_is_told(hub: Hub, receiver: Receiver) -> None:
    receiver.answers = ["410 Gone"]
    sending = Sending(hub)
    async with sending as webhooks:
        id, _ = await webhooks.create(receiver.url, "Pager", "Ann")
        await webhooks.put(id, "r", NOTICE)
        [disabled] = await facts(hub, id, "webhook.disabled", 1)
        assert "410" in str(disabled["reason"])
        assert list((await webhooks.get(id)).state.failed) == ["e-fired"]
        with pytest.raises(NotFound):
            await webhooks.resend(id, ["other"], None)
        await webhooks.enable(id, "Ann")
        assert await webhooks.resend(id, None, "Ann") == ["e-fired"]
        await facts(hub, id, "webhook.attempted", 2)
        assert (await webhooks.get(id)).state.failed == {}
    async for event in hub.subscribe("users.Ann", "earliest"):
        told = event.json()
        assert (told["title"], told["link"]) == ("The webhook Pager is disabled", "/a")
        break


async def test_a_receiver_that_never_answers_well_is_given_up(hub: Hub, receiver: Receiver) -> None:
    receiver.answers = ["500 Oops"] * 4
    async with Sending(hub) as webhooks:
        id, _ = await webhooks.create(receiver.url, "", None)
        await webhooks.put(id, "r", NOTICE)
        await facts(hub, id, "webhook.disabled", 1)
    assert len(receiver.requests) == 4


async def test_two_secrets_sign_while_one_is_changed(hub: Hub, receiver: Receiver) -> None:
    async with Sending(hub) as webhooks:
        id, old = await webhooks.create(receiver.url, "", None)
        new = await webhooks.rotate(id)
        await webhooks.put(id, "r", NOTICE)
        await facts(hub, id, "webhook.attempted", 1)
        [(headers, body)] = receiver.requests
        for secret in (old, new):
            Verifier(secret).verify(body, headers)
        await webhooks.delete(id, None)
        with pytest.raises(NotFound):
            await webhooks.get(id)
        assert await hub.topics("webhook-secrets") == []


async def test_a_private_address_is_refused_at_the_connection(hub: Hub, receiver: Receiver) -> None:
    async with Sending(hub, private=False) as webhooks:
        with pytest.raises(InvalidRequest, match="https"):
            await webhooks.create(receiver.url, "", None)
        id, _ = await webhooks.create(receiver.url.replace("http:", "https:"), "", None)
        await webhooks.put(id, "r", NOTICE)
        [attempt] = await facts(hub, id, "webhook.attempted", 1)
    assert attempt["error"] == "The URL leads to a private address."
    assert receiver.requests == []


def test_a_body_is_at_most_20_kilobytes() -> None:
    told = [Told("é" * 200 * 20, "e", 1.0, 5.0)] * 10
    notice: Notice = msgspec.structs.replace(NOTICE, instances=told, more=5, episodes=["e" * 20] * 2000)
    text = body_of("r", notice)
    assert len(text.encode()) <= 20_000
    data = msgspec.json.decode(text)["data"]
    assert data["more"] == 5 + 10 - len(data["instances"])
