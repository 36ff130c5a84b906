"""Telling people, in words."""

from __future__ import annotations

import msgspec
import pytest

from tidings import Hub
from tidings.access.access import Access
from tidings.access.tokens import Authenticator
from tidings.apps.alerts.facts import Notice, Told
from tidings.apps.alerts.fold import State
from tidings.apps.alerts.rights import Rights
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.service import Alerts
from tidings.apps.alerts.telling import Telling, text_of, title_of
from tidings.apps.notifications.service import Notifications

NOTICE = Notice(
    id="e-fired",
    kind="fired",
    title="Orders",
    topic="orders",
    at=5.0,
    limit=2.5,
    episodes=["e"],
    instances=[Told("", "e", 1.0, 5.0)],
    link="/a/r?at=5",
)


def instances(count: int, more: int = 0) -> Notice:
    listed = [Told(f"k{n}", f"e{n}", float(n), 5.0) for n in range(count)]
    return msgspec.structs.replace(NOTICE, instances=listed, more=more)


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        ("fired", "Orders is firing"),
        ("again", "Orders is still firing"),
        ("resolved", "Orders is over"),
        ("no_data", "Orders has no data"),
        ("broken", "Orders has no values that are numbers"),
    ],
)
def test_each_kind_has_its_words(kind: str, title: str) -> None:
    assert title_of(msgspec.structs.replace(NOTICE, kind=kind)) == title


def test_instances_are_named_and_counted() -> None:
    assert title_of(instances(2)) == "Orders (k0, k1) is firing"
    assert title_of(instances(10, 30)) == "Orders (k0, k1, k2 and 37 more) is firing"
    assert text_of(instances(2)) == "k0: 0 (limit 2.5)\nk1: 1 (limit 2.5)"
    assert text_of(instances(1, 3)).endswith("\n3 more")
    assert "“others”" in text_of(msgspec.structs.replace(NOTICE, others=True))


def test_a_reason_is_said_where_there_is_no_value() -> None:
    over = msgspec.structs.replace(NOTICE, instances=[Told("", "e", None, 5.0, None, "paused")])
    assert text_of(over) == "paused"
    assert title_of(msgspec.structs.replace(NOTICE, title="")) == "orders is firing"


async def test_the_author_is_told_unless_the_rule_names_people(hub: Hub) -> None:
    notifications = Notifications(hub)
    queued: list[tuple[str, str, str]] = []

    class Queue:
        async def put(self, webhook: str, rule: str, notice: Notice) -> None:
            queued.append((webhook, rule, notice.id))

    telling = Telling(notifications, Queue(), Rights(Alerts(hub), Access(Authenticator())))
    await telling.hand_on("r", State(), [NOTICE])
    for people in (None, ["Bob", "Bob"], []):
        state = State(parse({"topic": "t", "above": 1, "people": people, "webhooks": ["w"]}), author="Ann")
        for _ in range(2):
            await telling.hand_on("r", state, [NOTICE])
    for name in ("Ann", "Bob"):
        [item] = (await notifications.inbox(name))[0].items
        assert (item.title, item.link, item.topic) == ("Orders is firing", "/a/r?at=5", "alerts.r")
    assert set(queued) == {("w", "r", "e-fired")}
