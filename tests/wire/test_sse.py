"""Event streams: every vector under every cut, and properties against a second, slow and obvious decoder."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidings.errors import InvalidRequest
from tidings.events import Event, Offset
from tidings.wire import sse
from tidings.wire.sse import KEEP_ALIVE, Decoder, Format, ServerSentEvent, decode, encode

VECTORS = json.loads((Path(__file__).parent.parent / "wire/vectors/sse.json").read_text("utf-8"))


def cut(stream: bytes, size: int) -> Iterator[bytes]:
    return (stream[i : i + size] for i in range(0, len(stream), size))


def reference(stream: bytes) -> tuple[list[ServerSentEvent], str, int | None]:
    """The events, the last event ID and the reconnection time of a whole stream, as the standard's text reads."""
    text = stream.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    events: list[ServerSentEvent] = []
    data, type, id, taken, retry, own_retry = "", "", "", "", None, None
    for line in text.split("\n")[:-1]:
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if line == "":
            taken = id
            if data:
                events.append(ServerSentEvent(type or "message", data[:-1], id, own_retry))
            data, type, own_retry = "", "", None
        elif name == "data":
            data += value + "\n"
        elif name == "event":
            type = value
        elif name == "id" and "\0" not in value:
            id = value
        elif name == "retry" and value and set(value) <= set("0123456789"):
            retry = own_retry = int(value)
    return events, taken, retry


def decoded(chunks: Iterator[bytes]) -> tuple[list[ServerSentEvent], str, int | None]:
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return events, decoder.last_event_id, decoder.retry


@pytest.mark.parametrize("size", [1, 2, 1 << 20])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['group']}: {vector['name']}")
def test_decoder_reads_every_vector_however_it_is_cut(vector: dict[str, Any], size: int) -> None:
    stream = base64.b64decode(vector["base64"]) if "base64" in vector else vector["text"].encode()
    expected = [ServerSentEvent(**event) for event in vector["events"]], vector["last_event_id"], vector["retry"]
    assert decoded(cut(stream, size)) == expected


def test_an_event_fires_with_its_last_byte_even_if_that_is_a_cr() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\r") == []
    assert decoder.feed(b"\r") == [("message", "a", "", None)]
    assert decoder.feed(b"\n") == [], "this LF belongs to the CR before it"
    assert decoder.feed(b"") == []
    assert decoder.feed(b"data: b\n\n") == [("message", "b", "", None)]


@pytest.mark.parametrize(("megabytes", "size"), [(5, 8 << 20), (5, 3 << 20), (5, 1000), (1, 1)])
def test_a_line_of_megabytes_costs_what_its_bytes_cost(megabytes: int, size: int) -> None:
    """Quadratic work would be hundreds of gigabytes of copies here."""
    line = b"x" * (megabytes << 20)
    [event] = decode(cut(b"data: " + line + b"\n\n", size))
    assert len(event.data) == len(line)


SOUP = st.lists(
    st.one_of(
        st.sampled_from([b"data", b"event", b"id", b"retry", b":", b": ", b"\n", b"\r", b"\r\n", b"\n\n", b"data: "]),
        st.sampled_from(["\ufeff".encode(), "€豆😀".encode(), b"\0", b" ", b"\xff", b"\xe2\x82", b"12", "٣".encode()]),
        st.binary(max_size=4),
    ),
    max_size=40,
).map(b"".join)

LINES = [
    "data: a",
    "data:b",
    "data",
    "data: " + "x" * 30,
    "event: t",
    "event:",
    "id: 1",
    "id:2",
    "id:",
    "id: \0",
    "retry: 5",
    ": c",
]
BLOCKS = st.lists(st.lists(st.sampled_from([*LINES[:7], *LINES]), max_size=4), min_size=1, max_size=20).map(
    lambda blocks: "".join("\n".join([*lines, "", ""]) for lines in blocks).encode()
)
"""Shapes that a regular expression takes whole, and others that are near."""


def chunked(data: st.DataObject, stream: bytes) -> Iterator[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return (stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True))


@pytest.mark.parametrize("long", [sse._LONG, 1], ids=["short lines", "long lines"])
@given(st.data(), SOUP | BLOCKS)
def test_decoder_agrees_with_the_obvious_one_under_any_cut(long: int, data: st.DataObject, stream: bytes) -> None:
    with mock.patch.object(sse, "_LONG", long):
        assert decoded(chunked(data, stream)) == reference(stream)


TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\r\n\0\1: é\u2028\ufeff"))
ID = TEXT.filter(lambda text: not set(text) & set("\r\n\0"))
TYPE = ID.filter(bool)
OFFSET = st.builds(Offset, st.from_regex(r"[1-9A-Za-z][0-9A-Za-z]{3,7}", fullmatch=True), st.integers(0, 1 << 60))
PART = st.from_regex(rb"[A-Za-z0-9._~-]{0,20}", fullmatch=True)
EVENT = st.builds(Event, st.just("t"), st.none() | OFFSET, TYPE | st.just("message"), TEXT, st.floats(0, 2e9))


def as_lines(data: str) -> str:
    """All that an event stream can carry of a line end is that there was one."""
    return data.replace("\r\n", "\n").replace("\r", "\n")


@given(st.data(), st.lists(st.tuples(TYPE, TEXT, ID, st.none() | st.integers(0, 10**17)), max_size=4))
def test_encoded_events_are_decoded(data: st.DataObject, events: list[tuple[str, str, str, int | None]]) -> None:
    got, _, _ = decoded(chunked(data, b"".join(encode(*event) for event in events)))
    last = ""
    for event, (type, text, id, retry) in zip(got, events, strict=True):
        last = id or last
        assert event == ServerSentEvent(type, as_lines(text), last, retry)


