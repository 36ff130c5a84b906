"""Connections to PostgreSQL: a pool of bounded size, and the meaning of the engine's errors.

No error text and no log line holds what the engine or the driver says, for that may name users, hosts and files.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias, TypeVar

import asyncpg

from tidings.errors import InvalidRequest, TidingsError, Unavailable

from .address import Address
from .eras import Stale

Connection: TypeAlias = "asyncpg.Connection"

CONNECTING = 5.0
"""Seconds within which a connection must be made."""

ANSWERING = 15.0
"""Seconds within which the engine must answer a statement."""

AWAY = "The database cannot be reached."

FAILURES = {
    "25006": "The database cannot be written: it is read-only, as a standby is.",
    "28": "The database refuses the user or the password of the store's URL.",
    "3D": "The database that the store's URL names does not exist.",
    "42501": "The database's user lacks a privilege that the store needs.",
    "42P01": "The database has lost the store's tables.",
    "53100": "The database cannot be used: its disk is full.",
    "53300": "The database has no connection left for this process.",
    "53": "The database is out of resources.",
    "57P03": "The database is starting or stopping.",
    "XX": "The database is damaged.",
}
"""Sentences by SQLSTATE, or by the class of it that its first two characters name."""

DRIVER_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The errors of the engine, of the driver, and of the network between them."""

CONFLICTS = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATEs of a statement that was undone because of another one, and may be tried again."""

logger: logging.Logger = logging.getLogger("tidings")
T = TypeVar("T")


def state_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error; empty if the engine did not raise it."""
    return (isinstance(error, asyncpg.PostgresError) and error.sqlstate) or ""


def meaning(error: BaseException) -> TidingsError:
    """Return the error for users that says what is wrong with the engine."""
    if isinstance(error, TidingsError):
        return error
    if isinstance(error, ValueError):
        return InvalidRequest("The URL of the store cannot be used: look at its port and its ssl options.")
    state = state_of(error)
    if isinstance(error, asyncpg.exceptions.TargetServerAttributeNotMatched):
        state = "25006"
    sentence = FAILURES.get(state) or FAILURES.get(state[:2])
    if sentence is None and state[:2] not in ("", "08", "57"):
        sentence = f"The database refused a statement (SQLSTATE {state})."
    return Unavailable(sentence or AWAY)


def was_refused(error: BaseException) -> bool:
    """Tell whether the engine has refused a statement, so that nothing of it was written.

    False: the connection died, or was ended by the engine, before the answer.
    """
    state = state_of(error)
    return state == "57014" or state[:2] not in ("", "08", "57")


def was_lost(error: BaseException) -> bool:
    """Tell whether an error is about the connection, so that another connection may do what this one could not."""
    return isinstance(error, DRIVER_ERRORS) and state_of(error)[:2] in ("", "08", "57")


async def connect(url: str) -> Connection:
    """Open a connection to the primary. Raises InvalidRequest or Unavailable."""
    try:
        return await asyncpg.connect(
            url,
            timeout=CONNECTING,
            command_timeout=ANSWERING,
            target_session_attrs="read-write",
            server_settings={"application_name": "tidings"},
        )
    except (*DRIVER_ERRORS, ValueError) as error:
        raise meaning(error) from None


class Connections:
    """The pool. `greet` is called with each new connection; while it raises, the engine counts as away.

    The log has one line when the engine goes away, and one when it is back.
    """

    def __init__(self, address: Address, greet: Callable[[Connection], Awaitable[None]]) -> None:
        self._address = address
        self._greet = greet
        self._idle: list[Connection] = []
        self._free = asyncio.Semaphore(address.pool)
        self._open: set[Connection] = set()
        self._generation = 0
        self._trouble = ""

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """A connection for this block alone. Raises Unavailable if the engine is away.

        A connection on which anything fails but a statement is closed.
        """
        async with self._free:
            connection = await self._take()
            generation = self._generation
            try:
                yield connection
            except BaseException as error:
                if was_lost(error):
                    self.renew()  # the others that are idle died with it, as a rule
                elif not isinstance(error, asyncpg.PostgresError | TidingsError | Stale):
                    self._drop(connection)
                raise
            finally:
                if connection.is_closed() or generation != self._generation:
                    self._drop(connection)
                elif connection in self._open:
                    self._idle.append(connection)

    async def once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something once. Raises Unavailable; then it is done, or not."""
        try:
            async with self.use() as connection:
                return await work(connection)
        except DRIVER_ERRORS as error:
            raise meaning(error) from None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do what does no harm if it is done twice; on another connection if the first one is lost, or is stale.

        Raises Unavailable.
        """
        for last in (False, True):
            try:
                async with self.use() as connection:
                    return await work(connection)
            except Stale:
                self.renew()
                if last:
                    raise Unavailable(AWAY) from None
            except DRIVER_ERRORS as error:
                if last or not was_lost(error):
                    raise meaning(error) from None
        raise AssertionError

    def renew(self) -> None:
        """Make every connection anew: each that is idle now, and the others after their use."""
        self._generation += 1
        for connection in tuple(self._idle):
            self._drop(connection)

    async def close(self) -> None:
        """Close the connections that are idle, and end the others."""
        idle, self._idle = self._idle, []
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1.0):
                await asyncio.gather(*(connection.close() for connection in idle))
        for connection in tuple(self._open):
            self._drop(connection)

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._drop(connection)
        try:
            connection = await self._connect()
        except TidingsError as error:
            self._say(str(error))
            raise
        self._say("")
        return connection

    async def _connect(self) -> Connection:
        connection = await connect(self._address.url)
        try:
            await self._greet(connection)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, Exception):
                raise (Unavailable(AWAY) if isinstance(error, Stale) else meaning(error)) from None
            raise
        self._open.add(connection)
        return connection

    def _drop(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        self._open.discard(connection)
        if not connection.is_closed():
            connection.terminate()

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            logger.error("%s It is waited for.", trouble)
        elif self._trouble and not trouble:
            logger.warning("The database can be reached again.")
        self._trouble = trouble
