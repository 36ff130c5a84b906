"""A client that we did not write, in a process of its own, and the events that it has handed out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.serving import PATIENCE

ROOT = Path(__file__).parents[2]


@dataclass
class Follower:
    """The progress of a client that follows a topic.

    `texts`: the data of each `message` event, in the order in which the client handed them out. `ended`: empty while
    the client goes on, else `returned`, or the name of the error that it raised.
    """

    name: str
    texts: list[str] = field(default_factory=list)
    ended: str = ""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def told(self, kind: str, text: str) -> None:
        """Take in a line of the client: `["event", data]` or `["ended", how]`."""
        if kind == "event":
            self.texts.append(text)
        else:
            self.ended = self.ended or text
        self.changed.set()

    async def until(self, reached: Callable[[], object]) -> None:
        """Wait until the client has ended or `reached()` is true. Raises TimeoutError after PATIENCE quiet seconds."""
        while not self.ended and not reached():
            self.changed.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.changed.wait()
            except TimeoutError:
                raise TimeoutError(f"{self.name} hangs after {self.texts}") from None


@asynccontextmanager
async def process(name: str, command: Sequence[str]) -> AsyncIterator[Follower]:
    """A follower whose client is a program that prints each of its lines as JSON. It is killed in the end."""
    follower = Follower(name)
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe, cwd=ROOT)

    async def read() -> None:
        assert program.stdout is not None
        assert program.stderr is not None
        complaints = asyncio.create_task(program.stderr.read())
        async for line in program.stdout:
            follower.told(*json.loads(line))
        follower.told("ended", f"exited: {(await complaints).decode()[-500:]}")

    reading = asyncio.create_task(read())
    try:
        yield follower
    finally:
        with suppress(ProcessLookupError):
            program.kill()
        await program.wait()
        await reading
