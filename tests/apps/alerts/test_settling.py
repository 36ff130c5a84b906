"""Notices: sent once, together, not in a silence, and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.alerts.test_replay import played
from tidings.apps.alerts import facts
from tidings.apps.alerts.replay import Step, replay
from tidings.apps.alerts.rule import parse
from tidings.apps.alerts.settling import Place, Settling

BY = {"topic": "t", "above": 1, "field": "v", "by": "k"}


def notices(rule: dict[str, Any], *steps: Step) -> list[facts.Notice]:
    return [fact for fact in replay(parse(rule), steps) if isinstance(fact, facts.Notice)]


def value(t: float, k: Any, v: Any) -> Step:
    return Step(t=t, data={"k": k, "v": v})


def test_a_silence_that_ends_while_it_fires_lets_the_notice_out() -> None:
    silent = {0: {"do": "silence", "until": 20}}
    assert played({"above": 1}, [(5, 2), (40, 0)], 60, silent)[1] == [(20, "fired"), (40, "resolved")]


def test_the_end_of_a_told_episode_is_kept_back_until_the_silence_ends() -> None:
    silent = {10: {"do": "silence", "until": 30}}
    assert played({"above": 1}, [(5, 2), (15, 0)], 60, silent)[1] == [(5, "fired"), (30, "resolved")]
    assert played({"above": 1}, [(5, 2), (15, 0), (20, 2)], 60, silent)[1] == [
        (5, "fired"),
        (30, "resolved"),
        (30, "fired"),
    ]


def test_a_silence_holds_for_the_instances_that_it_names() -> None:
    told = notices(
        BY,
        Step(t=0, do="silence", until=100, instances=["a"]),
        value(1, "a", 5),
        value(1, "b", 5),
        Step(t=50),
        value(60, "a", 0),
        value(60, "b", 0),
        Step(t=200),
    )
    assert [(notice.at, notice.kind, [one.instance for one in notice.instances]) for notice in told] == [
        (6, "fired", ["b"]),
        (65, "resolved", ["b"]),
    ]


def test_instances_that_fire_within_5_seconds_are_one_notice() -> None:
    steps = [value(10 + n / 4, f"k{n}", 5) for n in range(16)]
    told = notices(BY, *steps, value(16, "late", 5), Step(t=60))
    assert [(notice.at, len(notice.instances), notice.more) for notice in told] == [(15, 10, 6), (21, 1, 0)]
    assert len(told[0].episodes) == 16
    assert told[0].instances[0] == facts.Told("k0", told[0].episodes[0], 5.0, 10.0, "r-1")


def test_an_instance_that_is_over_before_its_notice_is_told_of_in_order() -> None:
    told = notices(BY, value(10, "a", 5), value(12, "a", 0), Step(t=60))
    assert [(notice.at, notice.kind) for notice in told] == [(15, "fired"), (17, "resolved")]


def test_a_repeat_waits_for_the_end_of_a_silence_and_ends_with_the_episode() -> None:
    silent = {15: {"do": "silence", "until": 45}}
    told = played({"above": 1, "repeat": 10}, [(0, 2), (60, 0)], 100, silent)[1]
    assert told == [(0, "fired"), (10, "again"), (45, "again"), (55, "again"), (60, "resolved")]


def test_pausing_and_deleting_end_what_fires_and_say_why() -> None:
    for do, reason in (("pause", "paused"), ("delete", "rule deleted")):
        told = notices({"topic": "t", "above": 1}, Step(t=0, data=5), Step(t=10, do=do), Step(t=20, data=6), Step(t=30))  # type: ignore[arg-type]
        assert [(notice.at, notice.kind) for notice in told] == [(0, "fired"), (10, "resolved")]
        assert told[1].instances[0].reason == reason


def test_a_rule_that_goes_on_is_judged_anew() -> None:
    doing = {10: {"do": "pause"}, 20: {"do": "resume"}}
    assert played({"above": 1}, [(0, 5), (15, 5), (25, 5)], 30, doing)[1] == [
        (0, "fired"),
        (10, "resolved"),
        (25, "fired"),
    ]


def test_a_notice_leads_to_the_card_at_its_time() -> None:
    steps = [Step(t=7, data=5)]
    assert notices({"topic": "t", "above": 1}, *steps)[0].link == "/a/replay?at=7"
    assert notices({"topic": "t", "above": 1, "link": "/d/ops?card=2"}, *steps)[0].link == "/d/ops?card=2&at=7"


MANY = 1_000


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Place]:
    """The episodes at which the settling looks. A look at all of them plans all of them anew."""
    found: list[Place] = []
    time_of = Settling.time_of

    def counted(self: Settling, place: Place) -> float:
        found.append(place)
        return time_of(self, place)

    monkeypatch.setattr(Settling, "time_of", counted)
    return found


@pytest.mark.parametrize("silent", [False, True])
def test_events_of_many_instances_cost_looks_at_what_they_change(looks: list[Place], silent: bool) -> None:
    start = [Step(t=0, do="silence", until=50)] if silent else []
    steps = [value(10 + n / MANY, f"k{n}", 5) for n in range(MANY)]
    steps += [value(20 + n / MANY, f"k{n}", 0) for n in range(MANY)]
    told = notices({**BY, "repeat": 60}, *start, *steps, Step(t=49), Step(t=60))
    kinds = [] if silent else [(15, "fired", MANY - 10), (25, "resolved", MANY - 10)]
    assert [(notice.at, notice.kind, notice.more) for notice in told] == kinds
    assert len(looks) < 20 * MANY


def test_an_instance_that_flaps_in_a_silence_costs_looks_at_itself(looks: list[Place]) -> None:
    steps = [value(1 + n / MANY, f"k{n}", 5) for n in range(MANY)]
    steps += [value(10 + n / 100, "k0", 5 * (n % 2)) for n in range(5 * MANY)]
    told = notices({**BY, "keep": 0}, Step(t=0, do="silence", until=100), *steps, Step(t=99))
    assert told == []
    assert len(looks) < 20 * 6 * MANY
