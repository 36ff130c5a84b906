"""The command `tidings move`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from .terminal import sentences

if TYPE_CHECKING:
    from tidings.log.port import MovableStore
    from tidings.stores.move import Moved


def add_to(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command()
    def move(
        source: Annotated[str, typer.Argument(metavar="FROM", help="The URL of the store to move from.")],
        target: Annotated[str, typer.Argument(metavar="TO", help="The URL of the store to move to.")],
    ) -> None:
        """Move all topics from one store to another, while servers use both.

        The command copies until little is left; meanwhile the servers of FROM go on. Then FROM refuses changes with 503
        and Retry-After, in every process and for good, the rest is copied, and TO has all topics, with the same
        offsets. Start the servers with the URL of TO at that moment: readers go on where they were.

        Repeat a command that was cut off. A move that fails lets FROM take changes again. Give passwords by PGPASSWORD,
        or by ?passfile=FILE in the URL, since other users of the machine can see the arguments of a command.

        \b
        Examples:
          tidings move sqlite:////var/lib/tidings/tidings.db postgresql://tidings@db.example/tidings
          tidings move sqlite:///tidings.db sqlite:////mnt/new/tidings.db && systemctl restart tidings
        """
        with sentences():
            # Ctrl-C cancels the move, which then lets the source take changes again.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            try:
                done = asyncio.run(_move(*_stores(source, target)))
            except KeyboardInterrupt:
                print("tidings: The move was cut off. Repeat the command to go on.", file=sys.stderr)
                raise SystemExit(130) from None
            print(
                f"{done.topics:,} topics moved, {done.events:,} events copied. Changes were refused for "
                f"{done.refused:.1f} s. Start the servers with the URL of the new store now."
            )


def _stores(source: str, target: str) -> tuple[MovableStore, MovableStore]:
    """Return both stores, not opened yet. Raises Failure for a wrong URL."""
    from tidings.errors import InvalidRequest
    from tidings.stores import database_of, is_postgres, open_store

    from .json_lines import WRONG, Failure

    try:
        if source == target:
            raise InvalidRequest("Both URLs name the same store.")
        if "memory:" in (source, target):
            raise InvalidRequest("A store in memory is in one process and ends with it: it cannot be moved.")
        if not is_postgres(source) and not os.path.exists(database_of(source)):
            raise InvalidRequest(f"There is no file {os.path.basename(database_of(source))}.")
        return open_store(source), open_store(target)
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None


async def _move(source: MovableStore, target: MovableStore) -> Moved:
    from tidings.stores.move import Move

    async with AsyncExitStack() as opened:
        for store in (source, target):
            await store.open()
            opened.push_async_callback(store.close)
        return await Move(source, target, lambda sentence: print(f"tidings: {sentence}", file=sys.stderr)).run()
