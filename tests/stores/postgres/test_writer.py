"""Writing groups of updates."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.postgres import Cluster
from tests.stores.kit import put, until
from tests.stores.postgres.conftest import Open
from tidings.errors import OutcomeUnknown, Unavailable
from tidings.events import Offset
from tidings.log.head import Known
from tidings.stores.postgres import writer


async def test_a_plan_that_changes_nothing_is_asked_again_only_if_another_process_wrote(opened: Open) -> None:
    store, other = await opened(), await opened()
    await store.update("a", (), put())
    seen: list[int] = []

    def look(known: Known) -> None:
        seen.append(known.head.tail if known.head else 0)

    await store.update("a", (), look)
    assert seen == [1]
    await other.update("a", (), put())
    assert (await store.update("a", (), look)).head == await other.load("a")
    assert seen == [1, 1, 2]


async def test_a_refusal_of_the_engine_leaves_nothing_and_says_why(opened: Open, postgres: Cluster, url: str) -> None:
    store = await opened()
    await store.update("a", (), put())
    name = url.rpartition("/")[2]
    await postgres.ask("ALTER TABLE tidings.records ADD CONSTRAINT small CHECK (octet_length(blob) < 100)", name)
    for topic in ("a", "b"):
        with pytest.raises(Unavailable, match="refused a statement") as refused:
            await store.update(topic, (), put(size=200))
        assert not isinstance(refused.value, OutcomeUnknown)
    assert await store.load("b") is None
    known = await store.update("a", (), put())
    assert known.head is not None
    assert known.head.tail == 2


CONFLICT_ONCE = """
CREATE SEQUENCE tidings.tries;
CREATE FUNCTION tidings.once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('tidings.tries') = 1 THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = 'serialization_failure'; END IF;
    RETURN NEW; END $$;
CREATE TRIGGER once BEFORE INSERT ON tidings.records FOR EACH ROW EXECUTE FUNCTION tidings.once()"""


async def test_a_group_that_the_engine_has_undone_for_another_is_written_again(
    opened: Open, postgres: Cluster, url: str
) -> None:
    store = await opened()
    await store.update("a", (), put())
    await postgres.ask(CONFLICT_ONCE, url.rpartition("/")[2])
    await store.update("a", (), put())
    assert await postgres.ask("SELECT last_value FROM tidings.tries", url.rpartition("/")[2]) == ["2"]
    head = await store.load("a")
    assert head is not None
    assert head.tail == 2


async def test_a_group_is_refused_as_a_whole(opened: Open, postgres: Cluster, url: str) -> None:
    """Each of its updates has an error of its own, so that a traceback of the one shows nothing of another."""
    store = await opened()
    await store.update("a", (), put())
    await postgres.ask(
        "ALTER TABLE tidings.records ADD CONSTRAINT small CHECK (octet_length(blob) < 100)", url.rpartition("/")[2]
    )
    refused = await asyncio.gather(
        *(store.update(topic, (), put(size=200)) for topic in ("a", "a", "b")), return_exceptions=True
    )
    assert [str(error) for error in refused] == ["The database refused a statement (SQLSTATE 23514)."] * 3
    assert [type(error) for error in refused] == [Unavailable] * 3
    assert len({id(error) for error in refused}) == 3


async def test_lost_tables_are_named(opened: Open, postgres: Cluster, url: str) -> None:
    store = await opened()
    await postgres.ask("ALTER TABLE tidings.topics RENAME TO others", url.rpartition("/")[2])
    with pytest.raises(Unavailable, match="has lost the store's tables") as refused:
        await store.update("a", (), put())
    assert not isinstance(refused.value, OutcomeUnknown)
    await postgres.ask("ALTER TABLE tidings.others RENAME TO topics", url.rpartition("/")[2])
    await store.update("a", (), put())


async def test_a_death_during_a_change_is_an_unknown_outcome(opened: Open, postgres: Cluster, url: str) -> None:
    """The engine waits for a lock that another session holds when its session is ended."""
    store = await opened()
    await store.update("a", (), put())
    name = url.rpartition("/")[2]
    holder = asyncio.create_task(
        postgres.ask("BEGIN; SELECT FROM tidings.topics FOR UPDATE; SELECT pg_sleep(60)", name)
    )
    ending = f"FROM pg_stat_activity WHERE datname = '{name}' AND wait_event = 'PgSleep'"
    while await postgres.ask(f"SELECT count(*) {ending}", "postgres") != ["1"]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    waiting = f"FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    change = asyncio.ensure_future(store.update("a", (), put()))
    while await postgres.ask(f"SELECT count(*) {waiting}", "postgres") != ["1"]:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await postgres.ask(f"SELECT pg_terminate_backend(pid) {waiting}", "postgres")
    with pytest.raises(OutcomeUnknown):
        await change
    await postgres.ask(f"SELECT pg_terminate_backend(pid) {ending}", "postgres")
    await asyncio.gather(holder, return_exceptions=True)
    known = await store.update("a", (), put())
    assert known.head is not None
    assert known.head.tail == 2


async def test_heads_are_remembered_up_to_a_number(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "HEADS", 5)
    store = await opened()
    for n in range(20):
        await store.update(f"t{n}", (), put())
        assert len(store._writer._rows) <= 6


async def test_a_head_that_another_process_changed_is_looked_at_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The news of the change come before the next write, which would find another row and be in vain."""
    store, other = await opened(), await opened()
    await store.update("a", (), put())
    feed = store.changes()
    assert await anext(feed) is None
    await other.update("a", (), put())
    await until(feed, "a", Offset("epoch1", 2))
    assert "a" not in store._writer._rows
    await store.update("a", (), put())
    row = store._writer._rows["a"]
    store._writer.outdate({"a": row.changed - 1, "b": 1})
    assert store._writer._rows["a"] == row


async def test_a_head_that_is_outdated_while_another_is_looked_at_is_looked_at_too(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both topics are written in one group. The news of `a` come while the row of `b` is looked at."""
    store = await opened()
    await store.update("a", (), put())
    look, looks = store._writer._look, list[list[str]]()

    async def told(connection: Any, topics: Sequence[str], group: writer.Group) -> Any:
        looks.append(list(topics))
        store._writer.outdate({"a": 1 << 62})
        return await look(connection, topics, group)

    monkeypatch.setattr(store._writer, "_look", told)
    both = await asyncio.gather(store.update("a", (), put()), store.update("b", (), put()))
    assert [known.head.tail for known in both if known.head] == [2, 1]
    assert looks[:2] == [["b"], ["a"]]
