"""PURE: the requests besides following: publish, read, list, runs. Each is a plan."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType
from typing import Literal

from tidings.errors import InvalidRequest
from tidings.events import Offset, Page
from tidings.log.names import EARLIEST, TAIL, After, json_of, pairs_of, parse_after, valid_topic, valid_type
from tidings.log.rules import NEW, Appended, Expected
from tidings.wire.run_events import RunState

from .following import Following, Start
from .rules import Plan, Request, Rules, encode_body
from .values import Described, Events, Names, Published, Started, earliest_of

Expectation = Literal[Expected.NEW] | str | Offset | None
"""A condition of a publish: `NEW`, an epoch, or an offset; None for no condition."""

_KEY = re.compile(r"[ -~]{1,200}")
_RUN = re.compile(r"[0-9A-Za-z]{1,64}")


class Calls:
    """The plans of a client. A plan raises TidingsError; a method raises InvalidRequest at once."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def publish(
        self,
        topic: str,
        data: object,
        type: str,
        key: str | None,
        expected: Expectation,
        close: bool,
    ) -> Plan[Offset]:
        """Append one event."""
        kind, body = encode_body(data)
        headers = {"content-type": kind, "idempotency-key": _key(key)}
        params = (("type", valid_type(type)), *_conditions(expected, close))
        done = yield from self.rules.call(Request("POST", _events(topic), params, headers, body, topic), Published)
        return Offset.parse(done.offset)

    def publish_transient(self, topic: str, data: object, type: str) -> Plan[None]:
        """Send one event to the readers that follow now. It is sent once: a second event would not be recognised."""
        kind, body = encode_body(data)
        params = (("type", valid_type(type)), ("transient", "true"))
        request = Request("POST", _events(topic), params, {"content-type": kind}, body, topic, once=True)
        yield from self.rules.call(request, NoneType)

    def publish_many(
        self,
        topic: str,
        events: Iterable[tuple[str, object]],
        key: str | None,
        expected: Expectation,
        close: bool,
    ) -> Plan[Appended]:
        """Append events in one commit."""
        lines = b"".join(json_of({"type": valid_type(type), "data": data}) + b"\n" for type, data in pairs_of(events))
        headers = {"content-type": "application/x-ndjson", "idempotency-key": _key(key)}
        request = Request("POST", _events(topic), _conditions(expected, close), headers, lines, topic)
        done = yield from self.rules.call(request, Published)
        return Appended(Offset.parse(done.first), Offset.parse(done.offset))

    def read(self, topic: str, after: After, limit: int) -> Plan[Page]:
        """Read a page of events."""
        path, params = _events(topic), [("limit", str(limit))]
        start = parse_after(after)
        if start == TAIL or isinstance(start, int):
            ends = yield from self.rules.call(Request("GET", f"/topics/{topic}", topic=topic), Described)
            tail, earliest = Offset.parse(ends.tail), earliest_of(ends.earliest)
            back = -start if isinstance(start, int) else 0
            start = tail._replace(n=max(tail.n - back, earliest.n - 1))
        if start != EARLIEST:
            params.append(("after", str(start)))
        page = yield from self.rules.call(Request("GET", path, tuple(params), topic=topic), Events)
        try:
            return page.page(topic)
        except (InvalidRequest, ValueError):
            raise self.rules.unexpected() from None

    def topics(self, prefix: str, after: str, limit: int) -> Plan[list[str]]:
        """List topics."""
        params = (("prefix", prefix), ("after", after), ("limit", str(limit)))
        return (yield from self.rules.call(Request("GET", "/topics", params), Names)).topics

    def start(
        self,
        input: str | Sequence[Mapping[str, str]],
        assistant: str | None,
        topic: str | None,
        parent: str | None,
        key: str | None,
    ) -> Plan[str]:
        """Start a run, and return its id."""
        question: dict[str, object] = {"input" if isinstance(input, str) else "messages": input}
        about = {"assistant": assistant, "topic": topic, "parent": parent}
        headers = {"content-type": "application/json", "idempotency-key": _key(key)}
        body = json_of(question | {name: value for name, value in about.items() if value is not None})
        return (yield from self.rules.call(Request("POST", "/runs", (), headers, body), Started)).run

    def state(self, id: str) -> Plan[RunState]:
        """Get the state of a run."""
        return self.rules.call(Request("GET", f"/runs/{_run(id)}"), RunState)

    def stop(self, id: str) -> Plan[Started]:
        """Stop a run."""
        return self.rules.call(Request("POST", f"/runs/{_run(id)}/stop"), Started)

    def following(self, topics: str | Sequence[str], after: Start) -> Following:
        """Follow topics."""
        return Following(self.rules, topics, after)

    def following_run(self, id: str, after: After) -> Following:
        """Follow a run."""
        return Following(self.rules, f"runs.{_run(id)}", after, f"/runs/{id}/events")


def _events(topic: str) -> str:
    """The path of a topic's events. A name is checked before it becomes a part of a path."""
    return f"/topics/{valid_topic(topic)}/events"


def _run(id: str) -> str:
    if not isinstance(id, str) or not _RUN.fullmatch(id):
        raise InvalidRequest("The id of a run consists of letters and digits.")
    return id


def _key(key: str | None) -> str:
    """Return the key, or make one: a request whose answer was lost is sent again, and must take effect once."""
    if key is None:
        return secrets.token_urlsafe(18)
    return valid_key(key)


def valid_key(key: str) -> str:
    """Return `key` if a request's header can hold it. Raises InvalidRequest."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidRequest("A key is 1 to 200 printable ASCII characters.")
    return key


def _conditions(expected: Expectation, close: bool) -> tuple[tuple[str, str], ...]:
    """The query parameters of what a publish expects and does to its topic."""
    params = []
    if expected is not None:
        params.append(("expected", "new" if expected is NEW else str(expected)))
    if close:
        params.append(("close", "true"))
    return tuple(params)
