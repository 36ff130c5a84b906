"""The events of a file."""

from __future__ import annotations

import json

import pytest

from tidings.apps.processes.facts import read
from tidings.apps.processes.files.records import Options, Record, Wrong, data_of, record


def test_an_event_becomes_data_that_can_be_mined() -> None:
    found = record(3, "c", "A", 1709281800_250000, {"resource": "Ann", "costs": 7})
    assert isinstance(found, Record)
    data = data_of(found).decode()
    assert read(data) == ("c", "A", 1709281800_250000)
    assert json.loads(data)["costs"] == 7


def test_an_event_that_no_topic_takes_is_refused() -> None:
    with pytest.raises(Wrong, match="line 3: the event has 1,000,0"):
        data_of(Record(3, "c", "A", 0, {"text": "x" * 1_000_000}))


@pytest.mark.parametrize(("case", "activity", "reason"), [(None, "A", "case"), ("c", " ", "activity")])
def test_an_event_without_a_name_is_wrong(case: str | None, activity: str, reason: str) -> None:
    found = record(3, case, activity, 0, {})
    assert isinstance(found, Wrong)
    assert str(found) == f"line 3: the event has no {reason}"


def test_options_are_compared_by_their_text() -> None:
    assert Options().text() == ""
    assert Options(case="a").text() == Options(case="a").text() != Options(activity="a").text()
