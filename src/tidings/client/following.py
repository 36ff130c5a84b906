"""PURE: following topics: the next request, the new events, and the meaning of the end of a stream."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from tidings.errors import InvalidRequest, NotFound
from tidings.events import ORIGIN, Event, Offset
from tidings.log.names import EARLIEST, TAIL, After, parse_after, valid_topic
from tidings.wire.sse import ServerSentEvent

from .comments import Comment
from .rules import Plan, Reply, Request, Rules, Step
from .source import ACCEPT, Connected, Lost, Source
from .values import RESET, Described, EndData, Envelope, ResetData, earliest_of

Item = Event | Connected
"""An item of the plan. The first says that the stream is open."""

Start = After | Mapping[str, Offset | str]
"""A place to begin at: an offset, its text, `"earliest"`, `"tail"` or `-N`; or a mapping of each topic's offset."""


class Following:
    """The plan of a subscription, and its position."""

    def __init__(self, rules: Rules, topics: str | Sequence[str], after: Start, path: str = "/events") -> None:
        """Raises InvalidRequest."""
        self.rules = rules
        self.path = path
        self.topics: list[str] = [valid_topic(topic) for topic in ([topics] if isinstance(topics, str) else topics)]
        if len(set(self.topics)) != len(self.topics) or not self.topics:
            raise InvalidRequest("Name one topic or several different ones.")
        self.id: str = ""
        self._last: int | None = None
        """The number of last events to begin with, to be counted from the tails; None: begin at the earliest."""
        if isinstance(after, Mapping):
            self.id = _joined(self.topics, after)
        elif isinstance(start := parse_after(after), Offset):
            if len(self.topics) != 1:
                raise InvalidRequest("An offset belongs to one topic. Pass a mapping of each topic's offset.")
            self.id = str(start)
        elif start != EARLIEST:
            self._last = 0 if start == TAIL else -start
        self._seen = self.offsets
        self._ended: set[str] = set()

    @property
    def offsets(self) -> dict[str, Offset]:
        """The position in each topic. Empty until it is known, which is before the first event from the earliest."""
        return dict(zip(self.topics, map(Offset.parse, self.id.split("~")), strict=True)) if self.id else {}

    def plan(self) -> Generator[Step | Item, Reply, None]:
        """Every event after the start, as it comes, until all topics are closed and read. Raises TidingsError.

        Before the first connection the plan gives up like any call, and later only when it is refused.
        """
        if self._last is not None and not self.id:
            yield from self._find_offsets(self._last)
        source = Source(self.rules, self._request(), self.id)
        plan, reply = source.plan(), None
        while True:
            try:
                step = plan.send(reply)
            except StopIteration:
                return
            reply = None
            if isinstance(step, ServerSentEvent):
                if (event := self._take(step)) is not None:
                    yield event
                if len(self._ended) == len(self.topics):
                    return
            elif not isinstance(step, Lost | Comment):
                reply = yield step

    def _find_offsets(self, last: int) -> Plan[None]:
        """Find the offsets before the last events of each topic.

        If the server began at its tail instead, every connection that is lost before the first event would begin at a
        later tail, and the events between them would be missed.
        """
        offsets = []
        for topic in self.topics:
            try:
                ends = yield from self.rules.call(Request("GET", f"/topics/{topic}", topic=topic), Described)
                tail, earliest = Offset.parse(ends.tail), earliest_of(ends.earliest)
                offsets.append(str(tail._replace(n=max(tail.n - last, earliest.n - 1))))
            except NotFound:
                offsets.append(str(ORIGIN))
        self.id = "~".join(offsets)
        self._seen = self.offsets

    def _request(self) -> Request:
        params = [("envelope", "true"), ("after", EARLIEST)]
        if self.path == "/events":
            params += [("topic", topic) for topic in self.topics]
        return Request("GET", self.path, tuple(params), ACCEPT, topic=self.topics[0])

    def _take(self, event: ServerSentEvent) -> Event | None:
        """Return the event to hand out for an event of the stream, or None. Raises Unexpected."""
        try:
            envelope = self.rules.decode(event.data, Envelope)
            if event.type == "tidings.end":
                self._move(event.id)
                self._ended.add(self.rules.decode(bytes(envelope.data), EndData).topic)
                return None
            if event.type == RESET:
                return self._reset(event.id, envelope)
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

    def _reset(self, id: str, envelope: Envelope) -> Event:
        """Move to the offset before the earliest event, and make the event that says so."""
        topic = self.rules.decode(bytes(envelope.data), ResetData).topic
        self._move(id)
        self._ended.discard(topic)
        self._seen = self.offsets
        return Event(topic, self._seen.get(topic), RESET, bytes(envelope.data).decode(), envelope.time)

    def _move(self, id: str) -> None:
        """Take the positions of an id of this connection. Raises InvalidRequest."""
        if not id or id.count("~") != len(self.topics) - 1:
            raise InvalidRequest("This id is of other topics.")
        self.id = id


def _joined(topics: Sequence[str], offsets: Mapping[str, Offset | str]) -> str:
    """The last event ID of a mapping of offsets. Raises InvalidRequest."""
    if set(offsets) != set(topics):
        raise InvalidRequest("Pass the offset of every topic and of no other; '0-0' begins at the earliest event.")
    return "~".join(str(Offset.parse(str(offsets[topic]))) for topic in topics)
