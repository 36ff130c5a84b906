"""PURE: the cases of a process that a filter selects, and the state of a process that has only these."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence

import msgspec

from tidings.events import Event

from .figures import number_of
from .filters import Filter, wrong
from .fold import NONE, OTHER, Import, Process
from .variants import FOLDED, ROOT, WIDE

SLICE = 5_000
"""Events that are folded at once."""

_ESCAPED = re.compile(r'["\\\x00-\x1f]')


class Columns:
    """A copy of what a filter looks at in a process, so that a thread can look while the process goes on. See Process.

    `present`, `absent`: the numbers of the filter's activities, None for one that the process does not have. `traces`,
    `nodes`: the filter's variants, and the places of the cases that have them. Raises InvalidRequest for an activity
    that may be among those that the process counts together.
    """

    def __init__(self, process: Process, filter: Filter) -> None:
        self.case_of: array[int] = process.case_of[:]
        self.activity_of: array[int] = process.activity_of[:]
        self.time_of: array[int] = process.time_of[:]
        self.offset_of: array[int] = process.offset_of[:]
        self.before: array[int] = process.before[:]
        self.place: array[int] = process.place[:]
        self.last: array[int] = process.last[:]
        self.names: list[str] = list(process.names)
        self.refused: int = process.refused
        self.imports: dict[str, Import] = dict(process.imports)
        self.present: list[int | None] = [_number(process, "with", name) for name in filter.present]
        self.absent: list[int | None] = [_number(process, "without", name) for name in filter.absent]
        self.traces: set[tuple[int | None, ...]] = {
            tuple(_number(process, "variant", name) for name in trace) for trace in filter.variants
        }
        self.nodes: set[int | None] = {_node(process, trace) for trace in self.traces}


class Fields:
    """The cases that have an event with a field of a name and a text, for each attribute of a filter.

    `cases`: for each attribute a byte for each case. A text is that of a field which is text, a number of the same
    value, or `true`, `false` or `null`. Lists and objects have none.
    """

    def __init__(self, columns: Columns, attributes: Sequence[tuple[str, str]]) -> None:
        self.cases: list[bytearray] = [bytearray(len(columns.last)) for _ in attributes]
        self._columns, self._event = columns, 0
        names = sorted({name for name, _ in attributes})
        self._read: Callable[[str], Sequence[object]] = _reader(names)
        self._looks = [
            (names.index(name), text, _json(text), cases)
            for (name, text), cases in zip(attributes, self.cases, strict=True)
        ]

    def take(self, events: Sequence[Event]) -> None:
        """Look at the next events of the log. Those that are not in the columns are left out."""
        offsets, case_of, at = self._columns.offset_of, self._columns.case_of, self._event
        for event in events:
            assert event.offset is not None
            n = event.offset.n
            while at < len(offsets) and offsets[at] < n:
                at += 1
            if at == len(offsets):
                break
            if event.redacted or offsets[at] != n or case_of[at] == NONE:
                continue
            try:
                fields = self._read(event.data)
            except (msgspec.DecodeError, RecursionError):
                continue
            for field, text, value, cases in self._looks:
                found = fields[field]
                if found == text if isinstance(found, str) else _is(found, value):
                    cases[case_of[at]] = 1
        self._event = at


def selected(columns: Columns, filter: Filter, fields: Fields) -> bytearray:
    """Return a byte for each case, which is 1 if the filter selects the case."""
    chosen = bytearray(last != NONE for last in columns.last)
    if filter.variants:
        for case, place in enumerate(columns.place):
            if place not in columns.nodes and not (place == FOLDED and _trace(columns, case) in columns.traces):
                chosen[case] = 0
    if filter.since is not None or filter.until is not None:
        since = -1 << 62 if filter.since is None else filter.since
        until = 1 << 62 if filter.until is None else filter.until
        for case, time in zip(columns.case_of, columns.time_of, strict=True):
            if case != NONE and not since <= time <= until:
                chosen[case] = 0
    for number in columns.absent:
        if number is not None:
            for case, activity in zip(columns.case_of, columns.activity_of, strict=True):
                if activity == number and case != NONE:
                    chosen[case] = 0
    having = list(fields.cases)
    for number in columns.present:
        cases = bytearray(len(chosen))
        for case, activity in zip(columns.case_of, columns.activity_of, strict=True):
            if activity == number and case != NONE:
                cases[case] = 1
        having.append(cases)
    for cases in having:
        chosen = bytearray(map(int.__and__, chosen, cases))
    return chosen


def folded(columns: Columns, chosen: bytearray) -> Process:
    """Return the state of a process that was given the events of the selected cases alone.

    Activities have the numbers that they have in the whole process, so that the same ones are counted together.
    """
    process = Process()
    process.names = columns.names
    process.numbers = {name: number for number, name in enumerate(columns.names) if name}
    process.total, process.cases_of, process.starts, process.at = ([0] * len(columns.names) for _ in range(4))
    names = [*columns.names, ""]  # the last one stands for OTHER, since no activity has an empty name
    case_of, activity_of, time_of = columns.case_of, columns.activity_of, columns.time_of
    for start in range(0, len(case_of), SLICE):
        end = start + SLICE
        steps = zip(case_of[start:end], activity_of[start:end], time_of[start:end], strict=True)
        rows = [(str(case), names[activity], time) for case, activity, time in steps if case != NONE and chosen[case]]
        process.take(rows, start + 1)
    process.refused, process.imports = columns.refused, columns.imports
    return process


def _number(process: Process, parameter: str, activity: str) -> int | None:
    number = number_of(process, activity)
    if number is None and len(process.total) > OTHER and process.total[OTHER]:
        raise wrong(parameter, f"names no activity among the first {OTHER:,}; further ones are counted together")
    return number


def _node(process: Process, trace: Sequence[int | None]) -> int | None:
    node: int | None = ROOT
    for number in trace:
        if number is None or node is None:
            return None
        node = process.variants.children.get(node << WIDE | number)
    return node


def _trace(columns: Columns, case: int) -> tuple[int, ...]:
    trace, event = list[int](), columns.last[case]
    while event != NONE:
        trace.append(columns.activity_of[event])
        event = columns.before[event]
    return tuple(reversed(trace))


def _reader(names: Sequence[str]) -> Callable[[str], Sequence[object]]:
    """Return a function that reads the values of these members of an object, UNSET for those that it lacks.

    A structure reads no other member, but takes no name that JSON escapes.
    """
    if any(_ESCAPED.search(name) for name in names):
        read_all = msgspec.json.Decoder(dict[str, object]).decode

        def read(data: str) -> Sequence[object]:
            fields = read_all(data)
            return [fields.get(name, msgspec.UNSET) for name in names]

        return read
    members = [(f"field{at}", object, msgspec.UNSET) for at in range(len(names))]
    renamed = {f"field{at}": name for at, name in enumerate(names)}
    read_struct = msgspec.json.Decoder(msgspec.defstruct("EventFields", members, rename=renamed)).decode
    return lambda data: msgspec.structs.astuple(read_struct(data))


def _json(text: str) -> object:
    """Return the number, the truth value or the null that a text is in JSON, or UNSET."""
    try:
        value: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.UNSET
    return msgspec.UNSET if isinstance(value, str | list | dict) else value


def _is(found: object, value: object) -> bool:
    if found is msgspec.UNSET or value is msgspec.UNSET or isinstance(found, list | dict):
        return False
    return found == value and isinstance(found, bool) == isinstance(value, bool)
