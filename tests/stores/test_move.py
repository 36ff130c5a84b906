"""Moving the logs of one store to another, over pairs of stores in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.stores.kit import Clock, data_of, everything, items
from tidings.errors import Conflict, InvalidRequest, Unavailable
from tidings.events import Offset, Retention
from tidings.log.head import REMEMBERED
from tidings.log.journal import Journal
from tidings.log.port import KEYS, Seal, Store
from tidings.stores import move as module
from tidings.stores.memory import MemoryStore
from tidings.stores.move import Move
from tidings.stores.sqlite.store import SqliteStore

Pair = tuple[Journal, Journal]


@pytest.fixture(params=["memory to memory", "sqlite to postgres", "postgres to sqlite"])
async def pair(request: pytest.FixtureRequest, tmp_path: object, clock: Clock) -> AsyncIterator[Pair]:
    """A log over each of two stores."""

    def store(kind: str) -> Store:
        if kind == "postgres":
            from tidings.stores.postgres.store import PostgresStore

            return PostgresStore(request.getfixturevalue("postgres_url"), clock=clock, steady=clock)
        if kind == "sqlite":
            return SqliteStore(f"{tmp_path}/tidings.db", clock=clock, steady=clock)
        return MemoryStore(clock=clock, steady=clock)

    here, there = (Journal(store(kind), clock=clock) for kind in request.param.split(" to "))
    await here.open()
    await there.open()
    yield here, there
    await here.close()
    await there.close()


async def moved(pair: Pair) -> tuple[int, int]:
    done = await Move(pair[0].store, pair[1].store).run()
    return done.topics, done.events


async def test_everything_about_a_topic_is_moved(pair: Pair, clock: Clock) -> None:
    here, there = pair
    await here.append("a", items("1", "2"), key="k1", owner="Ann", labels={"x": True}, ttl=500.0)
    clock.now += 7
    for n in range(3, 9):
        await here.append("a", items(str(n)), key=f"k{n}")
    await here.configure("a", retention=Retention(max_events=6))
    await here.trim("a")
    await here.redact("a", Offset((await here.read("a", None)).tail.epoch, 6))
    await here.append("closed", items("last"), key="end", close=True)
    await here.configure("empty", ttl=9.0)
    await here.append("runs.1", items("going on"))
    await here.store.lease("runs.1", 6, renew=False)
    before = {topic: await here.describe(topic) for topic in await here.topics()}

    assert await moved(pair) == (4, 8)
    assert {topic: await there.describe(topic) for topic in await there.topics()} == before
    assert await everything(there, "a") == await everything(here, "a")
    assert [name for name, _ in await there.heads(labels=["x"])] == ["a"]
    assert await there.size("", "Ann") == await here.size("", "Ann") > 0
    assert (await there.append("a", items("1", "2"), key="k1")).duplicate
    assert (await there.append("closed", items("last"), key="end")).duplicate
    await there.configure("a", ttl=None)
    clock.now += KEYS - 7
    assert not (await there.append("a", items("9"), key="k1")).duplicate
    assert (await there.append("a", items("3"), key="k3")).duplicate
    assert await there.store.lapsed() == ["runs.1"]


async def test_the_source_refuses_changes_and_stays_readable(pair: Pair) -> None:
    here, there = pair
    await here.append("a", items("1"))
    await moved(pair)
    with pytest.raises(Unavailable, match="was moved to another one"):
        await here.append("a", items("2"))
    assert data_of(await here.read("a", None)) == ["1"]
    assert (await there.append("a", items("2"))).last.n == 2
    await there.delete("a")
    assert await moved(pair) == (0, 0), "a topic that was deleted after the move stays deleted"
    assert await there.topics() == []
    with pytest.raises(Conflict, match="was moved to another one itself"):
        await moved((there, here))


async def test_topics_that_change_until_the_seal_are_moved(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The source is sealed once a further round would take as long as the last one."""
    monkeypatch.setattr(module, "SHORT", -1.0)
    here, there = pair
    await here.append("a", items("1"))
    seal = here.store.seal

    async def late(state: Seal | None = None) -> Seal:
        if state == Seal.SEALED:
            await here.append("a", items("2"))
        return await seal(state)

    monkeypatch.setattr(here.store, "seal", late)
    told: list[str] = []
    done = await Move(here.store, there.store, told.append).run()
    assert (done.topics, done.events) == (1, 2)
    assert data_of(await there.read("a", None)) == ["1", "2"]
    assert sum(text.startswith("Looked at all topics") for text in told) >= 2


