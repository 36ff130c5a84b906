"""Filters, as the parameters of a query give them."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.apps.processes.filters import ALL, CONDITIONS, DAY, Filter, parse
from tidings.errors import InvalidRequest

FIRST = 1_704_067_200_000_000
"""The beginning of 2024, in UTC."""


def test_a_query_without_conditions_selects_every_case() -> None:
    assert parse() == ALL


def test_conditions_are_the_same_in_any_order_and_however_often() -> None:
    one = parse(['["A","B"]', '["C"]'], present=["B", "A"], absent=["X"], attribute=["a=1", "b=x=y", "c="])
    assert one == parse(['["C"]', '["A", "B"]', '["C"]'], None, None, ["A", "B", "A"], ["X"], ["c=", "b=x=y", "a=1"])
    attributes = (("a", "1"), ("b", "x=y"), ("c", ""))
    assert one == Filter((("A", "B"), ("C",)), None, None, ("A", "B"), ("X",), attributes)
    assert hash(one)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-01-01", FIRST, FIRST + DAY - 1),
        ("2024-01-01T00:00:00Z", FIRST, FIRST),
        ("2024-01-01T01:00:00+01:00", FIRST, FIRST),
        ("2024-01-01T00:00:00", FIRST, FIRST),
        ("1704067200", FIRST, FIRST),
        ("1704067200.5", FIRST + 500_000, FIRST + 500_000),
    ],
)
def test_a_date_alone_is_the_whole_day(text: str, first: int, last: int) -> None:
    assert parse(since=text, until=text) == Filter(since=first, until=last)


@pytest.mark.parametrize(
    ("parameter", "given"),
    [
        ("since", {"since": "yesterday"}),
        ("since", {"since": ""}),
        ("until", {"until": "nan"}),
        ("until", {"until": "1e400"}),
        ("until", {"until": "9999-01-01"}),
        ("until", {"since": "2024-01-02", "until": "2024-01-01"}),
        ("variant", {"variant": ["A"]}),
        ("variant", {"variant": ["[]"]}),
        ("variant", {"variant": ['["A", 1]']}),
        ("variant", {"variant": ['["A", ""]']}),
        ("variant", {"variant": ["[" * 100_000]}),
        ("with", {"present": [""]}),
        ("without", {"absent": ["A" * 4_001]}),
        ("without", {"absent": ["A"] * (CONDITIONS + 1)}),
        ("attribute", {"attribute": ["resource"]}),
        ("attribute", {"attribute": ["=Pete"]}),
    ],
)
def test_a_wrong_condition_names_its_parameter(parameter: str, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(**given)
    assert refused.value.members["field"] == parameter
    assert f"`{parameter}` " in str(refused.value)
