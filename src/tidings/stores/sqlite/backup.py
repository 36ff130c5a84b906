"""Backing up a store's file, also under a server that writes to it."""

from __future__ import annotations

import os
from contextlib import closing

from tidings.errors import InvalidRequest

from .copying import Progress, beside, copy, open_source, put_in_place

FAILED = "The backup was not made"


def back_up(database: str, target: str, progress: Progress = lambda part: None) -> int:
    """Copy a store as it is at this moment to the new file `target`, and return the bytes of that file.

    `target` appears whole or not at all. Raises InvalidRequest if there is no such store, or `target` exists;
    Unavailable if the disk is full or fails, or the store is damaged.
    """
    if os.path.lexists(target):
        raise InvalidRequest(f"{os.path.basename(target)} exists already. A backup never replaces a file.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(target))):
        raise InvalidRequest(f"There is no folder to put {os.path.basename(target)} in.")
    with closing(open_source(database)) as source, beside(target, FAILED) as part:
        copy(source, part, progress, os.path.basename(database)).close()
        put_in_place(part, target)
        return os.path.getsize(target)
