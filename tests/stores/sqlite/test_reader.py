"""The queries of a connection that reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tidings.log.head import Head, encode_head
from tidings.stores.sqlite.connection import connect
from tidings.stores.sqlite.reader import Reader


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(str(path), "normal")) as connection:
        yield connection


def lease(connection: sqlite3.Connection, topic: str, taken: float, seconds: float = 6.0) -> None:
    connection.execute("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", (topic, taken, taken + seconds))


def test_a_lease_lapses_at_its_deadline(connection: sqlite3.Connection) -> None:
    reader = Reader(connection)
    assert reader.lapsed(lambda: 0.0, 10) == ()
    lease(connection, "b", 102.0)
    lease(connection, "a", 100.0)
    for now, lapsed in ((102.0, []), (105.9, []), (106.0, ["a"]), (108.0, ["a", "b"])):
        assert reader.lapsed(lambda now=now: now, 10) == lapsed  # type: ignore[misc]
    assert reader.lapsed(lambda: 200.0, 1) == ["a"]


def test_a_lease_from_before_the_machine_was_started_has_lapsed(connection: sqlite3.Connection) -> None:
    """The clock of leases began anew when the machine did, so the old lease was taken in the future."""
    lease(connection, "old", 90_000.0)
    lease(connection, "new", 20.0)
    assert Reader(connection).lapsed(lambda: 21.0, 10) == ["old"]


def test_a_lease_that_is_taken_while_another_process_looks_has_not_lapsed(
    connection: sqlite3.Connection, path: Path
) -> None:
    """The reader's clock may be read before the other's commit, and must not make it a lease of the future."""
    lease(connection, "a", 50.0)

    def now() -> float:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            lease(other, "late", 100.0)
        return 50.0

    assert Reader(connection).lapsed(now, 10) == []
    assert not connection.in_transaction


def test_topics_are_pages_of_names_with_their_heads(connection: sqlite3.Connection) -> None:
    reader = Reader(connection)
    assert reader.topics("", "", 10) == ()
    for n, name in enumerate(("b", "a.2", "a.1", "a-x", "~", "B")):
        head = encode_head(Head(f"e{n}", tail=n))
        connection.execute("INSERT INTO topics VALUES (?, ?, ?, NULL)", (name, n, head))
    assert [name for name, _ in reader.topics("", "", 10)] == ["B", "a-x", "a.1", "a.2", "b", "~"]
    assert reader.topics("a.", "a.1", 10) == [("a.2", Head("e1", tail=1))]
    assert [name for name, _ in reader.topics("", "B", 2)] == ["a-x", "a.1"]


def test_a_list_by_labels_reads_no_other_topic(connection: sqlite3.Connection) -> None:
    head = encode_head(Head("e"))
    connection.execute("BEGIN")
    names = [f"t{n:05}" for n in range(20_000)]
    connection.executemany("INSERT INTO topics VALUES (?, 1, ?, NULL)", ((name, head) for name in names))
    labels = ((name, "mine" if n % 4_000 == 0 else f"other {n % 7}") for n, name in enumerate(names))
    connection.executemany("INSERT INTO labels VALUES (?, ?)", labels)
    connection.execute("COMMIT")
    reader = Reader(connection)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 1)
    assert [name for name, _ in reader.topics("t", "t04000", 2, ["none", "mine"])] == ["t08000", "t12000"]
    assert [name for name, _ in reader.topics("", "", 1, ["other 3"])] == ["t00003"]
    assert reader.labels("", "", 9) == ["mine", *(f"other {n}" for n in range(7))]
    assert reader.labels("other ", "other 4", 2) == ["other 5", "other 6"]
    connection.set_progress_handler(None, 0)
    assert steps < 1_500  # instructions of SQLite's machine: a walk over all topics takes 100,000
    assert not connection.in_transaction


def test_a_sweep_reads_what_is_due_and_no_other_topic(connection: sqlite3.Connection) -> None:
    """An idle sweep reads no row of 20,000 topics, half of which expire some day."""
    head = encode_head(Head("e"))
    rows = ((f"t{n}", n, head, 1000.0 + n if n % 2 else None) for n in range(20_000))
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO topics VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    reader = Reader(connection)
    assert list(reader.due(1000.0, 100)) == []
    assert len(statements) == 1
    assert [name for name, _ in reader.due(1003.0, 100)] == ["t1", "t3"]
    assert [name for name, _ in reader.due(1e9, 2)] == ["t1", "t3"]
    plan = str(connection.execute(f"EXPLAIN QUERY PLAN {statements[0]}").fetchall())
    assert "SEARCH topics USING INDEX topics_by_due" in plan
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 1)
    reader.due(1000.0, 100)
    connection.set_progress_handler(None, 0)
    assert steps < 50  # instructions of SQLite's machine: a walk over all topics takes 100,000
