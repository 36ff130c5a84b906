"""The seal of a PostgreSQL store: triggers by which the engine itself refuses changes of every process."""

from __future__ import annotations

import asyncpg

from tidings.log.port import Seal

from .schema import LOCK

REFUSED = "TD001"
"""The SQLSTATE of a change that a seal refuses."""

TABLES = ("topics", "store")
"""The tables that every change of a topic writes, and the proof that the store can be written."""

FUNCTION = f"""
CREATE OR REPLACE FUNCTION tidings.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'sealed' USING ERRCODE = '{REFUSED}'; END $$"""


async def put(connection: asyncpg.Connection, seal: Seal) -> None:
    """Put a seal on the store, or take it off, once the changes under way are over."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        if seal is not Seal.OPEN:
            await connection.execute(FUNCTION)
        for table in TABLES:
            for each in (Seal.SEALED, Seal.MOVED):
                await connection.execute(f"DROP TRIGGER IF EXISTS {each.value} ON tidings.{table}")
            if seal is not Seal.OPEN:
                await connection.execute(
                    f"CREATE TRIGGER {seal.value} BEFORE INSERT OR UPDATE OR DELETE ON tidings.{table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION tidings.refuse()"
                )


async def look(connection: asyncpg.Connection) -> Seal:
    """Return the seal that is on the store."""
    name = await connection.fetchval(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'tidings.topics'::regclass AND NOT tgisinternal"
    )
    return Seal(name) if name else Seal.OPEN
