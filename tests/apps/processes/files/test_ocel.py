"""OCEL 2.0 as JSON: the objects of one type are the cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tidings.apps.processes.files.ocel import elements, events
from tidings.apps.processes.files.records import Found, Options, Record, Wrong
from tidings.apps.processes.files.times import Times


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    yield from (data[at : at + size] for at in range(0, len(data), size))


def read(value: Any, size: int = 50, type: str | None = None) -> list[Found]:
    data = (value if isinstance(value, str) else json.dumps(value, indent=1)).encode()
    return list(events(lambda: chunks(data, size), Options(object_type=type), Times()))


def event(type: str, day: int, *objects: str, **more: Any) -> dict[str, Any]:
    relations = [{"objectId": id, "qualifier": "of"} for id in objects]
    return {"id": f"e{day}", "type": type, "time": f"2024-01-{day:02}T00:00:00Z", "relationships": relations, **more}


def log(*found: dict[str, Any], first: str = "events") -> dict[str, Any]:
    objects = [{"id": f"o{n}", "type": "order"} for n in (1, 2)] + [{"id": 'i"1}', "type": "item", "attributes": []}]
    parts: dict[str, Any] = {"eventTypes": [{"name": "{odd]"}], "events": list(found), "objects": objects}
    return dict(sorted(parts.items(), key=lambda item: item[0] != first))


LOG = log(
    event("placed", 1, "o1", 'i"1}', attributes=[{"name": "price", "value": 5}, {"name": "resource", "value": "Ann"}]),
    event("packed", 2, "o1", "o2", "o1"),
    event("checked", 3),
)


@pytest.mark.parametrize("size", [1, 9, 10_000])
@pytest.mark.parametrize("first", ["events", "objects"])
def test_an_event_counts_for_each_of_its_objects(size: int, first: str) -> None:
    found = read(dict(sorted(LOG.items(), key=lambda item: item[0] != first)), size, "order")
    assert [(of.case, of.activity) for of in found if isinstance(of, Record)] == [
        ("o1", "placed"),
        ("o1", "packed"),
        ("o2", "packed"),
    ]
    assert isinstance(found[0], Record)
    assert found[0].fields == {"price": 5, "resource": "Ann"}
    assert [of.case for of in read(LOG, size, "item") if isinstance(of, Record)] == ['i"1}']


def test_the_type_must_be_chosen_where_there_are_several() -> None:
    with pytest.raises(Wrong, match="--object-type: 'item', 'order'; an event of several of them counts for each"):
        read(LOG)
    with pytest.raises(Wrong, match="no objects of the type 'box'; it has 'item', 'order'"):
        read(LOG, type="box")
    one = {"events": [event("placed", 1, "o1")], "objects": [{"id": "o1", "type": "order"}]}
    assert len(read(one)) == 1


def test_a_wrong_event_has_its_line() -> None:
    wrong = [event("A", 1, "o1") | {"time": "0000-00-00"}, {"type": 5}, event("", 2, "o1"), event("B", 3, "o1")]
    found = read(log(*wrong), type="order")
    assert [isinstance(of, Wrong) for of in found] == [True, True, True, False]
    lines = json.dumps(log(*wrong), indent=1).split("\n")
    assert isinstance(found[1], Wrong)
    assert lines[found[1].line] == '   "type": 5'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "not OCEL 2.0"),
        ("[]", "one object"),
        ('{"a": 1}', "not OCEL 2.0"),
        ('{"events": []', "cut off"),
        ('{"events": [{"type": "A"', "cut off"),
        ('{"events": [}', "broken"),
        ('{"events": []}}', "broken"),
        ('{"events": []}{', "one object"),
        ('{"objects": [{"id": 5}]}', "object cannot be read"),
        ('{"events": ' + "[" * 200, "128 levels"),
        ('{"objects": [{"id": "o", "type": "' + "x" * 1_500_000, "1,000,000"),
    ],
)
def test_invalid_ocel_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Wrong, match=reason):
        read(text, 4_000)


def test_text_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(Wrong, match="UTF-8"):
        list(elements([b'{"events": ["\xff']))


def test_too_many_types_are_refused() -> None:
    objects = [{"id": "o", "type": f"type {n}"} for n in range(1_001)]
    with pytest.raises(Wrong, match="1,000 types"):
        read({"objects": objects}, 4_000)


def test_strings_with_escapes_hide_no_brackets() -> None:
    text = '{"k\\"ey": "}]\\\\", "events": [{"a": "\\"}{\\\\"}, {"b": [{}]}], "n": {"events": [{}]}}'
    for size in range(1, 12):
        found = [(key, part) for key, _, part in elements(chunks(text.encode(), size))]
        assert found == [("events", '{"a": "\\"}{\\\\"}'), ("events", '{"b": [{}]}')]
