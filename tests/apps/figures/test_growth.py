"""The rates of counters, and how many of them are remembered."""

from __future__ import annotations

from tidings.apps.figures.growth import SECOND, Growth, Seen


def rate(growth: Growth, counter: str, time: int, value: float) -> float | None:
    seen: Seen = {}
    made = growth.rate(seen, counter, time * SECOND, value)
    growth.keep(seen)
    return made


def test_a_rate_is_the_growth_since_the_last_value_that_was_kept() -> None:
    growth = Growth()
    assert [rate(growth, "a", *point) for point in [(1, 5), (3, 9), (4, 2), (6, 6)]] == [None, 2.0, None, 2.0]
    assert growth.rate({}, "a", 8 * SECOND, 7) == 0.5
    assert growth.rate({}, "a", 10 * SECOND, 10) == 1.0  # the value at 8 was not kept


def test_a_counter_that_stands_still_has_the_rate_zero() -> None:
    growth = Growth()
    assert [rate(growth, "a", *point) for point in [(1, 5), (3, 5)]] == [None, 0.0]


def test_values_of_one_request_follow_each_other() -> None:
    growth, seen = Growth(), Seen()
    assert growth.rate(seen, "a", SECOND, 1) is None
    assert growth.rate(seen, "a", 2 * SECOND, 4) == 3.0


def test_a_value_that_is_not_later_changes_nothing() -> None:
    growth = Growth()
    assert [rate(growth, "a", *point) for point in [(5, 10), (5, 11), (4, 9), (6, 12)]] == [None, None, None, 2.0]
    growth.keep(dict.fromkeys(growth._last, (0, 0.0)))
    assert rate(growth, "a", 7, 13) == 1.0


def test_counters_that_were_not_seen_for_longest_are_forgotten() -> None:
    growth = Growth(most=2)
    for time, counter in enumerate(("a", "b", "a", "c")):
        rate(growth, counter, time, time)
    assert rate(growth, "a", 4, 4) == 1.0
    assert rate(growth, "b", 5, 5) is None
