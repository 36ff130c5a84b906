"""PURE: what can be asked of a server besides following: publish, read, list, runs. Each is a plan."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tidings.errors import InvalidRequest
from tidings.events import Offset, Page
from tidings.log.names import valid_topic, valid_type
from tidings.log.rules import Appended

from .following import Following, Start
from .rules import Plan, Request, Rules
from .values import Described, Events, Names, Published, RunState, Started

_KEY = re.compile(r"[ -~]{1,200}")
_RUN = re.compile(r"[0-9A-Za-z]{1,64}")
_json = msgspec.json.Encoder()


class Calls:
    """The plans of a client. They raise TidingsError, InvalidRequest at once."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def publish(self, topic: str, data: Any, type: str, key: str | None) -> Plan[Offset]:
        kind, body = ("text/plain; charset=utf-8", data) if isinstance(data, str) else ("application/json", None)
        headers = {"content-type": kind, "idempotency-key": _key(key)}
        raw = _bytes(body) if body is not None else _encode(data)
        params = (("type", valid_type(type)),)
        request = Request("POST", _events(topic), params, headers, raw, topic)
        done = yield from self.rules.call(request, Published)
        return Offset.parse(done.offset)

    def publish_many(self, topic: str, events: Iterable[tuple[str, Any]], key: str | None) -> Plan[Appended]:
        lines = b"".join(_encode({"type": valid_type(type), "data": data}) + b"\n" for type, data in events)
        headers = {"content-type": "application/x-ndjson", "idempotency-key": _key(key)}
        done = yield from self.rules.call(Request("POST", _events(topic), (), headers, lines, topic), Published)
        return Appended(Offset.parse(done.first), Offset.parse(done.offset))

    def read(self, topic: str, after: Start, limit: int) -> Plan[Page]:
        path, params = _events(topic), [("limit", str(limit))]
        if after == "tail":
            described = yield from self.rules.call(Request("GET", f"/topics/{topic}", topic=topic), Described)
            after = described.tail
        if after is not None and after != "earliest":
            params.append(("after", str(Offset.parse(str(after)))))
        page = yield from self.rules.call(Request("GET", path, tuple(params), topic=topic), Events)
        try:
            return page.page(topic)
        except (InvalidRequest, ValueError):
            raise self.rules.unexpected() from None

    def topics(self, prefix: str, after: str, limit: int) -> Plan[list[str]]:
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
        asked = {"input" if isinstance(input, str) else "messages": input}
        asked |= {"assistant": assistant, "topic": topic, "parent": parent}  # type: ignore[dict-item]
        headers = {"content-type": "application/json", "idempotency-key": _key(key)}
        body = _encode({name: value for name, value in asked.items() if value is not None})
        return (yield from self.rules.call(Request("POST", "/runs", (), headers, body), Started)).run

    def get(self, run: str) -> Plan[RunState]:
        return self.rules.call(Request("GET", f"/runs/{_run(run)}"), RunState)

    def stop(self, run: str) -> Plan[Started]:
        return self.rules.call(Request("POST", f"/runs/{_run(run)}/stop"), Started)

    def following(self, topics: str | Sequence[str], after: Start) -> Following:
        return Following(self.rules, topics, after)

    def following_run(self, run: str, after: Start) -> Following:
        return Following(self.rules, f"runs.{_run(run)}", after, f"/runs/{run}/events")


def _events(topic: str) -> str:
    """A path is only made of what is known to be a topic."""
    return f"/topics/{valid_topic(topic)}/events"


def _run(run: str) -> str:
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise InvalidRequest("The id of a run is letters and digits.")
    return run


def _key(key: str | None) -> str:
    """A new one where none is given: a request whose answer was lost is sent again, and must not be taken twice."""
    if key is None:
        return secrets.token_urlsafe(18)
    if not _KEY.fullmatch(key):
        raise InvalidRequest("A key is 1 to 200 printable ASCII characters.")
    return key


def _encode(value: Any) -> bytes:
    try:
        return _json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"Data is text, or what JSON can say: {error}.") from None


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest("Data holds half of a surrogate pair, which is no character.") from None
