"""A reader that believes nothing: each event must be the next of its topic, and hold what is true of its offset."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from tests.delivery.client import PATIENCE, Connection
from tests.delivery.truth import Broken, Topic

ORIGIN = ("0", 0)


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    topic: str
    offset: str | None
    type: str
    time: float
    data: Any


class Manner(msgspec.Struct):
    """The behaviour of a reader. `bite`: bytes a read, at most. `cut`, `pause`: chances a read; `longest`: seconds."""

    bite: int = 65536
    rcvbuf: int = 0
    cut: float = 0.01
    pause: float = 0.0
    longest: float = 0.0


MANNERS = {
    "quick": Manner(),
    "cutting": Manner(bite=4096, cut=0.1),
    "slow": Manner(bite=2048, rcvbuf=4096, cut=0.005, pause=0.05, longest=0.01),
    "freezing": Manner(bite=16384, rcvbuf=4096, cut=0.01, pause=0.02, longest=0.3),
}

_envelope = msgspec.json.Decoder(Envelope)


class Reader:
    """Reads its topics to their ends, whatever happens in between. `tally` counts what it has seen."""

    def __init__(self, name: str, rng: Random, ports: Sequence[int], topics: Sequence[Topic], tally: Counter[str]):
        self.name = name
        self.rng = rng
        self.ports = ports
        self.topics = topics
        self.index = {topic.name: i for i, topic in enumerate(topics)}
        self.tally = tally
        self.envelope = rng.random() < 0.4
        self.start = rng.choice(["earliest", "earliest", "earliest", "tail", "0-0"])
        self.manner = MANNERS[rng.choice(list(MANNERS))]
        self.parts: list[str] = []
        """The texts of the offsets of the last id; empty: none was seen yet."""
        self.at: list[tuple[str, int]] = []
        self.ended: set[str] = set()
        self.finished = False
        self.seen = 0
        self._rest = b""
        self._fresh = True

    def __repr__(self) -> str:
        names = "+".join(topic.name for topic in self.topics)
        return f"{self.name} ({names}, from {self.start}, envelope={self.envelope}, {self.manner}) at {self.parts}"

    async def run(self) -> None:
        """Returns when every topic is closed and read. Raises Broken."""
        try:
            while not self.finished:
                await self._connect()
        except TimeoutError:
            raise Broken(f"{self!r} hangs") from None
        except Exception as error:
            raise Broken(f"{self!r}: {error}") from error

    async def _connect(self) -> None:
        query = "&".join([f"topic={topic.name}" for topic in self.topics] + [f"from={self.start}"])
        if self.envelope:
            query += "&envelope=true"
        headers = ""
        if self.parts and self.rng.random() < 0.5:
            headers = f"last-event-id: {'~'.join(self.parts)}\r\n"
        elif self.parts:
            query += f"&last_event_id={'~'.join(self.parts)}"
        port = self.rng.choice(self.ports)
        self._rest, self._fresh = b"", True
        connection = await Connection.get(port, f"/events?{query}", headers, rcvbuf=self.manner.rcvbuf)
        self.tally["connections"] += 1
        try:
            if connection.status == 204:
                self._check_finished()
                self.finished = True
                return
            if connection.status != 200:
                raise Broken(f"{connection.status} for {query}")
            await self._follow(connection)
        finally:
            connection.close()

    async def _follow(self, connection: Connection) -> None:
        rng, manner = self.rng, self.manner
        clock = asyncio.get_running_loop().time
        began, last = self.seen, clock()
        while True:
            seen = self.seen
            # Keep-alives come for ever, so it is for events that there must be no longer wait.
            async with asyncio.timeout_at(last + PATIENCE):
                body = await connection.read(rng.randint(1, manner.bite))
            if body is None:
                break
            self._feed(body)
            if self.seen > seen:
                last = clock()
            # Only once it got somewhere, or it would never get past an event larger than what it reads in between.
            if self.seen > began and rng.random() < manner.cut:
                self.tally["cuts"] += 1
                return
            if rng.random() < manner.pause:
                await asyncio.sleep(rng.random() * manner.longest)
        if not connection.clean:
            raise Broken("the stream was cut")
        if self._rest not in (b"", b":\n"):
            raise Broken(f"the stream ended in the middle of an event: {self._rest[-100:]!r}")
        self._check_finished()

    def _check_finished(self) -> None:
        for i, topic in enumerate(self.topics):
            if topic.tail is None:
                raise Broken(f"{topic.name} was said to have ended, but nobody has closed it")
            if self.parts and self.at[i] != topic.tail:
                raise Broken(f"{topic.name} was said to have ended, but it ends at {topic.tail}")

    def _feed(self, body: bytes) -> None:
        head, blank, rest = (self._rest + body).rpartition(b"\n\n")
        self._rest = rest
        if blank:
            for block in head.decode().split("\n\n"):
                self._block(block)

    def _block(self, block: str) -> None:
        type, id, data = "message", "", []
        for line in block.split("\n"):
            if line.startswith("data: "):
                data.append(line[6:])
            elif line.startswith("id: "):
                id = line[4:]
            elif line.startswith("event: "):
                type = line[7:]
            elif line.startswith("retry: ") and self._fresh and line[7:].isdecimal():
                pass
            elif line != ":":
                raise Broken(f"a line that should not be: {line[:100]!r}")
        if not data:
            raise Broken(f"an event without data: {block!r}")
        self._fresh = False
        text = "\n".join(data)
        topic = offset = None
        if self.envelope:
            envelope = _envelope.decode(text)
            if envelope.type != type:
                raise Broken(f"{type} in an envelope of {envelope.type}")
            topic, offset, given = envelope.topic, envelope.offset, envelope.data
        else:
            given = text
        if type == "tidings.reset":
            self._reset(given if self.envelope else msgspec.json.decode(text), id)
        elif type == "tidings.end":
            self._end(given if self.envelope else msgspec.json.decode(text), id)
        elif type == "cast":
            if id or offset is not None or not given.startswith("cast|"):
                raise Broken(f"a transient event with an id: {block[:100]!r}")
            self.tally["casts"] += 1
        else:
            self._event(type, given, id, topic, offset)

    def _event(self, type: str, data: str, id: str, topic: str | None, offset: str | None) -> None:
        i = self.index.get(data.partition("|")[0], -1)
        mine = self.topics[i]
        if i < 0 or not data.startswith(f"{mine.name}|{type}|"):
            raise Broken(f"{type} {id} holds {data[:60]!r}")
        epoch, n = self._move(i, id)
        if self.envelope and (topic != mine.name or offset != self.parts[i]):
            raise Broken(f"the envelope of {topic} {offset} came with the id {id}")
        if mine.name in self.ended:
            raise Broken(f"{id} after the end of {mine.name}")
        mine.life(epoch).tell(n, data)
        self.seen += 1
        self.tally["events"] += 1

    def _move(self, i: int, id: str) -> tuple[str, int]:
        """Take the id of an event of topic `i`: that topic must have moved by one, and no other."""
        parts = id.split("~")
        if len(parts) != len(self.topics):
            raise Broken(f"the id {id!r} for {len(self.topics)} topics")
        epoch, n = offset(parts[i])
        if not self.parts:
            self._first(i, parts)
        else:
            was, before = self.at[i]
            others = [j for j, part in enumerate(parts) if j != i and part != self.parts[j]]
            if n != before + 1 or (epoch != was and (was, before) != ORIGIN):
                raise Broken(f"the id {id!r} after {'~'.join(self.parts)!r}: {self.topics[i].name} did not move by one")
            if any(not self._entered(j, parts[j]) for j in others):
                raise Broken(f"the id {id!r} after {'~'.join(self.parts)!r}: more than {self.topics[i].name} moved")
        self.parts = parts
        self.at[i] = epoch, n
        return epoch, n

    def _first(self, i: int, parts: list[str]) -> None:
        self.at = [offset(part) for part in parts]
        if self.start != "tail":
            for j, topic in enumerate(self.topics):
                if topic.stable and self.at[j][1] != (j == i):
                    raise Broken(f"the first id is {'~'.join(parts)!r}, of {self.topics[i].name}, from {self.start}")

    def _entered(self, i: int, part: str) -> bool:
        """From before the log's first life into it: nothing is missed, so nothing need be said."""
        epoch, n = offset(part)
        if self.at[i] == ORIGIN and n == 0:
            self.at[i] = epoch, n
            return True
        return False

    def _reset(self, data: dict[str, str], id: str) -> None:
        self.tally["resets"] += 1
        reason, earliest = data["reason"], offset(data["earliest"])
        i = self.index[data["topic"]]
        topic, parts = self.topics[i], id.split("~")
        if topic.stable:
            raise Broken(f"{topic.name} was reset: {data}")
        if offset(parts[i]) != (earliest[0], earliest[1] - 1):
            raise Broken(f"a reset to before {earliest} with the id {id!r}")
        if self.parts:
            self._check_reset(i, reason, earliest)
            others = [j for j, part in enumerate(parts) if j != i and part != self.parts[j]]
            if any(not self._entered(j, parts[j]) for j in others):
                raise Broken(f"a reset of {topic.name} moved from {'~'.join(self.parts)!r} to {id!r}")
        self.parts = parts
        self.at = [offset(part) for part in parts]
        self.ended.discard(topic.name)

    def _check_reset(self, i: int, reason: str, earliest: tuple[str, int]) -> None:
        topic, (was, n) = self.topics[i], self.at[i]
        if reason == "trimmed":
            fits = (earliest[0] == was and earliest[1] > n + 1) or was == ORIGIN[0]
        elif reason == "deleted":
            # A whole life may come and go before the reader that waited for it saw any of it.
            fits = earliest == (ORIGIN[0], 1) and (was != ORIGIN[0] or topic.deletes > 0)
        else:
            fits = reason == "recreated" and earliest[0] not in (was, ORIGIN[0])
        if not fits:
            raise Broken(f"a reset for being {reason}, to {earliest}, at {self.at[i]}")
        if reason != "trimmed" and was != ORIGIN[0]:
            topic.bury(was)

    def _end(self, data: dict[str, str], id: str) -> None:
        i = self.index[data["topic"]]
        topic = self.topics[i]
        if self.parts:
            moved = [j for j, part in enumerate(id.split("~")) if part != self.parts[j]]
            if any(not self._entered(j, id.split("~")[j]) for j in moved):
                raise Broken(f"the end of {topic.name} moved from {'~'.join(self.parts)!r} to {id!r}")
        self.parts = id.split("~")
        self.at = [offset(part) for part in self.parts]
        if topic.tail is not None and (self.at[i] != topic.tail or offset(data["offset"]) != topic.tail):
            raise Broken(f"{data} with {id!r}, but {topic.name} ends at {topic.tail}")
        self.ended.add(topic.name)
        self.tally["ends"] += 1


def offset(text: str) -> tuple[str, int]:
    epoch, _, n = text.rpartition("-")
    if not (epoch.isalnum() and n.isdecimal()):
        raise Broken(f"{text!r} is no offset")
    return epoch, int(n)
