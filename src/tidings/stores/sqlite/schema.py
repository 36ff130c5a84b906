"""The tables of a SQLite store: made in a new file, migrated in a file of an earlier version, refused in any other."""

from __future__ import annotations

import sqlite3

from tidings.errors import InvalidRequest
from tidings.log.head import UNOWNED, decode_head, owned_by
from tidings.log.retention import due

APPLICATION = 0x54494447
"""SQLite's `application_id` of every file of ours: "TIDG"."""

FORMAT = 3
"""SQLite's `user_version` of a file that this version reads and writes."""

TABLES = """
CREATE TABLE state (commits INTEGER NOT NULL, logs INTEGER NOT NULL);
INSERT INTO state VALUES (0, 0);
CREATE TABLE topics (name TEXT PRIMARY KEY, log INTEGER NOT NULL, head BLOB NOT NULL, due REAL) WITHOUT ROWID;
CREATE INDEX topics_by_due ON topics (due) WHERE due IS NOT NULL;
CREATE TABLE records (log INTEGER NOT NULL, last INTEGER NOT NULL, base INTEGER NOT NULL, id BLOB NOT NULL,
                      blob BLOB NOT NULL, PRIMARY KEY (log, last));
CREATE TABLE keys (log INTEGER NOT NULL, key TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                   time REAL NOT NULL, PRIMARY KEY (log, key)) WITHOUT ROWID;
CREATE INDEX keys_by_time ON keys (time);
CREATE TABLE leases (topic TEXT PRIMARY KEY, taken REAL NOT NULL, deadline REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE dead (log INTEGER PRIMARY KEY);
CREATE TABLE labels (topic TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (topic, label)) WITHOUT ROWID;
CREATE INDEX labels_by_label ON labels (label, topic)"""
# state.commits numbers the transactions that changed a topic, over all processes: a process that has heard of all of
# them has missed nothing. state.logs numbers the lives of logs and never repeats, so that no log owns the rows of a
# dead one and they can go bit by bit. topics.due is the time at which `Journal.sweep` has to look at the topic.

MIGRATIONS = {
    1: """
ALTER TABLE topics ADD COLUMN due REAL;
UPDATE topics SET due = due(head);
CREATE INDEX topics_by_due ON topics (due) WHERE due IS NOT NULL;
ALTER TABLE leases RENAME TO old_leases;
CREATE TABLE leases (topic TEXT PRIMARY KEY, taken REAL NOT NULL, deadline REAL NOT NULL) WITHOUT ROWID;
INSERT INTO leases SELECT topic, 0, 0 FROM old_leases;
DROP TABLE old_leases""",
    2: f"""
CREATE TABLE labels (topic TEXT NOT NULL, label TEXT NOT NULL, PRIMARY KEY (topic, label)) WITHOUT ROWID;
INSERT INTO labels SELECT name, '{UNOWNED}' FROM topics;
INSERT OR IGNORE INTO labels SELECT name, owner(head) FROM topics;
CREATE INDEX labels_by_label ON labels (label, topic)""",
}
"""The statements that bring a file from each earlier format to the next. Format 1 measured leases by the time of day;
their holders are of an earlier version and gone, so these leases have lapsed. Format 2 had no labels: each topic gets
that of its owner, and UNOWNED besides, by which lists find what they must look at one by one."""

IDENTITY = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")


def check(connection: sqlite3.Connection, name: str) -> tuple[int, int]:
    """Raise InvalidRequest unless the file is empty, of this version, or of one that can be migrated.

    Returns its application and its format.
    """
    # The identity is several numbers, which another process may be writing at this moment: one transaction reads them.
    alone = not connection.in_transaction
    if alone:
        connection.execute("BEGIN")
    application, version, tables = [connection.execute(each).fetchone()[0] for each in IDENTITY]
    if alone:
        connection.execute("COMMIT")
    if application or version or tables:
        _check(application, version, name)
    return application, version


def prepare(connection: sqlite3.Connection, name: str) -> None:
    """Make or migrate the tables, in one transaction. Of several processes that open the file at once, one does it.

    Raises InvalidRequest as `check` does.
    """
    if check(connection, name) == (APPLICATION, FORMAT):
        return
    run = connection.execute
    run("BEGIN IMMEDIATE")
    try:
        application, version = check(connection, name)
        if application:
            migrate(connection, version)
        else:
            _run_all(connection, TABLES)
            run(f"PRAGMA application_id={APPLICATION}")
            run(f"PRAGMA user_version={FORMAT}")
        run("COMMIT")
    except BaseException:
        if connection.in_transaction:
            run("ROLLBACK")
        raise


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables from format `version` to FORMAT, within the transaction that is open."""
    connection.create_function("due", 1, lambda head: due(decode_head(head)), deterministic=True)
    connection.create_function("owner", 1, lambda head: owned_by(decode_head(head).owner), deterministic=True)
    for step in range(version, FORMAT):
        _run_all(connection, MIGRATIONS[step])
    connection.execute(f"PRAGMA user_version={FORMAT}")


def _check(application: int, version: int, name: str) -> None:
    if application != APPLICATION:
        raise InvalidRequest(f"{name} is a database of another application.")
    if version > FORMAT:
        raise InvalidRequest(
            f"{name} was made by a newer version of Tidings: its format is {version}, this version reads up to "
            f"{FORMAT}. Install the newer version, or restore a backup that an older version made."
        )
    if version < min(MIGRATIONS):
        raise InvalidRequest(f"{name} has a format, {version}, that no version of Tidings has written.")


def _run_all(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        connection.execute(statement)
