"""PURE: following topics. Which request comes next, which events are new, what an end of the stream means."""

from __future__ import annotations

import logging
from collections.abc import Generator, Mapping, Sequence
from typing import Literal

from tidings.errors import InvalidRequest, NotFound
from tidings.events import ORIGIN, Event, Offset
from tidings.log.names import valid_topic
from tidings.wire.sse import Decoder, ServerSentEvent

from .rules import (
    BUSY,
    Answer,
    Broken,
    Connected,
    Item,
    Plan,
    Read,
    Renew,
    Reply,
    Request,
    Rules,
    Send,
    Step,
    Wait,
    retry_after,
)
from .values import Described, EndData, Envelope, Reset, ResetData, earliest_of

log = logging.getLogger("tidings.client")

LASTING = 10.0
"""Seconds after which a connection was a good one, even if no event came: the pauses begin at the shortest again."""

Start = Literal["earliest", "tail"] | str | Offset | Mapping[str, Offset | str] | None
"""Where to begin: `"earliest"` (as is None), `"tail"`, an offset or its text; of several topics, one for each."""


class Following:
    """The plan of a subscription, and how far it is."""

    def __init__(self, rules: Rules, topics: str | Sequence[str], after: Start, path: str = "/events") -> None:
        """Raises InvalidRequest."""
        self.rules = rules
        self.path = path
        self.topics = [valid_topic(topic) for topic in ([topics] if isinstance(topics, str) else topics)]
        if len(set(self.topics)) != len(self.topics) or not self.topics:
            raise InvalidRequest("Name one topic or several different ones.")
        self.tail = after == "tail"
        self.id = "" if self.tail else _id(self.topics, after)
        self._seen = self.offsets
        self._ended: set[str] = set()
        self._retry = 0.0
        self._got = False

    @property
    def offsets(self) -> dict[str, Offset]:
        """The position in each topic. Empty until it is known: before the first event of a start at the earliest."""
        return dict(zip(self.topics, map(Offset.parse, self.id.split("~")), strict=True)) if self.id else {}

    def plan(self) -> Generator[Step | Item, Reply, None]:
        """Everything after the start, as it comes, until all topics are closed and read. Raises TidingsError.

        Before the first connection it gives up like any call; after it, only when it is refused.
        """
        if self.tail and not self.id:
            yield from self._find_tails()
        rules = self.rules
        begun, failures, renewed, connected = rules.clock(), 0, False, False
        told: bool | None = False  # of this outage; None: not yet, and it begins with the loss of a stream
        while True:
            request = self._request()
            reply = yield Send(request, stream=True)
            assert isinstance(reply, Answer | Broken)
            if isinstance(reply, Answer) and reply.status == 204:
                return
            if isinstance(reply, Answer) and reply.status == 200:
                if reply.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/event-stream":
                    raise rules.unexpected()
                connected, renewed, told, opened = True, False, None, rules.clock()
                yield Connected()
                if (yield from self._read()):
                    return
                if self._got or rules.clock() - opened > LASTING:
                    failures = 0
            elif isinstance(reply, Answer) and reply.status == 401 and not renewed and (yield Renew()):
                renewed = True
                continue
            elif isinstance(reply, Answer) and reply.status not in BUSY:
                raise rules.error(reply, request)
            pause, failures = rules.pause(failures, max(self._retry, retry_after(reply))), failures + 1
            if not connected and rules.clock() - begun + pause > rules.patience:
                raise rules.error(reply, request)
            if not told:
                why = "The connection was lost." if told is None else str(rules.error(reply, request))
                log.info("%s Going on where it was as soon as there is a connection again.", why)
                told = True
            yield Wait(pause)

    def _find_tails(self) -> Plan[None]:
        """Where the logs end now. Were the server asked for the tail, each lost connection would ask anew until the
        first event has come, and what was published in between would be lost."""
        tails = []
        for topic in self.topics:
            try:
                described = yield from self.rules.call(Request("GET", f"/topics/{topic}", topic=topic), Described)
                tails.append(described.tail)
            except NotFound:
                tails.append(str(ORIGIN))
        self.id = "~".join(tails)
        self._seen = self.offsets

    def _request(self) -> Request:
        params = [("envelope", "true"), ("from", "earliest")]
        if self.path == "/events":
            params += [("topic", topic) for topic in self.topics]
        headers = {"accept": "text/event-stream", "cache-control": "no-store"}
        if self.id:
            headers["last-event-id"] = self.id
        return Request("GET", self.path, tuple(params), headers, topic=self.topics[0])

    def _read(self) -> Generator[Step | Item, Reply, bool]:
        """One connection's events. True: all topics are closed and read. False: come back."""
        decoder, self._got = Decoder(), False
        while True:
            chunk = yield Read()
            if isinstance(chunk, bytes):
                for event in decoder.feed(chunk):
                    self._got = True
                    if (item := self._take(event)) is not None:
                        yield item
            if decoder.retry is not None:
                self._retry = decoder.retry / 1000
            if len(self._ended) == len(self.topics):
                return True
            if not isinstance(chunk, bytes) or not chunk:
                return False

    def _take(self, event: ServerSentEvent) -> Event | Reset | None:
        """What is to be handed out of an event of the stream, if anything. Raises Unexpected."""
        try:
            envelope = self.rules.decode(event.data, Envelope)
            if event.type == "tidings.end":
                self._move(event.id)
                self._ended.add(self.rules.decode(bytes(envelope.data), EndData).topic)
                return None
            if event.type == "tidings.reset":
                return self._reset(event.id, self.rules.decode(bytes(envelope.data), ResetData))
            made = envelope.event(envelope.topic)
        except (InvalidRequest, ValueError):
            raise self.rules.unexpected() from None
        if made.offset is None:
            return made
        seen = self._seen.get(made.topic)
        if seen is not None and seen.epoch == made.offset.epoch and made.offset.n <= seen.n:
            return None
        self._seen[made.topic] = made.offset
        self._move(event.id)
        return made

    def _reset(self, id: str, data: ResetData) -> Reset:
        self._move(id)
        self._ended.discard(data.topic)
        self._seen = after = self.offsets
        only = after[data.topic] if len(after) == 1 else after
        return Reset(data.topic, data.reason, earliest_of(data.earliest), only)

    def _move(self, id: str) -> None:
        """Take the positions of an id of this connection. Raises InvalidRequest."""
        if not id or id.count("~") != len(self.topics) - 1:
            raise InvalidRequest("This id is of other topics.")
        self.id = id


def _id(topics: Sequence[str], after: Start) -> str:
    """The last event ID of this start; empty: the earliest. Raises InvalidRequest."""
    if after is None or after == "earliest":
        return ""
    if isinstance(after, Mapping):
        if set(after) != set(topics):
            raise InvalidRequest(
                "Give the offset of each topic, '0-0' where it is to be the earliest, and of no other."
            )
        return "~".join(str(Offset.parse(str(after[topic]))) for topic in topics)
    if len(topics) != 1:
        raise InvalidRequest("One offset is of one topic: give a mapping of each topic's.")
    return str(Offset.parse(str(after)))
