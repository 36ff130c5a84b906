"""Disk space that is held back, so that something can still be deleted when the disk is full."""

from __future__ import annotations

import contextlib
import errno
import os

SIZE = 4 << 20
"""Bytes held back. SQLite's log of changes is about as large when it moves them into the database, which needs as much
again for new pages."""


class Reserve:
    """A file beside the database. The disk counts as full while the file is missing, for every process.

    For the writer's thread. The file is taken again once twice its size is free: what one process gives up is not
    enough for another to take it.
    """

    def __init__(self, database: str) -> None:
        self._path = f"{database}-reserve"

    def held(self) -> bool:
        """Take the reserve if it is missing and there is space. False: the disk is full.

        An error of another kind, such as a folder that is gone, says nothing about space.
        """
        try:
            return os.stat(self._path).st_size == SIZE or self._take()
        except OSError:
            return self._take()

    def give_up(self) -> None:
        """Free the space."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _take(self) -> bool:
        try:
            disk = os.statvfs(os.path.dirname(self._path))
            if disk.f_bavail * disk.f_frsize < 2 * SIZE:
                return False
            with open(self._path, "wb") as file:
                file.write(bytes(SIZE))
        except OSError as error:
            self.give_up()
            return error.errno not in (errno.ENOSPC, errno.EDQUOT)
        return True
