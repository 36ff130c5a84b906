"""The statement that writes a group."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.postgres import Cluster
from tests.stores.kit import labelled, put
from tests.stores.postgres.conftest import Open
from tidings.log.head import Change, Head, Known
from tidings.log.port import Store
from tidings.log.records import Record
from tidings.stores.postgres import statement


def gone(known: Known) -> Change:
    return Change(None)


async def test_a_group_of_everything_is_one_statement(
    opened: Open, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = await opened(), await opened()
    for topic in ("deleted", "reborn", "altered", "cut"):
        for _ in range(3):
            await store.update(topic, (), put(keys=("k",)))
        await store.update(topic, (), labelled(old=True, both=True))
    texts: list[str] = []
    made = statement._text
    monkeypatch.setattr(statement, "_text", lambda parts: texts.append(" ".join(parts)) or made(parts))
    new = Record(1, 2, b"id", b"new")
    fresh, altered = Head("epoch2", tail=1), Head("epoch1", tail=4)
    await asyncio.gather(
        store.update("deleted", (), gone),
        store.update("reborn", (), lambda known: Change(fresh, [new], fresh=True, labels={"both": True, "new": True})),
        store.update("altered", (), lambda known: Change(altered, replaced=[new], labels={"old": False})),
        store.update("cut", (), lambda known: Change(Head("epoch1", start=2, tail=4))),
        store.update("created", ("k",), put(2, keys=("k",))),
    )
    assert texts == ["dead records cuts replaced keys labels unlabels"]
    assert [name for name, _ in await other.topics()] == ["altered", "created", "cut", "reborn"]
    assert await other.read("reborn", 0, 9) == (fresh, [new])
    assert (await other.read("altered", 1, 1))[1][0].blob == b"new"
    assert [record.base for record in (await other.read("cut", 0, 9))[1]] == [2, 3]
    labels = {label: [name for name, _ in await other.topics(labels=[label])] for label in await other.labels()}
    assert labels == {"both": ["altered", "cut", "reborn"], "new": ["reborn"], "old": ["cut"]}


async def test_two_processes_that_write_the_same_topics_never_wait_in_a_circle(
    opened: Open, postgres: Cluster, url: str
) -> None:
    one, two = await opened(), await opened()
    topics = [f"t{n:02}" for n in range(20)]

    async def write(store: Store, order: list[str]) -> None:
        for n in range(10):
            plans = [gone if (n + at) % 7 == 0 else put(keys=("k",)) for at in range(len(order))]
            updates = zip(order, plans, strict=True)
            await asyncio.gather(*(store.update(topic, ("k",), plan) for topic, plan in updates))

    await asyncio.gather(write(one, topics), write(two, topics[::-1]), write(one, topics[::-1]), write(two, topics))
    database = url.rpartition("/")[2]
    assert await postgres.ask(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{database}'", "postgres") == [
        "0"
    ]


def test_values_go_as_parameters_only() -> None:
    for parts in ((), ("dead",), tuple(statement.PARTS)):
        text = statement._text(parts)
        numbers = {int(number) for number in re.findall(r"\$(\d+)", text)}
        assert numbers == set(range(1, statement.FIRST + sum(len(statement.COLUMNS[part]) for part in parts)))
        assert set(re.findall("'(.*?)'", text)) == {"tidings.logs"}
        assert "{" not in text
