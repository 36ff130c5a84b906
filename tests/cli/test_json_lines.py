"""JSON lines: reading, writing, and the sentences about wrong lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any, ClassVar, cast

import pytest

from tidings import Appended, Client, Closed, Event, NotFound, Offset, Unavailable
from tidings.cli.json_lines import (
    REFUSED,
    UNREACHABLE,
    WRONG,
    Failure,
    exit_code,
    parse_line,
    publish_lines,
    read_chunks,
    write_line,
)


class Server:
    """A client whose server stores what it is sent, or refuses it with `error`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.stored: list[tuple[str, Any]] = []
        self._error = error

    def publish_many(self, topic: str, events: Iterable[tuple[str, Any]]) -> Appended:
        if self._error is not None:
            raise self._error
        first = Offset("Ab", len(self.stored) + 1)
        self.stored += [(type, bytes(data) if not isinstance(data, str) else data) for type, data in events]
        return Appended(first, Offset("Ab", len(self.stored)))


@pytest.mark.parametrize(
    ("data", "written"), [("Grüße", "Grüße"), ('{"a":  1}', {"a": 1}), ("12", 12), ("", ""), ("{broken", "{broken")]
)
def test_an_event_is_written_as_a_line(data: str, written: object) -> None:
    line = write_line(Event("a", Offset("Ab", 7), "t", data, 1.5))
    assert json.loads(line) == {"offset": "Ab-7", "type": "t", "time": 1.5, "data": written}
    assert b"\n" not in line
    assert json.loads(write_line(Event("a", None, "t", data, 1.5)))["offset"] is None


def test_a_line_that_was_written_can_be_read() -> None:
    line = write_line(Event("a", Offset("Ab", 7), "t", '{"a": 1}', 1.5))
    read = parse_line(line, 1, "", plain=False)
    assert read is not None
    assert (read[0], bytes(cast(Any, read[1]))) == ("t", b'{"a": 1}')


def test_a_line_without_a_type_has_the_type_of_the_command() -> None:
    for given, type in (("", "message"), ("order.paid", "order.paid")):
        read = parse_line(b'{"data": 1}', 1, given, plain=False)
        assert read is not None
        assert read[0] == type
    assert parse_line(b" \t", 1, "", plain=False) is None
    assert parse_line(b" x \r", 1, "", plain=True) == ("message", " x ")
    assert parse_line(b"", 1, "", plain=True) == ("message", "")


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"type": "t"}', b'{"data": 1, "type": 2}', b'{"data": "\xff"}'])
def test_a_wrong_line_is_named_by_its_number(text: bytes) -> None:
    with pytest.raises(Failure, match="Line 41 is not an event") as caught:
        parse_line(text, 41, "", plain=False)
    assert caught.value.code == WRONG


def test_lines_come_as_they_arrive() -> None:
    class Arriving(io.BytesIO):
        parts: ClassVar = [b"a\nb", b"c\n", b"d\ne\nf", b""]

        def read1(self, size: int | None = -1, /) -> bytes:
            return self.parts.pop(0)

    assert list(read_chunks(Arriving())) == [(1, [b"a"]), (2, [b"bc"]), (3, [b"d", b"e"]), (5, [b"f"])]


def test_the_lines_before_a_wrong_line_are_stored() -> None:
    server = Server()
    texts = [b'{"data": 1}', b"", b'{"data": "x", "type": "t"}', b"broken", b'{"data": 3}']
    stored = publish_lines(cast(Client, server), "a", 10, texts, "", plain=False)
    assert json.loads(next(stored)) == {"offset": "Ab-2", "first": "Ab-1", "last": "Ab-2"}
    with pytest.raises(Failure, match="Line 13"):
        next(stored)
    assert server.stored == [("message", b"1"), ("t", b'"x"')]


@pytest.mark.parametrize(
    ("texts", "named"), [([b"1"], "Line 7: "), ([b"1", b"2", b"3"], "Lines 7 to 9: "), ([b"1", b""], "Line 7")]
)
def test_refused_lines_are_named_by_their_numbers(texts: list[bytes], named: str) -> None:
    lines = [b'{"data": %s}' % text if text else b"" for text in texts]
    with pytest.raises(Failure, match=named) as caught:
        list(publish_lines(cast(Client, Server(Closed())), "a", 7, lines, "", plain=False))
    assert caught.value.code == REFUSED


def test_the_exit_code_says_if_a_server_answers() -> None:
    assert exit_code(Unavailable()) == UNREACHABLE
    assert exit_code(NotFound()) == REFUSED
