"""The files of rooms and conversations.

A file is a topic that ends: `files.ROOM.ID` or `files.conversations.CONVERSATION.ID` holds its chunks, and is closed
when the file is whole.
"""

from __future__ import annotations

import hashlib
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any, NamedTuple

import msgspec

from tidings.apps.file import ID, File
from tidings.delivery.hub import Hub
from tidings.errors import Conflict, Gone, NotFound
from tidings.events import Offset, Retention
from tidings.log.retention import expiry
from tidings.log.rules import NEW
from tidings.runs.runs import new_id

FILES = "files"
"""The first segment of their topics."""

CHUNK = 192 * 1024
"""Bytes of a file in one event, of which the last may have less. Ranges of stored files depend on it."""

BROKEN, UNNAMED = 3600.0, 86_400.0
"""Seconds after which an upload that broke off expires, and a whole file that no message names."""

LAST_MINUTE = 60.0
"""A file that expires so soon can be named no more: it would be gone before the message is there."""


class Started(msgspec.Struct, frozen=True):
    """The first event, `file.started`."""

    by: str
    name: str
    type: str


class Chunk(msgspec.Struct, frozen=True):
    """`file.chunk`: `content` in Base64."""

    content: str


class Finished(msgspec.Struct, frozen=True):
    """The last event, `file.finished`: `size` in bytes, `sha256` in hexadecimal digits."""

    size: int
    sha256: str


class Whole(NamedTuple):
    """A file that is all there. `end`: the offset of its last event; `kept`: it does not expire."""

    topic: str
    by: str
    file: File
    sha256: str
    end: Offset
    kept: bool


class Files:
    """The files of a hub's rooms and conversations, by the topic that they belong to and their own ids.

    The rights to them are checked elsewhere.
    """

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    async def store(self, of: str, by: str, name: str, type: str, content: AsyncIterable[bytes]) -> File:
        """A new file of what comes, which is kept for a day if no message names it. Raises what `content` does, in
        which case there is no file; Conflict if it took so long that its beginning has expired; Unavailable."""
        id = new_id()
        topic, size, digest = _topic(of, id), 0, hashlib.sha256()
        items = [_item("file.started", Started(by, name, type))]
        expected: Any = NEW
        async for chunk in _chunks(content):
            size += len(chunk)
            digest.update(chunk)
            items.append(_item("file.chunk", Chunk(b64encode(chunk).decode())))
            done = await self.hub.log.append(
                topic, items, expected=expected, retention=Retention(), ttl=BROKEN, owner=by
            )
            items, expected = [], done.last.epoch
        end = _item("file.finished", Finished(size, digest.hexdigest()))
        await self.hub.log.append(
            topic, [*items, end], expected=expected, close=True, retention=Retention(), ttl=UNNAMED
        )
        return File(id, name, type, size)

    async def kept(self, by: str) -> int:
        """Return the bytes of all files of a person, also of those that are on their way.

        A file counts as it lies in the store, without the third that Base64 adds: up to 400 bytes more than its size.
        """
        return await self.hub.log.size(f"{FILES}.", by) * 3 // 4

    async def whole(self, of: str, id: str) -> Whole:
        """Raises NotFound where there is none, or not all of it."""
        topic = _topic(of, id)
        head = await self.hub.log.describe(topic) if ID.fullmatch(id) else None
        soon = time.time() + LAST_MINUTE
        if head is None or not head.closed or (expiry(head) or soon) < soon:
            raise NotFound("There is no such file here.")
        end = Offset(head.epoch, head.tail)
        first = await self.hub.read(topic, limit=1)
        last = await self.hub.read(topic, end._replace(n=end.n - 1), 1)
        started = msgspec.json.decode(first.events[0].data, type=Started)
        finished = msgspec.json.decode(last.events[0].data, type=Finished)
        file = File(id, started.name, started.type, finished.size)
        return Whole(topic, started.by, file, finished.sha256, end, head.ttl is None)

    async def own(self, of: str, by: str, id: str) -> File:
        """Return a file that a person has uploaded. Raises NotFound, also for a file of another person."""
        whole = await self.whole(of, id)
        if whole.by != by:
            raise NotFound("You have uploaded no such file here.")
        return whole.file

    async def content(self, whole: Whole, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes, None]:
        """The bytes of a file from `start` up to `end`, which is not included. Only the chunks that hold these bytes
        are read, one after the other. Raises Gone if the file is deleted meanwhile; Unavailable."""
        end = whole.file.size if end is None else end
        first = start // CHUNK
        # Event 1 is `file.started`, and each later event is a chunk.
        at, begin = whole.end._replace(n=1 + first), first * CHUNK
        while begin < end:
            page = await self.hub.read(whole.topic, at, 1)
            if page.lost is not None:
                raise Gone("The file was deleted.", reason=page.lost)
            chunk = b64decode(msgspec.json.decode(page.events[0].data, type=Chunk).content)
            yield chunk[max(start - begin, 0) : end - begin]
            at, begin = page.next, begin + len(chunk)

    async def keep(self, of: str, id: str) -> None:
        """From now on it does not expire. Idempotent; nothing, where there is none."""
        try:
            whole = await self.whole(of, id)
            if not whole.kept:
                await self.hub.log.configure(whole.topic, ttl=None, expected=whole.end.epoch)
        except (NotFound, Conflict):
            pass

    async def delete(self, of: str, id: str) -> None:
        """Idempotent."""
        await self.hub.delete(_topic(of, id))

    async def delete_all(self, of: str) -> None:
        """Delete every file of a room or a conversation, also those that are on their way. Idempotent."""
        after = ""
        while heads := await self.hub.log.heads(_topic(of, ""), after):
            for topic, head in heads:
                await self.hub.log.delete(topic, expected=head.epoch)
            after = heads[-1][0]


async def _chunks(content: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes, CHUNK of them at a time, and at the end the rest."""
    held = bytearray()
    async for part in content:
        held += part
        while len(held) >= CHUNK:
            yield bytes(held[:CHUNK])
            del held[:CHUNK]
    if held:
        yield bytes(held)


def _item(type: str, event: msgspec.Struct) -> tuple[str, str]:
    return type, msgspec.json.encode(event).decode()


def _topic(of: str, id: str) -> str:
    return f"{FILES}.{of.removeprefix('rooms.')}.{id}"
