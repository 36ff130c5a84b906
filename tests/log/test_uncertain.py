"""A connection to the store that dies during a change: the change is stored once, or its outcome is unknown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from tests.stores.kit import Flaky, everything, items
from tidings.errors import OutcomeUnknown
from tidings.events import Retention
from tidings.log import uncertain
from tidings.log.head import Known
from tidings.log.journal import Journal
from tidings.log.port import Plan, Store
from tidings.stores.memory import MemoryStore


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertain, "PAUSE", 0.0)


class DiesOnce:
    """A store whose connection dies once, at the end of an update; `then` happens before anybody looks."""

    def __init__(self, store: Store, then: Callable[[Journal], Awaitable[None]], *, at: int = 1) -> None:
        self._store, self._then, self._left = store, then, at

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def update(self, topic: str, keys: Sequence[str], plan: Plan) -> object:
        known = await self._store.update(topic, keys, plan)
        self._left -= 1
        if self._left == 0:
            await self._then(Journal(self._store))
            raise OutcomeUnknown("died")
        return known


class LosesOnce:
    """A store whose connection dies before an update has reached it; `then` happens before anybody looks.

    `between` happens once more, between looking at the head and reading the records.
    """

    def __init__(
        self,
        store: Store,
        then: Callable[[Journal], Awaitable[None]],
        between: Callable[[Journal], Awaitable[None]] | None = None,
        *,
        at: int = 1,
    ) -> None:
        self._store, self._then, self._between, self._left = store, then, between, at

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def update(self, topic: str, keys: Sequence[str], plan: Plan) -> object:
        self._left -= 1
        if self._left:
            return await self._store.update(topic, keys, plan)
        plan(Known(await self._store.load(topic), {}))
        await self._then(Journal(self._store))
        raise OutcomeUnknown("died")

    async def read(self, topic: str, after: int, limit: int) -> object:
        if between := self._between:
            self._between = None
            await between(Journal(self._store))
        return await self._store.read(topic, after, limit)


async def nothing(log: Journal) -> None:
    return


async def more(log: Journal) -> None:
    for n in range(3):
        await log.append("a", items(f"more{n}"))


async def more_and_a_trim(log: Journal) -> None:
    for n in range(30):
        await log.append("a", items(f"more{n}"))
    await log.trim("a")


async def test_a_change_that_was_stored_is_not_stored_again() -> None:
    store = MemoryStore()
    done = await Journal(DiesOnce(store, nothing)).append("a", items("lost"))
    assert [(event.data, event.offset) for event in await everything(Journal(store), "a")] == [("lost", done.last)]


async def test_a_change_that_was_stored_is_found_below_later_ones() -> None:
    store = MemoryStore()
    log = Journal(DiesOnce(store, more, at=2))
    await log.append("a", items("first"))
    done = await log.append("a", items("lost"))
    found = await everything(Journal(store), "a")
    assert [event.data for event in found] == ["first", "lost", "more0", "more1", "more2"]
    assert found[1].offset == done.last


async def test_a_change_that_may_be_trimmed_already_is_not_stored_again() -> None:
    """The record is gone from the log, so a second append would double an event that readers have seen."""
    store = MemoryStore()
    log = Journal(DiesOnce(store, more_and_a_trim, at=2))
    await log.append("a", items("first"), retention=Retention(max_events=2))
    with pytest.raises(OutcomeUnknown, match="stored once, or not at all"):
        await log.append("a", items("lost"))
    head = await store.load("a")
    assert head is not None
    assert head.start > 2
    assert head.tail == 32


async def test_a_change_that_may_be_deleted_already_is_not_stored_again() -> None:
    async def delete(log: Journal) -> None:
        await log.delete("a")

    store = MemoryStore()
    log = Journal(DiesOnce(store, delete, at=2))
    await log.append("a", items("first"))
    with pytest.raises(OutcomeUnknown):
        await log.append("a", items("lost"))
    assert await store.load("a") is None


async def test_the_change_that_would_have_begun_a_log_is_repeated_when_there_is_none() -> None:
    async def delete(log: Journal) -> None:
        await log.delete("a")

    store = MemoryStore()
    await Journal(DiesOnce(store, delete)).append("a", items("lost"))
    assert [event.data for event in await everything(Journal(store), "a")] == ["lost"]


@pytest.mark.parametrize("how", ["before", "late"])
async def test_a_change_that_was_not_stored_is_repeated_and_stored_once(how: str) -> None:
    store = MemoryStore()
    flaky = Flaky(store, how)
    log = Journal(flaky)
    for n in range(9):
        await log.append("a", items(str(n)))
    assert flaky.died
    assert [event.data for event in await everything(Journal(store), "a")] == [str(n) for n in range(9)]


async def test_a_change_that_was_not_stored_is_repeated_above_later_ones() -> None:
    store = MemoryStore()
    log = Journal(LosesOnce(store, more, at=2))
    await log.append("a", items("first"))
    done = await log.append("a", items("lost"))
    found = await everything(Journal(store), "a")
    assert [event.data for event in found] == ["first", "more0", "more1", "more2", "lost"]
    assert found[4].offset == done.last


async def test_a_log_that_is_deleted_while_its_records_are_read_leaves_the_outcome_unknown() -> None:
    async def delete(log: Journal) -> None:
        await log.delete("a")

    store = MemoryStore()
    log = Journal(LosesOnce(store, more, delete, at=2))
    await log.append("a", items("first"))
    with pytest.raises(OutcomeUnknown):
        await log.append("a", items("lost"))
    assert await store.load("a") is None


async def test_an_append_that_changes_nothing_is_answered_as_ever() -> None:
    """The change that died was to store nothing: the key was seen before."""
    log = Journal(DiesOnce(MemoryStore(), nothing, at=2))
    first = await log.append("a", items("1"), key="k")
    again = await log.append("a", items("1"), key="k")
    assert (again.duplicate, again.last) == (True, first.last)


async def test_deleting_is_repeated_without_harm() -> None:
    store = MemoryStore()
    await Journal(store).append("a", items("first"))
    await Journal(DiesOnce(store, nothing)).delete("a")
    assert await store.load("a") is None


async def test_a_store_that_stays_away_leaves_the_outcome_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertain, "PATIENCE", 0.0)
    with pytest.raises(OutcomeUnknown):
        await Journal(Flaky(MemoryStore(), "away")).append("a", items("lost"))
