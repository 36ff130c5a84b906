"""Webhooks over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.apps.alerts.test_routes import Admin
from tests.apps.members import SECRET
from tests.http.conftest import Server, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET, admins=("Ann",)) as made:
        yield made


async def test_an_administrator_makes_changes_and_deletes_webhooks(server: Server) -> None:
    ann = Admin(server, "Ann")
    made = await ann.post("/alerts/webhooks", {"url": "https://example.com/hook", "title": "Pager"})
    assert made.status_code == 201
    id, secret = made.json()["id"], made.json()["secret"]
    assert secret.startswith("whsec_")
    listed = await ann.get("/alerts/webhooks")
    [one] = listed.json()["webhooks"]
    assert (one["id"], one["url"], one["title"], one["by"]) == (id, "https://example.com/hook", "Pager", "Ann")
    assert (one["disabled"], one["delivered"], one["waiting"], one["failed"]) == (None, 0, [], [])
    assert "whsec_" not in listed.text
    assert (await ann.get(f"/topics/webhook-secrets.{id}/events")).status_code == 403
    assert "whsec_" not in (await ann.get(f"/topics/webhooks.{id}/events")).text
    changed = await ann.post(f"/alerts/webhooks/{id}/secret")
    assert changed.json()["secret"] != secret
    assert (await ann.post(f"/alerts/webhooks/{id}/enable")).status_code == 204
    assert (await ann.post(f"/alerts/webhooks/{id}/resend", {})).json() == {"ids": []}
    assert (await ann.post(f"/alerts/webhooks/{id}/resend", {"ids": ["x"]})).status_code == 404
    assert (await ann.delete(f"/alerts/webhooks/{id}")).status_code == 204
    assert (await ann.delete(f"/alerts/webhooks/{id}")).status_code == 404
    assert (await ann.get("/alerts/webhooks")).json()["webhooks"] == []


async def test_others_see_no_webhook_and_wrong_ones_are_refused(server: Server) -> None:
    ann, bob = Admin(server, "Ann"), Admin(server, "Bob")
    assert (await bob.get("/alerts/webhooks")).status_code == 403
    assert (await bob.post("/alerts/webhooks", {"url": "https://example.com"})).status_code == 403
    for wrong in ({}, {"url": "http://example.com"}, {"url": "https://example.com", "title": "x" * 201}):
        assert (await ann.post("/alerts/webhooks", wrong)).status_code == 400
