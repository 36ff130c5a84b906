"""The checker sees what it is there to see."""

from __future__ import annotations

from collections import Counter
from random import Random

import msgspec
import pytest

from tests.delivery.client import Chunked
from tests.delivery.reader import Reader
from tests.delivery.truth import Broken, Topic


def reader(*topics: Topic, start: str = "earliest", envelope: bool = False) -> Reader:
    made = Reader("r", Random(1), [0], topics, Counter())
    made.start, made.envelope = start, envelope
    return made


def event(topic: str, id: str, what: str = "") -> str:
    n = id.split("~")[0].rpartition("-")[2]
    return f"data: {topic}|message|{what or n}|\nid: {id}\n\n"


def notice(type: str, id: str, **data: str) -> str:
    return f"event: tidings.{type}\ndata: {msgspec.json.encode(data).decode()}\nid: {id}\n\n"


def feed(made: Reader, *blocks: str) -> Reader:
    made._feed("".join(blocks).encode())
    return made


A, B = Topic("a", stable=True), Topic("b", stable=False)
FINE = [event("a", "E-1"), event("a", "E-2"), event("a", "E-3")]


@pytest.fixture(autouse=True)
def _fresh_topics() -> None:
    for topic in (A, B):
        topic.lives.clear()
        topic.buried.clear()
        topic.tail = None
        topic.deletes = 0


def test_a_sound_stream_is_accepted() -> None:
    made = feed(reader(A), "retry: 1500\n", *FINE[:2], ":\n", FINE[2], notice("end", "E-3", topic="a", offset="E-3"))
    assert made.tally == {"events": 3, "ends": 1}
    assert made.at == [("E", 3)]
    two = feed(reader(A, B), event("a", "E-1~0-0"), event("b", "E-1~F-1", "x"), event("b", "E-1~F-2", "y"))
    assert two.at == [("E", 1), ("F", 2)]


@pytest.mark.parametrize(
    "blocks",
    {
        "lost": [FINE[0], FINE[2]],
        "lost first": [FINE[1]],
        "doubled": [FINE[0], FINE[1], FINE[1]],
        "out of order": [FINE[0], FINE[2], FINE[1]],
        "another life": [FINE[0], event("a", "F-2")],
        "another's data": [event("b", "E-1")],
        "not the data": [FINE[0], event("a", "E-2", "other")],
        "no id": [FINE[0], "data: a|message|2|\n\n"],
        "no data": [FINE[0], "id: E-2\n\n"],
        "a comment that is a block": [FINE[0], ": ping\n\n", FINE[1]],
        "a reset of what was never touched": [
            FINE[0],
            notice("reset", "E-5", topic="a", reason="trimmed", earliest="E-6"),
        ],
        "an event after the end": [FINE[0], notice("end", "E-1", topic="a", offset="E-1"), FINE[1]],
        "a transient event with an id": ["event: cast\ndata: cast|1\nid: E-1\n\n"],
    }.items(),
    ids=lambda pair: pair[0],
)
def test_a_broken_stream_is_found(blocks: tuple[str, list[str]]) -> None:
    A.life("E").tell(2, "a|message|2|")
    with pytest.raises(Broken):
        feed(reader(A), *blocks[1])


@pytest.mark.parametrize(
    "last",
    {
        "the other moved": event("a", "E-2~F-1"),
        "both moved": event("a", "E-2~F-2"),
        "neither moved": event("a", "E-1~F-0"),
        "too short": event("a", "E-2"),
        "swapped": event("b", "E-2~F-0"),
    }.items(),
    ids=lambda pair: pair[0],
)
def test_a_wrong_topic_is_found(last: tuple[str, str]) -> None:
    with pytest.raises(Broken):
        feed(reader(A, B, start="tail"), event("a", "E-1~F-0"), last[1])


@pytest.mark.parametrize(
    ("reason", "earliest", "fits"),
    [
        ("trimmed", "E-9", True),
        ("trimmed", "E-3", False),
        ("trimmed", "F-9", False),
        ("recreated", "F-1", True),
        ("recreated", "F-7", True),
        ("recreated", "E-9", False),
        ("deleted", "0-1", True),
        ("deleted", "F-1", False),
        ("lost", "E-9", False),
    ],
)
def test_a_reset_is_checked_against_its_reason(reason: str, earliest: str, fits: bool) -> None:
    made = feed(reader(B), event("b", "E-1"), event("b", "E-2"))
    epoch, _, n = earliest.rpartition("-")
    said = notice("reset", f"{epoch}-{int(n) - 1}", topic="b", reason=reason, earliest=earliest)
    if not fits:
        with pytest.raises(Broken):
            feed(made, said)
        return
    feed(made, said, event("b", earliest, "after"))
    assert made.at == [(epoch, int(n))]
    with pytest.raises(Broken):
        feed(made, event("b", earliest, "after"))


def test_a_life_may_be_over_before_it_was_seen() -> None:
    """Waiting for a log, a reader is told that events are gone if one came and went: but only if one may have."""
    first, said = event("a", "E-1~0-0"), notice("reset", "E-1~0-0", topic="b", reason="deleted", earliest="0-1")
    with pytest.raises(Broken):
        feed(reader(A, B), first, said)
    B.deletes = 1
    assert feed(reader(A, B), first, said, event("b", "E-1~F-1")).at == [("E", 1), ("F", 1)]


def test_the_truth_is_what_the_first_one_told() -> None:
    topic = Topic("a", stable=True)
    topic.acknowledge("E-1", "E-2", ["one", "two"])
    topic.life("E").tell(2, "two")
    with pytest.raises(Broken):
        topic.life("E").tell(2, "else")
    with pytest.raises(Broken):
        topic.acknowledge("E-3", "E-3", ["three", "four"])
    with pytest.raises(Broken):
        topic.life("F")
    topic.finish("E", 2)
    topic.life("E").tell(4, "four")
    for n in (2, 4):
        with pytest.raises(Broken):
            topic.finish("E", n)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_the_chunked_framing_comes_off_however_it_is_cut(size: int) -> None:
    wire = b"5\r\nhello\r\n1a\r\n" + b"x" * 26 + b"\r\n3\r\n\r\n!\r\n0\r\n\r\n"
    chunked = Chunked()
    body = b"".join(chunked.feed(wire[i : i + size]) for i in range(0, len(wire), size))
    assert body == b"hello" + b"x" * 26 + b"\r\n!"
    assert chunked.ended
