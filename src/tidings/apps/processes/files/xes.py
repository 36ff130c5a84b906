"""PURE: XES (IEEE 1849), by the parser of the standard library. Only an event's own attributes name it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn
from xml.parsers import expat

from .content import HTML
from .records import EVENT_BYTES, OWN, Found, Options, Wrong, record
from .times import Times

DEPTH = 128
"""Levels of nested attributes."""

WAITING = 10_000
"""Events of a trace that may come before the attribute that names the trace."""

CASE, ACTIVITY, TIMESTAMP = "concept:name", "concept:name", "time:timestamp"
LIFECYCLE, RESOURCE = "lifecycle:transition", "org:resource"

_TEXTS = frozenset({"string", "date", "id"})
_VALUES = _TEXTS | {"int", "float", "boolean"}
_NAMES = re.compile(r"'([^']*)'|(\S+)")


def events(chunks: Iterable[bytes], options: Options, times: Times) -> Iterator[Found]:
    """Yield the events of a log in XES, in the order of the file. Raises Wrong for what is no XES."""
    parser = _Parser(options, times)
    for chunk in chunks:
        parser.feed(chunk)
        while parser.found:
            yield parser.found.popleft()
    parser.feed(b"", last=True)
    yield from parser.found


class _Parser:
    """The state between two elements. `trace` and `event`: the attributes so far of those that are open."""

    def __init__(self, options: Options, times: Times) -> None:
        self.found: deque[Found] = deque()
        self.classifiers: dict[str, list[str]] = {}
        self._options, self._times = options, times
        self._case = options.case or CASE
        self._activity = options.activity or ACTIVITY
        self._timestamp = options.timestamp or TIMESTAMP
        self._lifecycle = options.lifecycle.lower() if options.lifecycle else None
        self._trace: dict[str, Any] | None = None
        self._event: dict[str, Any] | None = None
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self._is_first = True
        self._nested = self._line = self._size = self._fed = 0
        self._root = False
        self._parser = expat.ParserCreate(options.encoding)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(chunk, last)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            if not self._root:
                raise Wrong(error.lineno, f"the file is not XES: {reason}") from None
            raise Wrong(error.lineno, f"the XML is broken or cut off: {reason}") from None
        except (LookupError, ValueError) as error:
            raise Wrong(self._parser.CurrentLineNumber, f"the encoding cannot be read: {error}") from None
        self._fed += len(chunk)
        if self._fed - self._parser.CurrentByteIndex > EVENT_BYTES + len(chunk):
            raise Wrong(self._parser.CurrentLineNumber, f"one element or attribute has over {EVENT_BYTES:,} bytes")

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        if name.lower() == "html":
            raise Wrong(self._parser.CurrentLineNumber, HTML)
        raise Wrong(self._parser.CurrentLineNumber, "the file has a DOCTYPE, which XES never has")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._nested:
            self._nested += 1
            if self._nested > DEPTH:
                raise Wrong(self._parser.CurrentLineNumber, f"attributes are nested over {DEPTH} levels deep")
        elif (event := self._event) is not None:
            self._nested = 1
            if tag in _TEXTS and "key" in attributes and "value" in attributes:
                # As `_take` does, without a call: four of five elements of a log are attributes of this kind.
                key, value = attributes["key"], attributes["value"]
                event[key] = value
                self._size += len(key) + len(value)
                if self._size > EVENT_BYTES:
                    self._refuse_size()
            else:
                self._take(event, tag, attributes)
        elif tag == "event":
            self._event, self._line, self._size = {}, self._parser.CurrentLineNumber, 0
        elif self._trace is not None:
            self._nested = 1
            self._take(self._trace, tag, attributes)
        elif tag == "trace":
            self._trace, self._is_first, self._size = {}, True, 0
        elif self._root:
            self._nested = 1
            if tag == "classifier" and attributes.get("scope", "event") == "event":
                keys = [quoted or plain for quoted, plain in _NAMES.findall(attributes.get("keys", ""))]
                self.classifiers[attributes.get("name", "")] = keys
        elif tag == "log":
            self._root = True
        elif ":" in tag:
            self._plain_names(tag, attributes)
        else:
            raise Wrong(self._parser.CurrentLineNumber, HTML if tag.lower() == "html" else f"<{tag[:40]}> is not XES")

    def _plain_names(self, tag: str, attributes: dict[str, str]) -> None:
        """Read a log whose tags have a prefix: from now on it is cut off."""
        prefix = tag.partition(":")[0] + ":"
        start, end = self._start, self._end
        self._parser.StartElementHandler = lambda tag, attributes: start(tag.removeprefix(prefix), attributes)
        self._parser.EndElementHandler = lambda tag: end(tag.removeprefix(prefix))
        start(tag.removeprefix(prefix), attributes)

    def _take(self, into: dict[str, Any], tag: str, attributes: dict[str, str]) -> None:
        key, value = attributes.get("key"), attributes.get("value")
        if key is None or value is None or tag not in _VALUES:
            return
        self._size += len(key) + len(value)
        if self._size > EVENT_BYTES:
            self._refuse_size()
        into[key] = _typed(tag, value) if tag in ("int", "float", "boolean") else value

    def _refuse_size(self) -> NoReturn:
        raise Wrong(self._parser.CurrentLineNumber, f"one element has attributes of over {EVENT_BYTES:,} bytes")

    def _end(self, tag: str) -> None:
        if self._nested:
            self._nested -= 1
        elif self._event is not None:
            event, self._event = self._event, None
            if self._trace is None or self._case in self._trace:
                self._give(self._line, event)
            else:
                self._waiting.append((self._line, event))
                if len(self._waiting) >= WAITING:
                    self._give_waiting()
        elif self._trace is not None:
            self._give_waiting()
            self._trace = None

    def _give_waiting(self) -> None:
        for line, event in self._waiting:
            self._give(line, event)
        self._waiting.clear()

    def _give(self, line: int, event: dict[str, Any]) -> None:
        if self._lifecycle is not None and str(event.get(LIFECYCLE, "")).lower() != self._lifecycle:
            return
        trace = self._trace or {}
        case = trace.get(self._case)
        if case is None:
            case = event.get(self._case) if self._options.case else None
        if self._options.classifier is not None:
            activity: Any = self._classified(event, self._options.classifier)
        else:
            activity = event.get(self._activity)
        try:
            at = self._times.read(str(event.get(self._timestamp, "")))
        except ValueError as error:
            self.found.append(Wrong(line, str(error)))
            return
        lifecycle, resource = event.pop(LIFECYCLE, None), event.pop(RESOURCE, None)
        event.pop(self._activity, None)
        event.pop(self._timestamp, None)
        if not OWN.isdisjoint(event):
            event = {f"event:{key}" if key in OWN else key: value for key, value in event.items()}
        if lifecycle is not None:
            event["lifecycle"] = str(lifecycle)
        if resource is not None:
            event["resource"] = str(resource)
        if self._is_first:
            self._is_first = False
            event.update((f"case:{key}", value) for key, value in trace.items() if key != self._case)
        case = case if case is None else str(case)
        activity = activity if activity is None else str(activity)
        self.found.append(record(line, case, activity, at, event))

    def _classified(self, event: dict[str, Any], name: str) -> str | None:
        if name not in self.classifiers:
            listed = ", ".join(repr(known) for known in self.classifiers) or "none"
            raise Wrong(0, f"the log has no classifier {name!r}; it has {listed}")
        values = [event.get(key) for key in self.classifiers[name]]
        return "+".join("" if value is None else str(value) for value in values) if any(values) else None


def _typed(tag: str, value: str) -> Any:
    """Return a number or a truth value, or the text where JSON has no such value."""
    try:
        if tag == "boolean":
            return {"true": True, "false": False}.get(value.lower(), value)
        number = int(value) if tag == "int" else float(value)
    except ValueError:
        return value
    is_exact = abs(number) < 1 << 53 if tag == "int" else number - number == 0
    return number if is_exact else value
