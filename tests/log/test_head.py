"""The head of a log: its earlier lives, and the heads of earlier versions."""

from __future__ import annotations

import msgspec

from tidings.events import Offset
from tidings.log.head import Head


def test_a_restored_log_knows_up_to_where_it_is_the_same() -> None:
    first = Head("first", start=2, tail=5, owner="ada", closed=True)
    second = first.restored()
    assert second == msgspec.structs.replace(first, epoch=second.epoch, lives=(("first", 5),))
    assert second.epoch != "first"
    third = msgspec.structs.replace(second, tail=8).restored()
    assert third.lives == (("first", 5), (second.epoch, 8))
    located = {epoch: [third.locate(Offset(epoch, n)) for n in (5, 8, 9)] for epoch in ("first", second.epoch)}
    assert located == {"first": [5, None, None], second.epoch: [5, 8, None]}
    assert third.locate(Offset(third.epoch, 9)) == 9
    assert third.locate(Offset("other", 1)) is None


def test_a_head_of_an_earlier_version_is_read() -> None:
    """Earlier versions wrote the first nine fields."""
    blob = msgspec.msgpack.encode(["e", 1, 3, True, 99, 1.0, 2.0, [None, 5, None], 60.0])
    head = msgspec.msgpack.decode(blob, type=Head)
    assert (head.epoch, head.tail, head.ttl, head.retention.max_events) == ("e", 3, 60.0, 5)
    assert (head.owner, head.lives, head.redactions, head.redacted, head.single) == ("", (), 0, (), False)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(head), type=Head) == head
