"""Comments and events in order, from bytes that are cut anywhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from tidings import ServerSentEvent
from tidings.client.comments import Comment, CommentDecoder
from tidings.wire.sse import Decoder

VECTORS = json.loads((Path(__file__).parent.parent / "wire/vectors/sse.json").read_text("utf-8"))


def read(stream: bytes, size: int) -> list[str]:
    """`:text` for a comment, and the data of an event."""
    decoder = CommentDecoder(Decoder())
    items = [item for i in range(0, len(stream), size) for item in decoder.feed(stream[i : i + size])]
    return [f":{item.text}" if isinstance(item, Comment) else item.data for item in items]


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([":a"], [":a"]),
        ([":", ": ", ":  a ", "::a"], [":", ":", ": a ", "::a"]),
        (["\ufeff: a", "data: 1", ":b", "", ": c"], [":a", ":b", "1", ":c"]),
        (["\ufeff\ufeff: a", "data: 1", ""], ["1"]),
        (["data: :a", "data: 2", "", "", ":ü豆"], [":a\n2", ":ü豆"]),
        (["x:a", " : a", ":a"], [":a"]),
    ],
)
def test_comments_come_in_order_with_events(lines: list[str], expected: list[str], end: str, size: int) -> None:
    stream = "".join(line + end for line in lines).encode()
    assert read(stream, size) == expected
    assert read(stream + b":unfinished", size) == expected


def test_a_comment_comes_with_its_line_end() -> None:
    decoder = CommentDecoder(Decoder())
    assert decoder.feed(b":a") == []
    assert decoder.feed(b"\r") == [Comment("a")]
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b":b\n") == [Comment("b")]


def test_bytes_that_are_not_utf_8_are_replaced() -> None:
    assert read(b":\xff\n", 1) == [":\ufffd"]


@pytest.mark.parametrize("size", [1, 2, 1 << 20])
def test_events_are_those_of_the_decoder(size: int) -> None:
    for vector in VECTORS:
        stream = base64.b64decode(vector["base64"]) if "base64" in vector else vector["text"].encode()
        decoder = Decoder()
        reader = CommentDecoder(decoder)
        items = [item for i in range(0, len(stream), size) for item in reader.feed(stream[i : i + size])]
        events = [item for item in items if not isinstance(item, Comment)]
        assert events == [ServerSentEvent(**event) for event in vector["events"]], vector["name"]
        assert decoder.last_event_id == vector["last_event_id"], vector["name"]
        assert decoder.retry == vector["retry"], vector["name"]
