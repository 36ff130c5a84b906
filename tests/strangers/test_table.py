"""The words of the table: each is said of what it means, and of nothing else."""

from __future__ import annotations

import pytest

from tests.strangers.situations import FIRST, SITUATIONS, THEN, Outcome
from tests.strangers.table import ALL, table, verdict


@pytest.mark.parametrize(
    ("situation", "texts", "ended", "expected"),
    [
        ("kill", ALL, "", "all"),
        ("kill", ALL, "TimeoutError", "all"),
        ("kill", FIRST, "TimeoutError", "raises"),
        ("kill", FIRST, "returned", "stops"),
        ("kill", FIRST, "", "5 lost"),
        ("kill", [*FIRST, *THEN[1:]], "", "1 lost"),
        ("kill", [*FIRST, *FIRST, *THEN], "", "5 doubled"),
        ("kill", [*THEN, *FIRST], "", "out of order"),
        ("kill", [*FIRST, "6 â\x82¬"], "", "garbled"),
        ("close", ALL, "returned", "ends"),
        ("close", ALL, "HTTPError", "raises"),
        ("close", ALL, "", "asks for ever"),
        ("close", FIRST, "", "5 lost"),
        ("close", FIRST, "returned", "stops"),
    ],
)
def test_what_a_client_has_made_of_a_situation(situation: str, texts: list[str], ended: str, expected: str) -> None:
    assert verdict(situation, Outcome(texts, ended)) == expected


def test_a_row_has_a_cell_for_each_situation() -> None:
    found = {name: {"a": Outcome(ALL, "returned"), "b": Outcome(FIRST, "Error")} for name in SITUATIONS}
    assert table(found).splitlines() == [
        "| client | live | kill | SIGTERM | close |",
        "| --- | --- | --- | --- | --- |",
        "| a | all | all | all | ends |",
        "| b | raises | raises | raises | raises |",
    ]
