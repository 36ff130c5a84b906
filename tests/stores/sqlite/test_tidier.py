"""Deleting and shrinking, which no caller waits for: in small steps, and at no cost while there is nothing to do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.stores.kit import Clock, put
from tidings.log.head import Change, Known
from tidings.log.port import KEYS
from tidings.log.records import Record
from tidings.stores.sqlite import tidier
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.file import DatabaseFile
from tidings.stores.sqlite.tidier import Tidier
from tidings.stores.sqlite.writer import Update, Writer

SECRET = b"the words that must go"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("PAUSE", "REST", "SCRUB"):
        monkeypatch.setattr(tidier, pause, 0.0)


@pytest.fixture
def writers(path: Path, clock: Clock) -> Iterator[list[Writer]]:
    """The writers that a test has opened, closed after it."""
    writers: list[Writer] = []
    yield writers
    for writer in writers:
        writer.close()


@pytest.fixture
def writer(writers: list[Writer], path: Path, clock: Clock) -> Writer:
    return open_writer(writers, path, clock)


def open_writer(writers: list[Writer], path: Path, clock: Clock) -> Writer:
    connection = connect(str(path), "full")
    connection.execute("SELECT * FROM state").fetchone()
    writers.append(Writer(connection, DatabaseFile(str(path)), clock=clock, steady=clock))
    return writers[-1]


def write(writer: Writer, topic: str, *plans: object) -> None:
    calls = [Update(topic, (), plan) for plan in plans]  # type: ignore[arg-type]
    while calls:
        del calls[: writer.write(calls).calls]


def delete(known: object) -> Change:
    return Change(None)


def count(writer: Writer, table: str) -> int:
    number: int = writer.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return number


def steps(tidy: Tidier, most: int = 1000) -> int:
    """Steps until there is nothing more to do."""
    for n in range(most):
        tidy.step()
        if not tidy._busy and not tidy._writer.untidy:
            return n
    raise AssertionError("there is no end of it")


@pytest.fixture
def statements(writer: Writer) -> list[str]:
    seen: list[str] = []
    writer.connection.set_trace_callback(seen.append)
    return seen


def test_the_rows_of_dead_logs_go_bit_by_bit(writer: Writer, clock: Clock) -> None:
    keys = [f"k{n}" for n in range(1200)]
    write(writer, "a", *[put(size=900_000) for _ in range(5)], *[put() for _ in range(1200)])
    write(writer, "a", put(keys=keys))
    write(writer, "b", put(keys=["stays"]))
    write(writer, "a", delete)
    tidy = Tidier(writer, clock)
    rows = [count(writer, "records") + count(writer, "keys")]
    while count(writer, "dead"):
        tidy.step()
        rows.append(count(writer, "records") + count(writer, "keys"))
    assert rows[0] == 1206 + 1 + 1201
    assert rows[1] == rows[0] - 2  # of large records, only about a megabyte
    assert all(before - after <= tidier.ROWS for before, after in pairwise(rows))
    assert rows[-1] == 2


def test_a_process_tidies_after_one_that_was_killed(
    writer: Writer, writers: list[Writer], path: Path, clock: Clock
) -> None:
    write(writer, "a", put(keys=["k"]))
    write(writer, "a", delete)
    writer.close()
    heir = open_writer(writers, path, clock)
    assert count(heir, "records") == 1
    steps(Tidier(heir, clock))
    assert [count(heir, table) for table in ("records", "keys", "dead")] == [0, 0, 0]


def test_keys_of_a_day_ago_are_deleted_in_bounded_batches(writer: Writer, clock: Clock) -> None:
    for n in range(8):
        write(writer, f"t{n}", put(keys=[f"k{m}" for m in range(1000)]))
    clock.now += KEYS - 1
    write(writer, "t0", put(keys=["new"]))
    tidy = Tidier(writer, clock)
    steps(tidy)
    assert count(writer, "keys") == 8001
    clock.now += 1
    assert steps(tidy) >= 8000 / tidier.ROWS
    assert writer.connection.execute("SELECT key FROM keys").fetchall() == [("new",)]


def test_an_idle_store_costs_three_queries_and_no_commit(writer: Writer, clock: Clock, statements: list[str]) -> None:
    with writer.transaction(0.0):
        writer.connection.executemany(
            "INSERT INTO topics VALUES (?, ?, x'91a165', NULL)", ((f"t{n}", n) for n in range(20_000))
        )
        writer.connection.executemany(
            "INSERT INTO keys VALUES (1, ?, 1, 1, ?)", ((f"k{n}", clock.now) for n in range(20_000))
        )
    tidy = Tidier(writer, clock)
    steps(tidy)
    statements.clear()
    tidy.step()
    assert not any(word in statement for statement in statements for word in ("BEGIN", "COMMIT", "DELETE"))
    assert len(statements) <= 4
    plans = [writer.connection.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in statements[:2]]
    assert "keys_by_time" in str(plans)
    assert "SCAN keys" not in str(plans)


def test_the_file_shrinks_when_logs_are_deleted(writer: Writer, path: Path, clock: Clock) -> None:
    for n in range(40):
        write(writer, f"t{n}", put(size=500_000))
    tidy = Tidier(writer, clock)
    steps(tidy)
    full = os.path.getsize(path)
    assert full > 20_000_000
    for n in range(40):
        write(writer, f"t{n}", delete)
    steps(tidy)
    assert os.path.getsize(path) < 6_000_000  # 1,000 pages are kept
    assert os.path.getsize(f"{path}-wal") == 0
    assert writer.connection.execute("PRAGMA quick_check").fetchone() == ("ok",)


@pytest.mark.parametrize("how", ["delete", "trim", "redact"])
@pytest.mark.parametrize("size", [5, 2_000])
def test_deleted_bytes_are_gone_from_every_file(writer: Writer, path: Path, clock: Clock, how: str, size: int) -> None:
    def secret(known: object) -> Change:
        change = put(size=1)(known)  # type: ignore[arg-type]
        [record] = change.records
        return change._replace(records=[record._replace(blob=SECRET * size)])

    def redact(known: Known) -> Change:
        assert known.head
        return Change(known.head, replaced=[Record(1, 2, b"id\0\0\0\1", b"redacted")])

    write(writer, "a", put(), secret, put())
    write(writer, "b", put(size=50_000))
    assert secret_is_in(path)
    write(writer, "a", {"delete": delete, "trim": put(start=2), "redact": redact}[how])
    steps(Tidier(writer, clock))
    assert secret_is_in(path) == []


def test_a_reader_that_is_in_the_way_is_waited_for(
    writer: Writer, path: Path, clock: Clock, statements: list[str]
) -> None:
    write(writer, "a", put())
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM topics").fetchall()
    write(writer, "a", delete)
    tidy = Tidier(writer, clock)
    for _ in range(20):
        tidy.step()
    assert writer.untidy
    reader.execute("COMMIT")
    reader.close()
    steps(tidy)
    assert os.path.getsize(f"{path}-wal") == 0


def secret_is_in(path: Path) -> Sequence[str]:
    """The files beside the database, itself included, that hold the secret."""
    return [file.name for file in path.parent.iterdir() if file.is_file() and SECRET in file.read_bytes()]
