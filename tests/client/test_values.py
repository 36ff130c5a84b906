"""The shapes of a server's JSON, and the values that are made of them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings import Event, InvalidRequest, Offset
from tidings.client.values import Envelope, Events, earliest_of, text_of
from tidings.wire.sse import json_value

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def sent(text: str) -> msgspec.Raw:
    """The data of an event as a server writes it inside JSON."""
    return msgspec.Raw(msgspec.json.encode(json_value(text)))


@given(TEXT | st.sampled_from(["123", '{"a": [1,  2]}', "null", '"123"', " 1 ", "", '"a" ']))
def test_a_text_is_the_same_after_its_way_through_json(text: str) -> None:
    """Two things are lost: the space around JSON, and the quotes around a text that is not JSON itself."""
    try:
        inner = msgspec.json.decode(text)
    except msgspec.DecodeError:
        expected = text
    else:
        quoted = isinstance(inner, str) and isinstance(json_value(inner), str)
        expected = inner if quoted else text.strip(" \t\r\n")
    assert text_of(sent(text)) == expected


def test_an_envelope_is_an_event() -> None:
    text = b'{"type": "t", "time": 1.5, "data": {"x":  1}, "offset": "Ab-7", "topic": "a.b"}'
    envelope = msgspec.json.decode(text, type=Envelope)
    assert envelope.event("a.b") == Event("a.b", Offset("Ab", 7), "t", '{"x":  1}', 1.5)
    transient = msgspec.json.decode(b'{"type": "t", "time": 1, "data": "x", "offset": null}', type=Envelope)
    assert transient.event("a").offset is None
    redacted = b'{"type": "tidings.redacted", "time": 1, "data": {}, "offset": "Ab-7", "redacted": true}'
    assert msgspec.json.decode(redacted, type=Envelope).event("a").redacted


def test_a_page_has_its_events_and_its_ends() -> None:
    text = (
        b'{"events": [{"type": "t", "time": 1, "data": "x", "offset": "Ab-7"}], "next": "Ab-7", "earliest": "Ab-2", '
        b'"tail": "Ab-9", "up_to_date": false, "closed": true}'
    )
    page = msgspec.json.decode(text, type=Events).page("a")
    assert [(event.topic, event.data) for event in page.events] == [("a", "x")]
    assert (page.next, page.earliest, page.tail) == (Offset("Ab", 7), Offset("Ab", 2), Offset("Ab", 9))
    assert (page.up_to_date, page.closed, page.lost) == (False, True, None)


@pytest.mark.parametrize("offset", ["", "7", "Ab-", "Ab-x", "0-3"])
def test_an_offset_that_no_server_sends_is_refused(offset: str) -> None:
    envelope = Envelope("t", 1.0, msgspec.Raw(b"1"), offset)
    with pytest.raises(InvalidRequest):
        envelope.event("a")


def test_the_earliest_event_of_a_topic_without_a_log_is_the_first() -> None:
    assert earliest_of("0-1") == Offset("0", 1)
    assert earliest_of("Ab-4") == Offset("Ab", 4)
