"""The tables of a PostgreSQL store: made in a new database, migrated from an earlier version, refused in any other."""

from __future__ import annotations

import logging

import asyncpg

from tidings.errors import InvalidRequest

FORMAT = 1
"""The number in `tidings.store` of tables that this version reads and writes."""

OLDEST = 14
"""The oldest version of PostgreSQL that is used."""

ENCODING = "UTF8"

LOCK = 0x7469_6469_6E67
"""The advisory lock of those who make or change tables, or begin an era."""

TABLES = """
CREATE TABLE tidings.store (format int NOT NULL, probed float8);
CREATE TABLE tidings.eras (era int PRIMARY KEY, id text NOT NULL, source text NOT NULL);
CREATE SEQUENCE tidings.logs;
CREATE TABLE tidings.topics (
    name text COLLATE "C" PRIMARY KEY, log bigint NOT NULL, changed bigint NOT NULL, altered bigint NOT NULL,
    era int NOT NULL, head bytea NOT NULL, due float8);
CREATE INDEX topics_by_due ON tidings.topics (due) WHERE due IS NOT NULL;
CREATE INDEX topics_by_change ON tidings.topics (era, changed);
CREATE TABLE tidings.records (
    log bigint NOT NULL, last bigint NOT NULL, base bigint NOT NULL, id bytea NOT NULL, blob bytea NOT NULL,
    PRIMARY KEY (log, last));
CREATE TABLE tidings.keys (
    log bigint NOT NULL, key bytea NOT NULL, first bigint NOT NULL, last bigint NOT NULL, time float8 NOT NULL,
    PRIMARY KEY (log, key));
CREATE INDEX keys_by_time ON tidings.keys (time);
CREATE TABLE tidings.leases (topic text COLLATE "C" PRIMARY KEY, deadline float8 NOT NULL);
CREATE INDEX leases_by_deadline ON tidings.leases (deadline);
CREATE TABLE tidings.dead (
    log bigint PRIMARY KEY, topic text COLLATE "C" NOT NULL, changed bigint NOT NULL, time float8 NOT NULL,
    emptied bool NOT NULL DEFAULT false);
CREATE INDEX dead_by_change ON tidings.dead (changed);
CREATE TABLE tidings.labels (topic text COLLATE "C" NOT NULL, label bytea NOT NULL, PRIMARY KEY (topic, label));
CREATE INDEX labels_by_label ON tidings.labels (label, topic);
ALTER TABLE tidings.topics SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0);
ALTER TABLE tidings.records SET (
    autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 1000,
    toast.autovacuum_vacuum_cost_delay = 0);
ALTER TABLE tidings.leases SET (
    fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0)
"""
# topics.changed is the id of the transaction that wrote the row last, so it never repeats within an era: an update
# compares it. topics.altered: of the last one that did more than append. topics.era: the era in which the row was
# written, see eras.py. `logs` numbers the lives of logs and never repeats, so that no log owns the rows of a dead one
# and they can go bit by bit. topics.due: the time at which `Journal.sweep` has to look at the topic. Keys and labels
# may hold any character, NUL too, which PostgreSQL's text may not: they are bytes.

MIGRATIONS: dict[int, str] = {}
"""The statements that lead from each earlier format to the next."""

WEAK = {
    "fsync": ("off", "a crash of its machine can damage the database, and lose anything"),
    "full_page_writes": ("off", "a crash of its machine can damage the database"),
    "synchronous_commit": ("off", "a crash of the engine can lose the last second of what was acknowledged"),
}
"""Settings of the engine that break a promise, each with the value that does so, and what happens then."""

logger: logging.Logger = logging.getLogger("tidings")


async def prepare(connection: asyncpg.Connection) -> None:
    """Make or migrate the tables, in one transaction. Of several processes at once, one does it.

    Raises InvalidRequest if the schema `tidings` of the database is not a store that this version can use, or if the
    engine or the encoding of the database cannot hold a store.
    """
    if await _format(connection) == FORMAT:
        return
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        found = await _format(connection)
        if found is None:
            await _check(connection)
            if not await connection.fetchval("SELECT to_regnamespace('tidings') IS NOT NULL"):
                await connection.execute("CREATE SCHEMA tidings")
            await connection.execute(TABLES)
            await connection.execute("INSERT INTO tidings.store VALUES ($1)", FORMAT)
            return
        for step in range(found, FORMAT):
            await connection.execute(MIGRATIONS[step])
        await connection.execute("UPDATE tidings.store SET format = $1", FORMAT)


async def _check(connection: asyncpg.Connection) -> None:
    """Refuse a database that cannot hold a store. Raises InvalidRequest."""
    if (version := connection.get_server_version().major) < OLDEST:
        raise InvalidRequest(f"The database is in PostgreSQL {version}. Tidings needs PostgreSQL {OLDEST} or newer.")
    if (encoding := await connection.fetchval("SELECT current_setting('server_encoding')")) != ENCODING:
        raise InvalidRequest(
            f"The database's encoding is {encoding}, and names of topics need {ENCODING}. Make another database: "
            f"createdb --encoding={ENCODING} --template=template0 NAME"
        )


async def _format(connection: asyncpg.Connection) -> int | None:
    """Return the format of the tables; None where there are none. Raises InvalidRequest for tables of others."""
    store, others = await connection.fetchrow(
        """SELECT to_regclass('tidings.store') IS NOT NULL,
                  EXISTS (SELECT FROM pg_class WHERE relnamespace = to_regnamespace('tidings'))"""
    )
    if not store:
        if others:
            raise InvalidRequest("The schema `tidings` of the database belongs to another application.")
        return None
    found = await connection.fetchval("SELECT format FROM tidings.store")
    if not isinstance(found, int) or found > FORMAT:
        raise InvalidRequest(
            f"The database was made by a newer version of Tidings: its format is {found}, this version reads up to "
            f"{FORMAT}. Install the newer version, or restore a backup that an older version made."
        )
    if found != FORMAT and found not in MIGRATIONS:
        raise InvalidRequest(f"The database has a format, {found}, that no version of Tidings has written.")
    return found


async def warn_of_settings(connection: asyncpg.Connection) -> None:
    """Log a line for each setting of the engine with which it does not keep what it acknowledges."""
    for name, (value, consequence) in WEAK.items():
        if await connection.fetchval("SELECT current_setting($1)", name) == value:
            logger.warning("The database has %s=%s: %s.", name, value, consequence)
