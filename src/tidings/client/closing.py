"""The end of a client: the steps that its drivers wait for end at once, and no further step is done."""

from __future__ import annotations

from typing import Protocol


class Waiting(Protocol):
    """A driver that does a step."""

    def interrupt(self) -> None:
        """End the step, if it waits."""


class Closing:
    """The end of a client, which its drivers share.

    A driver is in `busy` while it does a step, and looks at `closed` after it has come in. So no step that has begun
    is missed, whichever thread closes the client.
    """

    def __init__(self) -> None:
        self.closed: bool = False
        self.busy: set[Waiting] = set()

    def close(self) -> None:
        """End the steps under way, and let no other begin."""
        self.closed = True
        for driver in tuple(self.busy):
            driver.interrupt()
