"""Connections to PostgreSQL: a pool of bounded size, and the meaning of the engine's errors.

No error text and no log line holds what the engine or the driver says, for that may name users, hosts and files.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias, TypeVar

import asyncpg

from tidings.errors import InvalidRequest, TidingsError, Unavailable
from tidings.log.port import SEALED

from .address import Address, unreadable
from .eras import Stale
from .seals import REFUSED

Connection: TypeAlias = "asyncpg.Connection"

CONNECTING = 5.0
"""Seconds within which a connection must be made."""

ANSWERING = 15.0
"""Seconds within which the engine must answer a statement."""

PREPARED = 100
"""Prepared statements that a connection keeps."""

AWAY = "The database cannot be reached."

REFUSALS = {
    "28": "The database does not know the URL's user, or its pg_hba.conf refuses the connection: see sslmode.",
    "28P01": "The database refuses the user or the password of the store's URL.",
    "3D": "The database that the store's URL names does not exist.",
    "42501": "The database's user lacks a privilege: it must own the database, or its schema `tidings`.",
}
"""Sentences by SQLSTATE, or by the class of it that its first two characters name: what waiting does not change."""

FAILURES = {
    "25006": "The database cannot be written: it is read-only, as a standby is.",
    "42P01": "The database has lost the store's tables.",
    "53100": "The database cannot be used: its disk is full.",
    "53300": "The database has no connection left for this process.",
    "53": "The database is out of resources.",
    "57P03": "The database is starting or stopping.",
    REFUSED: SEALED,
    "XX": "The database is damaged.",
}
"""The same for all else that may pass."""

CERTIFICATE = "The database's certificate is none that the URL's sslmode and sslrootcert accept."

PLAIN = "The database takes no connection with TLS, which the URL's sslmode asks for."

DRIVER_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The errors of the engine, of the driver, and of the network between them."""

CONFLICTS = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATEs of a statement that was undone because of another one, and may be tried again."""

logger: logging.Logger = logging.getLogger("tidings")
T = TypeVar("T")


class Refused(Unavailable):
    """The engine answers and lets this process in no more: somebody must change the engine or the URL."""


def state_of(error: BaseException) -> str:
    """Return the SQLSTATE of an error; empty if the engine did not raise it."""
    return (isinstance(error, asyncpg.PostgresError) and error.sqlstate) or ""


def meaning(error: BaseException) -> TidingsError:
    """Return the error for users that says what is wrong with the engine."""
    if isinstance(error, TidingsError):
        return error
    if isinstance(error, ssl.SSLError):
        return Refused(CERTIFICATE)
    if isinstance(error, ConnectionError) and "rejected SSL" in str(error):  # the driver has no class for it
        return Refused(PLAIN)
    if isinstance(error, ValueError):
        return InvalidRequest("The URL of the store cannot be used: look at its port and its ssl options.")
    state = state_of(error)
    if isinstance(error, asyncpg.exceptions.TargetServerAttributeNotMatched):
        state = "25006"
    if refusal := REFUSALS.get(state) or REFUSALS.get(state[:2]):
        return Refused(refusal)
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


async def connect(url: str, *, pooled: bool = False) -> Connection:
    """Open a connection to the primary. Raises InvalidRequest or Unavailable.

    `pooled`: by way of a pooler that gives each transaction another session, in which no prepared statement is kept.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=CONNECTING,
            command_timeout=ANSWERING,
            target_session_attrs="read-write",
            server_settings={"application_name": "tidings"},
            statement_cache_size=0 if pooled else PREPARED,
        )
    except (*DRIVER_ERRORS, ValueError) as error:
        if isinstance(error, OSError) and (name := await asyncio.to_thread(unreadable, url)):
            raise InvalidRequest(f"The file of the URL's {name} cannot be read.") from None
        raise meaning(error) from None


class Connections:
    """The pool. `greet` is called with each new connection; while it raises, the engine counts as away.

    The log has one line when the engine goes away, and one when it is back.
    """

    def __init__(self, address: Address, greet: Callable[[Connection], Awaitable[None]]) -> None:
        self._address = address
        self._greet = greet
        self._free = asyncio.Semaphore(address.pool)
        self._idle: list[Connection] = []
        self._good: set[Connection] = set()  # those that are idle, and those in use that may be used again
        self._closed = False
        self._reached = False
        self._trouble = ""

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """A connection for this block alone. Raises Unavailable if the engine is away.

        A connection on which anything fails but a statement is closed.
        """
        async with self._free:
            connection = await self._take()
            try:
                yield connection
            except BaseException as error:
                if was_lost(error):
                    self.renew()  # the others died with it, as a rule
                elif not isinstance(error, asyncpg.PostgresError | TidingsError | Stale):
                    self._good.discard(connection)  # it may be in the middle of a statement
                raise
            finally:
                self._put_back(connection)

    async def run(self, work: Callable[[Connection], Awaitable[T]], *, again: bool = True) -> T:
        """Do something on a connection; `again`: on another one if the first is lost, or leads to an earlier era.

        Give `again` only what does no harm if it is done twice. Raises Unavailable.
        """
        try:
            async with self.use() as connection:
                return await work(connection)
        except Stale:
            self.renew()
            failure: TidingsError = Unavailable(AWAY)
        except DRIVER_ERRORS as error:
            failure, again = meaning(error), again and was_lost(error)
        if again:
            return await self.run(work, again=False)
        raise failure

    def renew(self) -> None:
        """Make every connection anew: each that is idle now, and the others after their use."""
        self._good.clear()
        while self._idle:
            self._idle.pop().terminate()

    async def close(self) -> None:
        """Close the connections that are idle, and end the others."""
        self._closed = True
        idle, self._idle = self._idle, []
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1.0):
                await asyncio.gather(*(connection.close() for connection in idle))
        while self._good:
            self._good.pop().terminate()

    async def _take(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
            self._good.discard(connection)
        try:
            connection = await self._connect()
        except TidingsError as error:
            if self._reached or not isinstance(error, Refused | InvalidRequest):  # else nobody waits for it
                self._say(str(error))
            raise
        self._reached = True
        self._say("")
        return connection

    async def _connect(self) -> Connection:
        connection = await connect(self._address.url, pooled=self._address.pooled)
        try:
            await self._greet(connection)
        except BaseException as error:
            connection.terminate()
            if isinstance(error, Exception):
                raise (Unavailable(AWAY) if isinstance(error, Stale) else meaning(error)) from None
            raise
        self._good.add(connection)
        return connection

    def _put_back(self, connection: Connection) -> None:
        if connection in self._good and not connection.is_closed() and not self._closed:
            self._idle.append(connection)
        else:
            self._good.discard(connection)
            connection.terminate()

    def _say(self, trouble: str) -> None:
        if trouble and not self._trouble:
            logger.error("%s It is waited for.", trouble)
        elif self._trouble and not trouble:
            logger.warning("The database can be reached again.")
        self._trouble = trouble
