"""Limits: amounts that a person may use up, refilled over time, and runs under way."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.access.limits import KINDS, PROMISED, REMEMBERED, Limits, rule, too_many, valid_limits
from tidings.access.subject import ANYONE, Subject, named
from tidings.errors import InvalidRequest, TooLarge, TooManyRequests

ANN, BOB = named("Ann"), named("Bob")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> Limits:
    return Limits({"publishes": 10, "topics": 2, "runs": 2, "runs_an_hour": 4}, clock=clock)


def program(**limits: int) -> Subject:
    return Subject("Ann", ANYONE.publish, ANYONE.subscribe, None, limits or None)


def test_an_amount_is_used_up_and_fills_again(limits: Limits, clock: Clock) -> None:
    limits.spend(ANN, "publishes", 8)
    with pytest.raises(TooManyRequests, match=r"10 events in 10 seconds\. Wait 3 seconds") as refusal:
        limits.spend(ANN, "publishes", 5)
    assert refusal.value.members == {"retry_after": 3}
    limits.spend(ANN, "publishes", 2)
    limits.spend(BOB, "publishes", 10)
    clock.now += 3
    limits.spend(ANN, "publishes", 3)
    with pytest.raises(TooManyRequests):
        limits.spend(ANN, "publishes")
    clock.now += 1000
    limits.spend(ANN, "publishes", 10)
    with pytest.raises(TooManyRequests):
        limits.spend(ANN, "publishes")


def test_more_than_the_whole_amount_is_too_large_and_counts_nothing(limits: Limits) -> None:
    with pytest.raises(TooLarge, match="10 events"):
        limits.spend(ANN, "publishes", 11)
    limits.spend(ANN, "publishes", 10)


def test_an_unused_reservation_is_given_back(limits: Limits, clock: Clock) -> None:
    with limits.up_to(ANN, "publishes", 10) as came:
        with pytest.raises(TooManyRequests):
            limits.spend(ANN, "publishes")
        came(1)
        came(2)
    limits.spend(ANN, "publishes", 7)
    with pytest.raises(TooManyRequests):
        limits.spend(ANN, "publishes")
    clock.now += 1000
    with limits.up_to(ANN, "publishes", 4) as came:
        came(6)  # more than was announced
    limits.spend(ANN, "publishes", 6)
    with pytest.raises(TooManyRequests), limits.up_to(ANN, "publishes", 1):
        pytest.fail("nothing is left")
    with limits.up_to(program(), "publishes", 100) as came:
        came(100)


def test_count_goes_on_when_nothing_is_left(limits: Limits, clock: Clock) -> None:
    for _ in range(5):
        limits.count(ANN, "topics")
    with pytest.raises(TooManyRequests, match=r"2 topics in a day\. Wait 720 minutes"):
        limits.check(ANN, "topics")
    clock.now += 43_200
    limits.check(ANN, "topics")


def test_a_program_has_its_own_limits_only(limits: Limits) -> None:
    limits.spend(program(), "publishes", 1_000_000)
    limits.spend(ANYONE, "publishes", 1_000_000)
    limited = program(publishes=3)
    limits.spend(limited, "publishes", 3)
    limits.spend(limited, "uploads", 1000)
    with pytest.raises(TooManyRequests, match="3 events"):
        limits.spend(limited, "publishes")


def test_a_program_without_a_name_is_limited_as_well() -> None:
    nameless = Subject(None, ANYONE.publish, ANYONE.subscribe, None, {"publishes": 3, "runs": 1})
    limits = Limits()
    limits.spend(nameless, "publishes", 3)
    with pytest.raises(TooManyRequests, match="3 events"):
        limits.spend(nameless, "publishes")
    with limits.run(nameless), pytest.raises(TooManyRequests, match="1 runs under way"), limits.run(nameless):
        pytest.fail("a second run was started")


def test_a_limit_of_nothing_is_no_limit() -> None:
    free = Limits({"publishes": 0})
    free.spend(ANN, "publishes", 1_000_000)
    free.check(ANN, "topics")
    with free.run(ANN) as begun:
        begun("R")


async def test_runs_under_way_hold_their_places_until_they_end(limits: Limits) -> None:
    for run in ("A", "B"):
        with limits.run(ANN) as begun:
            begun(run)
    with pytest.raises(TooManyRequests, match="2 runs under way at a time"), limits.run(ANN):
        pytest.fail("a third run was started")
    with limits.run(BOB):
        pass
    await limits.ended("A")
    await limits.ended("A")
    await limits.ended("unknown")
    for run, ended in (("C", "B"), ("D", "C")):
        with limits.run(ANN) as begun:
            begun(run)
        await limits.ended(ended)
    with pytest.raises(TooManyRequests, match="4 runs in an hour"), limits.run(ANN):
        pytest.fail("a fifth run was started")


def test_a_run_that_does_not_start_frees_its_place(limits: Limits) -> None:
    for _ in range(3):
        with pytest.raises(ValueError, match="no model"), limits.run(ANN):
            raise ValueError("no model")
    with limits.run(ANN) as begun:
        begun("A")


def test_a_refused_or_failed_run_uses_up_nothing_of_an_hour(limits: Limits) -> None:
    with limits.run(ANN), limits.run(ANN):
        for _ in range(9):
            with pytest.raises(TooManyRequests, match="under way"), limits.run(ANN):
                pytest.fail("a third run was started")
            with pytest.raises(TooManyRequests, match="under way"):
                limits.promise(ANN, 1)
    assert not limits.spent, "nothing is left to tell other processes"
    for run in ("A", "B"):
        with limits.run(ANN) as begun:
            begun(run)


def test_runs_that_are_being_started_count(limits: Limits) -> None:
    with (
        limits.run(ANN),
        limits.run(ANN),
        pytest.raises(TooManyRequests, match="under way"),
        limits.run(ANN),
    ):
        pytest.fail("a third run was started")


async def test_a_promised_place_is_taken_by_a_run_or_free_again(clock: Clock) -> None:
    limits = Limits({"runs": 2}, clock=clock)
    limits.promise(ANN, 2)
    with pytest.raises(TooManyRequests, match="under way"):
        limits.promise(ANN, 1)
    limits.keep(ANN, "A")
    clock.now += PROMISED + 1
    limits.promise(ANN, 1)
    limits.keep(ANN, "B")
    with pytest.raises(TooManyRequests, match="under way"), limits.run(ANN):
        pytest.fail("a third run was started")
    await limits.ended("A")
    with limits.run(ANN) as begun:
        begun("C")


def test_promised_runs_use_up_the_hour(limits: Limits) -> None:
    limits.promise(ANN, 2)
    limits.keep(ANN, "A")
    limits.keep(ANN, "B")
    assert limits.spent == {("Ann", "runs_an_hour", 4): 2}


def test_runs_in_another_process_count_until_it_holds_none(limits: Limits) -> None:
    nobody = Subject(None, ANYONE.publish, ANYONE.subscribe, None, {"runs": 1})
    limits.hold_elsewhere("other", {"Ann": 2, "": 1})
    for subject in (ANN, nobody):
        with pytest.raises(TooManyRequests, match="under way"), limits.run(subject):
            pytest.fail("a run was started over the limit")
    limits.hold_elsewhere("other", {})
    for subject in (ANN, nobody):
        with limits.run(subject) as begun:
            begun(f"run of {subject.name}")


def test_a_limit_of_what_is_kept_names_no_period() -> None:
    assert rule("kept_bytes", 5_000) == "You may keep 5,000 bytes of files at a time."
    assert rule("runs", 2) == "You may have 2 runs under way at a time."


def test_a_run_whose_end_is_never_seen_is_forgotten_after_a_day(limits: Limits, clock: Clock) -> None:
    for run in ("A", "B"):
        with limits.run(ANN) as begun:
            begun(run)
    clock.now += 86_400
    with pytest.raises(TooManyRequests, match="Wait 5 seconds") as refusal, limits.run(ANN):
        pytest.fail("a third run was started")
    assert refusal.value.members == {"retry_after": 5}
    clock.now += 1
    with limits.run(ANN) as begun:
        begun("C")


def test_many_names_cost_bounded_memory(limits: Limits) -> None:
    for n in range(REMEMBERED + 10):
        limits.spend(named(f"n{n}"), "publishes")
    assert len(limits._left) == REMEMBERED


@pytest.mark.parametrize("wrong", ["x", 5, {"publishes": -1}, {"publishes": True}, {"publishes": 1.5}, {"events": 1}])
def test_limits_that_are_wrong_are_refused(wrong: Any) -> None:
    with pytest.raises(InvalidRequest):
        valid_limits(wrong)
    assert valid_limits({"publishes": 1}) == {"publishes": 1}
    assert len(KINDS) == 9


@pytest.mark.parametrize(
    ("seconds", "wait", "retry_after"),
    [
        (0.0, "1 second", 1),
        (1.0, "1 second", 1),
        (1.1, "2 seconds", 2),
        (119.0, "119 seconds", 119),
        (119.5, "2 minutes", 120),
        (121.0, "3 minutes", 121),
    ],
)
def test_a_refusal_names_the_wait_in_seconds_and_long_ones_in_minutes(
    seconds: float, wait: str, retry_after: int
) -> None:
    error = too_many("You may do so once.", seconds)
    assert str(error) == f"You may do so once. Wait {wait}."
    assert error.members == {"retry_after": retry_after}
