"""Events of cases: what can be mined, and the field of what cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidings.apps.processes.facts import ImportPart, Unmineable, iso, microseconds, read, read_part

GOOD = {"case": "4711", "activity": "paid", "timestamp": "2024-03-01T09:30:00+01:00"}


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2024-03-01T09:30:00+01:00", 1709281800_000000),
        ("2024-03-01 08:30:00", 1709281800_000000),
        ("2024-03-01T08:30:00,25Z", 1709281800_250000),
        ("2024-03-01T08:30:00.1234567Z", 1709281800_123456),
        ("2024-03-01", 1709251200_000000),
        ("1948-01-26T22:59:00Z", -692067660_000000),
        (1709281800, 1709281800_000000),
        (1709281800.25, 1709281800_250000),
        (0, 0),
    ],
)
def test_times_are_read(time: Any, at: int) -> None:
    assert read(json.dumps(GOOD | {"timestamp": time})) == ("4711", "paid", at)
    assert microseconds(iso(at)) == at


def test_further_fields_are_free() -> None:
    more = {"lifecycle": "complete", "resource": None, "costs": 7, "lines": [{"a": None}]}
    assert read(json.dumps(GOOD | more))[0] == "4711"


WRONG: list[tuple[str, dict[str, Any]]] = [
    *[("case", {"case": value}) for value in (None, 4711, 1.5, True, {"id": 1}, ["a"], "", " \t", "x" * 1_001)],
    *[("activity", {"activity": value}) for value in (None, 3, {}, "", "\u00a0", "x" * 4_001)],
    *[
        ("timestamp", {"timestamp": value})
        for value in (
            None,
            "",
            "yesterday",
            "0000-00-00",
            "0000-00-00T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-01-01T25:00:00Z",
            "9999-12-31T23:59:59Z",
            "1899-12-30T00:00:00Z",
            "01/02/2024",
            True,
            [],
            {},
            float("nan"),
            float("inf"),
            1e300,
            10**400,
            1709281800000,  # milliseconds
            253402300799,
        )
    ],
    ("lifecycle", {"lifecycle": 1}),
    ("resource", {"resource": ["Pete"]}),
]


@pytest.mark.parametrize(("field", "change"), WRONG, ids=lambda value: repr(value)[:60])
def test_a_wrong_field_is_named(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(Unmineable) as refused:
        read(json.dumps(GOOD | change))
    assert refused.value.members["field"] == field
    assert f"`{field}`" in str(refused.value)
    assert refused.value.status == 422


@pytest.mark.parametrize("field", ["case", "activity", "timestamp"])
def test_a_missing_field_is_named(field: str) -> None:
    with pytest.raises(Unmineable, match=f"`{field}` is missing"):
        read(json.dumps({name: value for name, value in GOOD.items() if name != field}))


@pytest.mark.parametrize("data", ["", "[]", "7", '"text"', "null", "{", '{"case": "a"', "[" * 5_000])
def test_data_that_is_no_object_is_refused(data: str) -> None:
    with pytest.raises(Unmineable, match="`data`"):
        read(data)


PART = {"file": "ab" * 32, "first": 0, "to": 3}


def test_a_part_of_an_import_is_read() -> None:
    assert read_part(json.dumps(PART)) == ImportPart("ab" * 32, 0, 3)


@pytest.mark.parametrize(
    "change",
    [{"file": "x"}, {"file": "AB" * 32}, {"first": 4}, {"first": -1}, {"skipped": -1}, {"to": "3"}, {"more": 1}],
)
def test_a_part_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unmineable):
        read_part(json.dumps(PART | change))
