"""Assistants: named runnables that a server offers. The apps and the routes of runs are given them by name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidings.errors import NotFound

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable


@dataclass
class Assistant:
    """Something that can be asked. `model` is the model's name, None where there is none; `note` is what to know of it.

    `make` makes its runnable, which takes a question or messages and answers with one AI message that it can stream.
    """

    name: str
    title: str
    note: str
    model: str | None
    make: Callable[[], Runnable[Any, Any]]
    prompts: tuple[str, ...] = ()
    _made: Runnable[Any, Any] | None = None
    _making: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> Runnable[Any, Any]:
        """The runnable, made once, with all that would make its first answer late. Blocks for a second or more."""
        with self._making:
            made = self._made = self._made if self._made is not None else self.make()
            return made

    async def runnable(self) -> Runnable[Any, Any]:
        """The runnable; the first call waits for it to be loaded in a thread."""
        return self._made if self._made is not None else await asyncio.to_thread(self.load)


def choose(assistants: Mapping[str, Assistant], name: str | None) -> Assistant:
    """An assistant by name, or the default. Raises NotFound."""
    chosen = assistants.get(name) if name else next(iter(assistants.values()), None)
    if chosen is None:
        raise NotFound(f"There is no assistant {name}." if name else "There is no assistant.")
    return chosen
