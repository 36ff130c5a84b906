"""The commands `tidings backup` and `tidings restore`."""

from __future__ import annotations

from typing import Annotated

import typer

from .progress import progress_bar
from .terminal import sentences

Store = Annotated[
    str | None, typer.Option("--store", help="The URL of the store (TIDINGS_STORE, else sqlite:///tidings.db).")
]


def add_to(app: typer.Typer) -> None:
    """Add both commands to `app`."""

    @app.command()
    def backup(
        file: Annotated[str, typer.Argument(metavar="FILE", help="The file to write. It must not exist yet.")],
        store: Store = None,
    ) -> None:
        """Copy the store to one file, also while a server writes to it.

        The copy holds all that was acknowledged before the command began. FILE appears when it is complete. A copy
        made by `cp` is no backup: the newest events are in another file beside the store.

        \b
        Examples:
          tidings backup /var/backups/tidings.db
          tidings backup "backup-$(date +%F).db" --store sqlite:////var/lib/tidings/tidings.db
        """
        with sentences():
            from tidings.stores.sqlite.backup import back_up

            with progress_bar() as progress:
                size = back_up(_database(store), file, progress)
            print(f"{file}: {_megabytes(size)}")

    @app.command()
    def restore(
        file: Annotated[str, typer.Argument(metavar="FILE", help="A file that `tidings backup` has written.")],
        store: Store = None,
    ) -> None:
        """Put a backup in the place of the store. Stop every server on it first.

        Every topic begins another life. Offsets of events that are in the backup stay valid; readers that were ahead
        of it are told by a reset. The earlier store is kept beside the new one, under a name that the command writes.

        \b
        Examples:
          tidings restore /var/backups/tidings.db
          tidings restore backup.db --store sqlite:////var/lib/tidings/tidings.db
        """
        with sentences():
            from tidings.stores.sqlite.restore import restore as restore_from

            database = _database(store)
            with progress_bar() as progress:
                kept = restore_from(file, database, progress)
            print(f"{database}: restored from {file}")
            if kept:
                print(f"{kept}: the earlier store, which you may delete")


def _database(store: str | None) -> str:
    """Return the file of the store that an option or the settings name. Raises Failure for a wrong option."""
    from tidings.errors import InvalidRequest
    from tidings.server.settings import Settings
    from tidings.stores import database_of

    from .json_lines import WRONG, Failure

    try:
        return database_of(Settings.load(store=store).store)
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
