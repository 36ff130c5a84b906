"""Expected events, and the text that shows how received events differ."""

from __future__ import annotations

import re

import pytest

from tidings.testing import event
from tidings.testing.expected import WIDTH, received_only, side_by_side
from tidings.wire.sse import ServerSentEvent


def received(type: str = "message", data: str = "x", id: str = "") -> ServerSentEvent:
    return ServerSentEvent(type, data, id, None)


class TestEquality:
    @pytest.mark.parametrize(
        ("expected", "like", "unlike"),
        [
            (event(), received("a", "b", "c"), None),
            (event("joined"), received("joined", "ann"), received("left", "ann")),
            (event(data="ann"), received("joined", "ann"), received("joined", "ann ")),
            (event("joined", "ann", "E-1"), received("joined", "ann", "E-1"), received("joined", "ann", "E-2")),
            (event(..., ..., "E-1"), received("joined", "ann", "E-1"), received("joined", "ann")),
            (event(data={"n": 1}), received(data='{ "n" : 1.0 }'), received(data='{"n": 2}')),
            (event(data=None), received(data="null"), received(data="")),
            (event(data=[1]), received(data="[1]"), received(data="[1")),
            (event(data="[1]"), received(data="[1]"), received(data="[ 1 ]")),
            (event(data=re.compile("an+")), received(data="ann"), received(data="ann!")),
        ],
        ids=repr,
    )
    def test_a_field_is_as_given_or_anything(
        self, expected: object, like: ServerSentEvent, unlike: ServerSentEvent | None
    ) -> None:
        assert expected == like
        assert like == expected
        assert [like] == [expected]
        assert unlike is None or (expected != unlike and unlike != expected)

    def test_other_values_are_not_equal_to_an_event(self) -> None:
        assert event() != ("message", "x", "", None)
        assert event() != "x"

    def test_the_representation_shows_the_given_fields(self) -> None:
        assert repr(event("a", data={"n": 1})) == "event(type='a', data={'n': 1})"
        assert repr(event(id=re.compile("E-.*"))) == "event(id=/E-.*/)"


class TestTable:
    def test_a_difference(self) -> None:
        lines = side_by_side(
            [event("joined"), event(data="two", id="E-2"), event(data={"n": 3})],
            [received("joined", "ann", "E-1"), received(data="2", id="E-2")],
        )
        assert lines == [
            "event 1 differs: data 'two' expected, '2' received",
            "       expected 3     | received 2",
            "    0  joined  *  *   | joined  'ann'  E-1",
            ">   1  *  'two'  E-2  | message  '2'  E-2",
            "    2  *  {'n': 3}  * | (none)",
        ]

    def test_an_extra_and_a_missing_event_are_named(self) -> None:
        assert side_by_side([], [received(data="a")])[0] == "event 0 was not expected: message  'a'"
        assert side_by_side([event("a")], [])[0] == "event 0 is missing: a  *  *"

    @pytest.mark.parametrize("value", ["x", 7, ("message", "x")])
    def test_a_value_that_is_no_event_is_shown_as_it_is(self, value: object) -> None:
        lines = side_by_side([value], [received(data="a")])
        assert lines[0] == f"event 0 differs: {value!r} expected, message  'a' received"
        assert lines[2] == f">   0  {value!r:<10} | message  'a'".replace("<10", "")

    def test_received_events_are_listed(self) -> None:
        assert received_only([]) == "The stream has received no event."
        assert received_only([received(data="a")]) == "The stream has received 1:\n    0  message  'a'"

    def test_only_what_is_around(self) -> None:
        expected = [event(data=str(n)) for n in range(100)]
        events = [received(data=str(n)) for n in range(100) if n != 50]
        lines = side_by_side(expected, events, around=2)
        assert [line.split()[0] for line in lines[2:]] == ["48", "49", ">", "51", "52"]
        assert len(side_by_side(expected, events)) == 102

    def test_a_difference_at_the_end_of_a_long_text_is_shown(self) -> None:
        same = "x" * 60
        lines = side_by_side([event(data=same + "1")], [received(data=same + "2")])
        assert f"'{same}1' expected, '{same}2' received" in lines[0]
        assert all(len(line) < 3 * WIDTH for line in lines[1:])

    def test_equal_but_for_the_reconnection_time(self) -> None:
        lines = side_by_side([received()], [received()._replace(retry=5)])
        assert lines[0] == "event 0 differs: in its reconnection time"