async def test_topics_that_change_meanwhile_are_copied_again(pair: Pair) -> None:
    """Each kind of change, between two rounds."""
    here, there = pair
    move = Move(here.store, there.store)
    for topic in ("more", "redacted", "often", "again", "gone", "labels"):
        for n in range(REMEMBERED + 8):
            tail = (await here.append(topic, items(str(n)), labels={"old": True})).last
    assert await move._round() == 6
    assert await move._round() == 0
    with pytest.raises(Unavailable, match="is being moved here"):
        await there.read("more", tail)
    with pytest.raises(Unavailable, match="is being moved here"):
        await there.append("more", items("too early"))
    with pytest.raises(Unavailable, match="is being moved here"):
        await there.delete("more")
    assert await there.topics() == []
    await there.append("own", items("1"))

    await here.append("more", items("more"))
    for n in (3, 5):
        await here.redact("redacted", Offset((await here.describe("redacted")).epoch, n))  # type: ignore[union-attr]
    for n in range(1, REMEMBERED + 4):
        await here.redact("often", Offset((await here.describe("often")).epoch, n))  # type: ignore[union-attr]
    await here.delete("again")
    await here.append("again", items("another life"))
    await here.delete("gone")
    await here.append("labels", items("other"), labels={"old": False, "new": True})
    assert await move._round() == 6
    assert await move._round() == 0
    assert (await move.run()).topics == 5
    for topic in ("more", "redacted", "often", "again", "labels"):
        assert await everything(there, topic) == await everything(here, topic)
    assert await there.topics() == ["again", "labels", "more", "often", "own", "redacted"]
    assert [name for name, _ in await there.heads(labels=["old"])] == ["more", "often", "redacted"]
    assert [name for name, _ in await there.heads(labels=["new"])] == ["labels"]


async def test_a_large_topic_is_moved_in_parts(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    monkeypatch.setattr(module, "EVENTS", 3)
    monkeypatch.setattr(module, "TOPICS", 2)
    for n in range(20):
        await here.append("a", items(*"xyz"[: 1 + n % 3]), key=str(n))
        await here.append(f"b{n % 5}", items(str(n)))
    assert await moved(pair) == (6, 59)
    assert await everything(there, "a") == await everything(here, "a")
    for n in range(20):
        assert (await there.append("a", items("x"), key=str(n))).duplicate


async def test_a_topic_in_both_stores_is_refused_and_the_source_goes_on(pair: Pair) -> None:
    here, there = pair
    await here.append("a", items("1"))
    await there.append("a", items("2"))
    with pytest.raises(Conflict, match="The topic a is in both stores"):
        await moved(pair)
    await here.append("a", items("3"))
    await there.delete("a")
    assert await moved(pair) == (1, 2)


async def test_a_move_that_fails_opens_the_source_again(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    await here.append("a", items("1"))
    update, fails = there.store.update, asyncio.Event()

    async def failing(*args: object) -> object:
        if fails.is_set():
            raise Unavailable("away")
        return await update(*args)  # type: ignore[arg-type]

    seal = here.store.seal

    async def one_more_before(state: Seal | None = None) -> Seal:
        if state is Seal.SEALED:
            await here.append("a", items("2"))
            fails.set()
        return await seal(state)

    monkeypatch.setattr(here.store, "seal", one_more_before)
    monkeypatch.setattr(there.store, "update", failing)
    with pytest.raises(Unavailable, match="away"):
        await moved(pair)
    await here.append("a", items("3"))
    fails.clear()
    monkeypatch.setattr(there.store, "update", update)
    monkeypatch.setattr(here.store, "seal", seal)
    assert await moved(pair) == (1, 2)
    assert data_of(await there.read("a", None)) == ["1", "2", "3"]


async def test_a_move_from_an_empty_store_or_to_itself_is_refused(clock: Clock) -> None:
    log = Journal(MemoryStore(clock=clock), clock=clock)
    with pytest.raises(InvalidRequest, match="holds no topics"):
        await moved((log, log))
    await log.append("a", items("1"))
    with pytest.raises(Conflict, match="in both stores"):
        await moved((log, log))


async def test_a_move_that_was_killed_while_it_opened_goes_on(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    for topic in "ab":
        await here.append(topic, items("1"))
    with monkeypatch.context() as patched:
        patched.setattr(Move, "_open", None)
        with pytest.raises(TypeError):
            await moved(pair)
    assert await here.store.seal() is Seal.MOVED
    assert await moved(pair) == (2, 0)
    assert await there.topics() == ["a", "b"]