def test_the_bytes_of_an_event() -> None:
    assert encode("message", "a\r\nb\rc\n", "Ab-1") == b"data: a\ndata: b\ndata: c\ndata: \nid: Ab-1\n\n"
    assert encode("add", "") == b"event: add\ndata: \n\n"
    assert encode("add", " x", "", 1500) == b"event: add\ndata:  x\nretry: 1500\n\n"
    assert KEEP_ALIVE == b":\n"


@pytest.mark.parametrize(
    ("type", "data", "id", "retry"),
    [(bad, "", "", None) for bad in ("a\nb", "a\rb", "a\0b", "", "\ud800")]
    + [("t", "", bad, None) for bad in ("a\nb", "a\rb", "a\0b", "\ud800")]
    + [("t", "\udcff", "", None), ("t", "", "", -1)],
)
def test_an_event_that_no_stream_can_carry_is_refused(type: str, data: str, id: str, retry: int | None) -> None:
    with pytest.raises(InvalidRequest):
        encode(type, data, id, retry)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("envelope", [False, True])
@pytest.mark.parametrize(
    ("type", "data"), [("a\nb", ""), ("a\0", ""), ("\ud800", ""), ("t", "\ud800"), ("t", chr(0xDCFE))]
)
def test_a_format_refuses_it_too(type: str, data: str, envelope: bool, joined: bool) -> None:
    with pytest.raises(InvalidRequest):
        Format(envelope, joined).encode("t", [Event("t", Offset("Ab", 1), type, data, 0.0)])


@given(st.lists(EVENT, max_size=5))
def test_a_format_writes_what_encode_writes(events: list[Event]) -> None:
    one_by_one = [encode(e.type, e.data, str(e.offset) if e.offset else "") for e in events]
    assert Format().encode("a.b", events) == b"".join(one_by_one)


@given(st.lists(EVENT, max_size=5), PART, PART)
@example(
    [Event("t", Offset("Ab", 1), "t", "\0\1\nid: \0\xfe\xff", 0.0), Event("t", None, "t", "x\1", 0.0)], b"Cd-1~", b""
)
def test_a_joined_template_gives_each_connection_its_own_ids(events: list[Event], before: bytes, after: bytes) -> None:
    """The ids are right for any data, raw NUL and U+0001 included, and for several templates in a row."""
    joined = Format(joined=True)
    template = joined.encode("a.b", events[:2]) + joined.encode("a.b", events[2:])
    expected = [
        encode(e.type, e.data, f"{before.decode()}{e.offset}{after.decode()}" if e.offset else "") for e in events
    ]
    assert joined.place(template, before, after) == b"".join(expected)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda x: st.lists(x) | st.dictionaries(TEXT, x))


def not_json(name: str) -> None:
    """Python reads NaN and Infinity; JSON has neither."""
    raise ValueError(name)


@given(st.builds(Event, st.just("a.b"), st.none() | OFFSET, TYPE, TEXT | JSON.map(json.dumps), st.floats(0, 2e9)))
@example(Event("t", None, "t", "NaN", 1.5))
@example(Event("t", None, "t", "[" * 5000 + "]" * 5000, 1.5))
@example(Event("t", None, "t", '{"a":\r\n1}', 1.5))
def test_an_envelope_holds_the_event_and_its_topic(event: Event) -> None:
    [got] = decode([Format(envelope=True).encode("a.b", [event])])
    envelope = json.loads(got.data) if "[" * 500 not in event.data else {}
    try:
        data = json.loads(event.data, parse_constant=not_json)
    except (ValueError, RecursionError):
        data = event.data
    offset = str(event.offset) if event.offset else None
    assert got.type == event.type
    assert got.id == (offset or "")
    if envelope:
        assert envelope == {"topic": "a.b", "offset": offset, "type": event.type, "time": event.time, "data": data}


def test_a_notice_is_an_event_of_no_log() -> None:
    data = {"topic": "a.b", "reason": "trimmed", "earliest": "Ab-7"}
    [plain] = decode([Format().notice("a.b", "tidings.reset", data, "Ab-6")])
    assert plain == ("tidings.reset", '{"topic":"a.b","reason":"trimmed","earliest":"Ab-7"}', "Ab-6", None)
    format = Format(envelope=True, joined=True)
    [wrapped] = decode([format.notice("a.b", "tidings.reset", data, "Ab-6~Cd-1", 5.5)])
    assert (wrapped.type, wrapped.id) == ("tidings.reset", "Ab-6~Cd-1")
    assert json.loads(wrapped.data) == {
        "topic": "a.b", "offset": None, "type": "tidings.reset", "time": 5.5, "data": data,
    }  # fmt: skip


@pytest.mark.parametrize("half", [b"", b"da", b"data: x", b"data: x\n", b"event: chat\ndata: x\nid: 1", b"id: 1-2\n"])
def test_a_cut_ends_a_half_event_for_a_client_that_kept_it(half: bytes) -> None:
    whole = encode("message", "next", "E-2")
    kept = list(decode([half + sse.cut(b"E-1") + whole]))
    assert [event for event in kept if event.type != "tidings.cut"] == [ServerSentEvent("message", "next", "E-2", None)]
    assert all(event.id == "E-1" for event in kept[:-1])
    assert list(decode([sse.cut(b"E-1") + whole])) == kept[-1:]
