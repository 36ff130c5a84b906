"""PURE: the state of a process as text for a snapshot, and back. 262,200 events take about 2 MB."""

from __future__ import annotations

import zlib
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec

from .durations import Durations
from .fold import Import, Process
from .variants import WIDE, Variants

CHUNK = 20_000
"""Names that are written at once: in between, other threads have their turn."""


class _Edge(msgspec.Struct, array_like=True):
    key: int
    cases: int
    values: bytes
    buckets: dict[int, int]
    counted: int
    sum: int
    extremes: tuple[int, int, int, int]
    stale: bool


class _Frozen(msgspec.Struct, array_like=True):
    """The state. `ids`: the names of cases, CHUNK in each part; columns are bytes in the order of this machine."""

    names: list[str]
    by_activity: list[list[int]]
    columns: list[bytes]
    ids: list[bytes]
    places: list[bytes]
    edges: list[_Edge]
    tree: list[bytes]
    here: list[int]
    passing: list[int]
    free: list[int]
    counts: tuple[int, int, int, int, int]
    extent: tuple[int, int]
    imports: dict[str, Import]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Frozen).decode
_ids = msgspec.msgpack.Decoder(list[str]).decode


def freeze(process: Process) -> Callable[[], str]:
    """Copy the state, and return the function that writes the copy as text.

    The names of cases are copied by that function, since a million of them would hold the event loop for 20 ms more. A
    name changes only when the last event of its case is redacted, and the snapshot is then followed by the redaction.
    """
    tree, ids, cases = process.variants, process.ids, len(process.ids)
    frozen = _Frozen(
        names=list(process.names),
        by_activity=[list(column) for column in (process.total, process.cases_of, process.starts, process.at)],
        columns=[column.tobytes() for column in _columns(process)],
        ids=[],
        places=[process.place.tobytes(), process.last.tobytes()],
        edges=[_frozen_edge(key, edge) for key, edge in process.edges.items()],
        tree=[tree.parent.tobytes(), tree.activity.tobytes(), bytes(tree.new_edge), bytes(tree.new_activity)],
        here=list(tree.here),
        passing=list(tree.passing),
        free=list(tree.free),
        counts=(process.events, process.refused, process.other_edges, tree.variants, tree.folded),
        extent=(process.earliest, process.latest),
        imports=dict(process.imports),
    )

    def write() -> str:
        frozen.ids = [_encode(ids[at : min(at + CHUNK, cases)]) for at in range(0, cases, CHUNK)]
        return b64encode(zlib.compress(_encode(frozen), 1)).decode()

    return write


def thaw(text: str) -> Process:
    """Return the state that `freeze` wrote. Raises ValueError for another text."""
    try:
        frozen = _decode(zlib.decompress(b64decode(text, validate=True)))
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(f"is no state of a process: {error}") from None
    process, tree = Process(), Variants()
    process.names = frozen.names
    process.numbers = {name: number for number, name in enumerate(frozen.names) if name}
    process.total, process.cases_of, process.starts, process.at = frozen.by_activity
    for column, content in zip(_columns(process), frozen.columns, strict=True):
        column.frombytes(content)
    process.ids = [name for chunk in frozen.ids for name in _ids(chunk)]
    process.cases = {name: case for case, name in enumerate(process.ids) if name}
    process.place.frombytes(frozen.places[0])
    process.last.frombytes(frozen.places[1])
    process.edges = {edge.key: _thawed_edge(edge) for edge in frozen.edges}
    process.events, process.refused, process.other_edges, tree.variants, tree.folded = frozen.counts
    process.earliest, process.latest = frozen.extent
    process.imports = frozen.imports
    tree.parent, tree.activity = array("i"), array("H")
    tree.parent.frombytes(frozen.tree[0])
    tree.activity.frombytes(frozen.tree[1])
    tree.new_edge, tree.new_activity = bytearray(frozen.tree[2]), bytearray(frozen.tree[3])
    tree.here, tree.passing, tree.free = frozen.here, frozen.passing, frozen.free
    tree.edge = [None] * len(tree.parent)
    tree.children = {
        parent << WIDE | activity: node
        for node, (parent, activity, passing) in enumerate(zip(tree.parent, tree.activity, tree.passing, strict=True))
        if passing
    }
    process.variants = tree
    return process


def _columns(process: Process) -> list[array[int]]:
    return [process.case_of, process.activity_of, process.time_of, process.offset_of, process.before]


def _frozen_edge(key: int, edge: Durations) -> _Edge:
    extremes = edge.low, edge.high, edge.lows, edge.highs
    values, buckets = edge.values.tobytes(), dict(edge.buckets)
    return _Edge(key, edge.cases, values, buckets, edge.counted, edge.sum, extremes, edge.stale)


def _thawed_edge(frozen: _Edge) -> Durations:
    edge = Durations()
    edge.cases, edge.buckets, edge.counted, edge.sum = frozen.cases, frozen.buckets, frozen.counted, frozen.sum
    edge.values.frombytes(frozen.values)
    edge.low, edge.high, edge.lows, edge.highs = frozen.extremes
    edge.stale = frozen.stale
    return edge
