"""The journal over a store: redaction, settings, sweeps. The promises over every engine are in tests/stores."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from msgspec import UNSET

from tests.stores.kit import Clock, everything, items, quiet
from tidings.errors import Conflict, InvalidRequest, NotFound, OutcomeUnknown, TooLarge, Unavailable
from tidings.events import ORIGIN, REDACTED, Offset, Retention
from tidings.log import names, uncertain
from tidings.log.head import REMEMBERED, UNOWNED, Change, Head, Known, owned_by
from tidings.log.journal import SWEPT, Journal
from tidings.log.port import Plan, Store
from tidings.log.rules import NEW
from tidings.stores.memory import MemoryStore
from tidings.stores.sqlite.store import SqliteStore


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock=clock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(store: MemoryStore, clock: Clock) -> Journal:
    return Journal(store, clock=clock)


async def test_a_journal_opens_and_closes_its_store(tmp_path: Path) -> None:
    journal = Journal(SqliteStore(tmp_path / "tidings.db"))
    await journal.open()
    await journal.append("a", items("1"))
    await journal.close()
    with pytest.raises(Unavailable):
        await journal.describe("a")


async def test_a_look_is_the_head_and_the_events_after_a_number(log: Journal) -> None:
    assert await log.look("a", 0, 10) == (None, ())
    for n in range(6):
        await log.append("a", items(str(n)))
    head, events = await log.look("a", 2, 3)
    assert head == await log.describe("a")
    assert [event.data for event in events] == ["2", "3", "4"]
    await log.configure("a", retention=Retention(max_events=2))
    await log.trim("a")
    head, events = await log.look("a", 2, 3)
    assert head is not None
    assert head.start > 2
    assert events == ()


async def test_an_append_without_events_closes_or_is_refused(log: Journal) -> None:
    with pytest.raises(InvalidRequest, match="nothing to append"):
        await log.append("a", [])
    assert await log.describe("a") is None
    await log.append("a", items("1"))
    await log.append("a", [], close=True)
    head = await log.describe("a")
    assert head is not None
    assert (head.closed, head.tail) == (True, 1)


async def test_a_closed_log_has_its_settings_changed(log: Journal) -> None:
    await log.append("a", items("1"), close=True)
    assert (await log.configure("a", ttl=60)).ttl == 60


async def test_an_event_that_was_stored_before_is_not_counted_again(log: Journal) -> None:
    for _ in range(3):
        await log.append("a", items("1", "2"), key="k")
        assert log.published == 2


async def test_closing_a_topic_closes_no_later_life_of_it(
    log: Journal, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.append("a", items("1"))
    load = store.load

    async def overtaken(topic: str) -> Head | None:
        head = await load(topic)
        monkeypatch.undo()
        await log.delete(topic)
        await log.append(topic, items("of another life"))
        return head

    monkeypatch.setattr(store, "load", overtaken)
    with pytest.raises(NotFound):
        await log.close_topic("a")
    head = await log.describe("a")
    assert head is not None
    assert not head.closed


async def test_trimming_no_topic_does_nothing(log: Journal) -> None:
    await log.trim("a")
    assert await log.describe("a") is None


async def test_the_last_events_before_the_tail(log: Journal) -> None:
    last = (await log.append("a", items("1", "2", "3"))).last
    for before in (None, last):
        page = await log.read_before("a", before, 2)
        assert [event.data for event in page.events] == ["2", "3"]


async def test_a_topic_is_trimmed_by_one_task_at_a_time(log: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    trimmed: list[str] = []
    go = asyncio.Event()

    async def trim(topic: str) -> None:
        trimmed.append(topic)
        await go.wait()

    monkeypatch.setattr(log, "trim", trim)
    for n in range(20):
        await log.append("a", items(str(n)), retention=Retention(max_events=2))
    assert trimmed == ["a"]
    go.set()
    await quiet(log)
    await log.append("a", items("x"))
    await quiet(log)
    assert trimmed == ["a", "a"]


# ---------------------------------------------------------------- redaction


async def test_a_redacted_event_keeps_its_place_and_loses_its_content(log: Journal, clock: Clock) -> None:
    done = await log.append("a", items("1", "secret", "3"), key="k")
    clock.now += 5
    offset = done.first._replace(n=2)
    for _ in range(2):
        await log.redact("a", offset)
    one, event, three = await everything(log, "a")
    assert (one.data, three.data) == ("1", "3")
    assert (event.offset, event.type, event.time, event.redacted) == (offset, REDACTED, clock.now - 5, True)
    assert event.json() == {"topic": "a", "offset": str(offset), "type": "message"}
    head = await log.describe("a")
    assert head is not None
    assert (head.redactions, head.redacted, head.tail, head.touched) == (1, ((2, "message"),), 3, clock.now - 5)
    again = await log.append("a", items("again"), key="k")
    assert (again.duplicate, again.first, again.last) == (True, done.first, done.last)
    assert b"secret" not in (await log.store.read("a", 0, 9))[1][0].blob


async def test_a_missing_event_is_not_redacted(log: Journal) -> None:
    with pytest.raises(NotFound):
        await log.redact("a", Offset("e", 1))
    for n in range(6):
        last = (await log.append("a", items(str(n)), retention=Retention(max_events=3))).last
    await log.trim("a")
    for offset in (last._replace(n=3), last._replace(n=7), last._replace(n=0), ORIGIN, Offset("other", 5)):
        with pytest.raises(NotFound, match="There is no event"):
            await log.redact("a", offset)
    await log.redact("a", last._replace(n=4))
    with pytest.raises(InvalidRequest):
        await log.redact("a b", last)


async def test_a_closed_log_and_an_earlier_life_are_redacted(log: Journal) -> None:
    old = (await log.append("a", items("1", "2"), close=True)).last

    def restore(known: Known) -> Change:
        assert known.head
        return Change(known.head.restored())

    await log.store.update("a", (), restore)
    await log.redact("a", old)
    assert [event.redacted for event in await everything(log, "a")] == [False, True]
    with pytest.raises(NotFound):
        await log.redact("a", old._replace(n=3))


async def test_many_events_are_redacted_in_few_commits(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Journal(store)
    for n in range(0, 100, 4):
        first = (await log.append("a", items(*map(str, range(n, n + 4))), retention=Retention(max_events=90))).first
    await log.trim("a")
    updates: list[str] = []
    update = store.update
    monkeypatch.setattr(store, "update", lambda topic, *args: updates.append(topic) or update(topic, *args))
    numbers = [*range(1, 100, 2), 100, 101]
    for _ in range(2):
        await log.redact_all("a", first.epoch, numbers)
    assert len(updates) == 2, "32 events in one commit, and nothing is redacted twice"
    left = await everything(log, "a")
    assert [event.offset.n for event in left if event.offset and event.redacted] == [n for n in numbers if 12 < n < 101]
    head = await log.describe("a")
    assert head is not None
    assert head.redactions == sum(event.redacted for event in left)
    assert head.size == sum(len(record.blob) for record in (await store.read("a", 0, 100))[1])
    assert await log.redacted("a", head, head.redactions - 3) == ((97, "message"), (99, "message"), (100, "message"))


async def test_redactions_of_one_record_by_two_processes_do_not_undo_each_other(store: MemoryStore) -> None:
    """Each reads the record, takes one event out and writes it back: the later one must see the earlier one."""
    journals = [Journal(store), Journal(store)]
    first = (await journals[0].append("a", items(*map(str, range(40))))).first
    await asyncio.gather(*(journals[n % 2].redact("a", first._replace(n=n)) for n in range(1, 41)))
    assert all(event.redacted for event in await everything(journals[0], "a"))
    head = await store.load("a")
    assert head is not None
    assert head.redactions == 40
    assert head.size == sum(len(record.blob) for record in (await store.read("a", 0, 100))[1])


async def test_a_redaction_and_a_trim_at_once_leave_the_right_size(store: MemoryStore) -> None:
    for seed in range(20):
        log, other = Journal(store), Journal(store)
        for n in range(8):
            last = (await log.append("a", items("x" * 50), retention=Retention(max_events=n + 1))).last
        await log.configure("a", retention=Retention(max_events=4))
        await asyncio.gather(
            *(other.redact("a", last._replace(n=5 + n)) for n in range(seed % 4)), log.trim("a"), quiet(other)
        )
        head = await store.load("a")
        assert head is not None
        assert head.size == sum(len(record.blob) for record in (await store.read("a", 0, 100))[1])
        await log.delete("a")


async def test_the_missed_redactions_are_named(log: Journal) -> None:
    first = (await log.append("a", [(f"t{n}", "x") for n in range(1, 51)])).first
    for n in range(1, 51):
        await log.redact("a", first._replace(n=n))
    head = await log.describe("a")
    assert head is not None
    assert await log.redacted("a", head, 50) == ()
    assert await log.redacted("a", head, 48) == ((49, "t49"), (50, "t50"))
    assert len(await log.redacted("a", head, 50 - REMEMBERED)) == REMEMBERED
    everyone = [(n, f"t{n}") for n in range(1, 51)]
    assert await log.redacted("a", head, 50 - REMEMBERED - 1) == everyone


@pytest.mark.parametrize("stored", [True, False])
async def test_a_redaction_of_unknown_outcome_is_found_out(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    monkeypatch.setattr(uncertain, "PAUSE", 0.0)
    offset = (await Journal(store).append("a", items("secret"))).last

    class Dies:
        died = False

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

        async def update(self, topic: str, keys: list[str], plan: Plan) -> Known:
            if self.died:
                return await store.update(topic, keys, plan)
            self.died = True
            if stored:
                await store.update(topic, keys, plan)
                await Journal(store).append(topic, items("meanwhile"))
            else:
                plan(Known(await store.load(topic)))
            raise OutcomeUnknown("died")

    await Journal(Dies()).redact("a", offset)  # type: ignore[arg-type]
    head = await store.load("a")
    assert head is not None
    assert head.redactions == 1
    assert (await everything(Journal(store), "a"))[0].redacted


# ---------------------------------------------------------------- settings, sizes and sweeps


async def test_the_default_is_for_logs_that_begin(store: Store, clock: Clock) -> None:
    own = Retention(max_events=100_000)
    await Journal(store, clock=clock).configure("audit", retention=own)
    log = Journal(store, retention=Retention(max_events=20), clock=clock)
    for _ in range(60):
        await log.append("audit", items("x"))
        await log.append("plain", items("x"))
    await quiet(log)
    kept = {name: (head.retention, head.tail - head.start) for name, head in await store.topics()}
    assert kept == {"audit": (own, 60), "plain": (Retention(max_events=20), kept["plain"][1])}
    assert kept["plain"][1] < 23
    head = await log.configure("audit", ttl=60)
    assert (head.retention, head.ttl) == (own, 60)
    head = await log.configure("audit", retention=Retention(max_age=5.0))
    assert (head.retention, head.ttl) == (Retention(max_age=5.0), 60)
    assert (await log.configure("audit", retention=None, ttl=None)).retention == Retention()
    assert (await log.configure("new", ttl=UNSET)).retention == Retention(max_events=20)


async def test_an_append_is_bounded_in_events(log: Journal) -> None:
    with pytest.raises(TooLarge, match="10,000 events"):
        await log.append("a", items(*["x"] * (names.MAX_EVENTS + 1)))
    assert await log.describe("a") is None


async def test_a_page_costs_a_page(log: Journal, store: MemoryStore) -> None:
    """A page of 10 events out of a batch of 10,000 reads the record or the two that hold them, not all ten."""
    first = (await log.append("a", [("message", '{"data":1}')] * names.MAX_EVENTS)).first
    touched: list[int] = []
    read = store.read

    async def reading(topic: str, after: int, limit: int) -> object:
        head, records = await read(topic, after, limit)
        touched.extend(record.last - record.base for record in records)
        return head, records

    store.read = reading  # type: ignore[method-assign, assignment]
    for n in (0, 5, 995, 9_985):
        touched.clear()
        page = await log.read("a", first._replace(n=n), 10)
        assert [event.offset.n for event in page.events if event.offset] == list(range(n + 1, n + 11))
        assert touched in ([1000], [1000, 1000])


async def test_a_sweep_costs_what_is_due(log: Journal, store: MemoryStore, clock: Clock) -> None:
    """The sweep reads no topic that needs nothing, and does everything that is due in one sweep."""
    for n in range(300):
        await log.append(f"quiet{n}", items("x"), retention=Retention(max_events=9), ttl=1000)
    for n in range(SWEPT + 50):
        await log.append(f"expires{n:03}", items("x"), ttl=60)
        await log.append(f"old{n:03}", items("x"), retention=Retention(max_age=60))
        await log.append(f"old{n:03}", items("y"))
    looked: list[str] = []
    read = store.read

    async def reading(topic: str, after: int, limit: int) -> object:
        looked.append(topic)
        return await read(topic, after, limit)

    store.read = reading  # type: ignore[method-assign, assignment]
    await log.sweep()
    assert looked == []
    clock.now += 60
    await log.sweep()
    assert len(set(looked)) == SWEPT + 50
    assert [name for name in await log.topics(limit=1000) if name.startswith("expires")] == []
    looked.clear()
    await log.sweep()
    assert looked == []
    assert len((await read("old000", 0, 9))[1]) == 1


async def test_idempotency_keys_are_forgotten_after_a_day(log: Journal, store: MemoryStore, clock: Clock) -> None:
    for n in range(100):
        await log.append("a", items("x"), key=f"k{n}")
    clock.now += 24 * 3600.0 - 1
    await log.sweep()
    assert (await log.append("a", items("x"), key="k7")).duplicate
    clock.now += 1
    await log.sweep()
    assert store._logs["a"].keys == {}
    assert not store._keys
    assert not (await log.append("a", items("x"), key="k7")).duplicate


async def test_a_change_of_one_life_leaves_another_alone(log: Journal) -> None:
    first = (await log.append("a", items("x"))).last.epoch
    await log.delete("a", expected=first)
    await log.delete("a", expected=first)
    second = (await log.append("a", items("y"))).last.epoch
    for change in (log.delete, log.close_topic):
        with pytest.raises(Conflict, match="created again"):
            await change("a", expected=first)
    head = await log.describe("a")
    assert head
    assert (head.epoch, head.closed) == (second, False)
    assert (await log.close_topic("a", expected=second)).closed
    await log.delete("a", expected=second)
    assert await log.describe("a") is None


async def test_logs_are_found_by_their_owners_and_labels(log: Journal) -> None:
    await log.append("files.a", items("x" * 100), owner="Ann", labels={"mine": True})
    await log.append("files.b", items("x" * 50), owner="Ann")
    await log.configure("files.c", owner="Bob")
    await log.append("other", items("x"), owner="Ann")
    await log.append("nobody", items("x"), key="k", labels={"mine": True})

    async def found(*labels: str) -> list[str]:
        return [name for name, _ in await log.heads(labels=labels)]

    assert await found("mine") == ["files.a", "nobody"]
    assert await found(owned_by("Ann")) == ["files.a", "files.b", "other"]
    assert await found(UNOWNED) == ["nobody"]
    heads = dict(await log.heads())
    assert await log.size("files.", "Ann") == heads["files.a"].size + heads["files.b"].size > 150
    assert await log.size("files.", "Bob") == await log.size("files.", "Eve") == 0
    assert (await log.append("nobody", items("x"), key="k", labels={"mine": False})).duplicate
    with pytest.raises(Conflict):
        await log.append("files.b", items("x"), expected=NEW, labels={"mine": True})
    assert await found("mine") == ["files.a", "nobody"], "what was not appended changes no label"
    await log.append("files.a", items("y"), labels={"mine": False})
    assert await found("mine") == ["nobody"]
