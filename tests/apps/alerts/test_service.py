"""Rules and silences of a hub, as people change them."""

from __future__ import annotations

import pytest

from tidings import Hub
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.service import Alerts, topic_of
from tidings.apps.alerts.silences import SilenceBegan
from tidings.clock import unix_time
from tidings.errors import InvalidRequest, NotFound

RULE = parse({"topic": "t", "above": 1})


async def test_rules_are_made_changed_and_deleted(hub: Hub) -> None:
    alerts = Alerts(hub)
    id = await alerts.create(RULE, "Ann")
    assert id == (await alerts.create(RULE, "Ann", "key"), id)[1]
    assert await alerts.create(RULE, "Ann", "key") == await alerts.create(RULE, "Ann", "key")
    await alerts.save(id, parse({"topic": "t", "above": 2}), "Bob")
    found = {known: each.state.by async for known, each in alerts.rules()}
    assert sorted(found.values()) == ["Ann", "Bob"]
    await alerts.delete(id, "Bob")
    assert id not in [known async for known, _ in alerts.rules()]
    for change in (alerts.save(id, RULE, None), alerts.delete(id, None), alerts.acknowledge(id, None, None, "")):
        with pytest.raises(NotFound, match="no such rule"):
            await change
    await hub.close_topic(topic_of(id))
    assert id not in [known async for known, _ in alerts.rules()]


async def test_only_open_episodes_are_acknowledged(hub: Hub) -> None:
    alerts = Alerts(hub)
    id = await alerts.create(RULE, None)
    assert await alerts.acknowledge(id, None, None, "") == []
    with pytest.raises(NotFound, match="no such episode"):
        await alerts.acknowledge(id, ["e"], None, "")


async def test_silences_begin_and_end(hub: Hub) -> None:
    alerts = Alerts(hub)
    with pytest.raises(InvalidRequest):
        await alerts.silence(SilenceBegan(id="a", until=0.0))
    await alerts.silence(SilenceBegan(id="a", until=unix_time() + 60))
    await alerts.unsilence("a", "Ann")
    with pytest.raises(NotFound):
        await alerts.unsilence("a", "Ann")
    assert [one.ended_by for one in (await alerts.silences())[0].all] == ["Ann"]


def test_a_text_that_is_no_id_is_no_rule() -> None:
    for text in ("", "a b", "a.b", "x" * 65):
        with pytest.raises(NotFound):
            topic_of(text)
