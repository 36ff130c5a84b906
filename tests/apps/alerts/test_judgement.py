"""The judgement of a rule: compared with a second model, over restarts, and with odd values."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apps.alerts.naive import Naive
from tests.apps.alerts.test_replay import played, span
from tidings.apps.alerts import facts
from tidings.apps.alerts.fold import State, take
from tidings.apps.alerts.judgement import MOST, Judgement
from tidings.apps.alerts.replay import Step, replay
from tidings.apps.alerts.rule import Rule, parse
from tidings.apps.alerts.settling import OTHERS

SECONDS = st.integers(1, 12)
VALUES = st.one_of(st.integers(0, 10).map(float), st.none())


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Rules of every kind but deviations, which are counts."""
    kind = draw(st.sampled_from(["threshold", "threshold", "rate", "absence"]))
    made: dict[str, Any] = {"topic": "t", "kind": kind, "for": draw(st.integers(0, 6)), "keep": draw(st.integers(0, 6))}
    if draw(st.booleans()):
        made["by"] = "who"
    if kind == "absence":
        return parse({**made, "absent": draw(SECONDS)})
    side = draw(st.sampled_from(["above", "below"]))
    made |= {side: draw(st.integers(0, 10)) * (0.1 if kind == "rate" else 1), "field": "v"}
    if draw(st.booleans()):
        made["clear"] = made[side] + (1 if side == "below" else -1) * draw(st.integers(0, 3))
    if kind == "rate" or draw(st.booleans()):
        made["window"] = draw(SECONDS)
    if kind == "threshold" and "window" in made:
        made["agg"] = draw(st.sampled_from(["last", "mean", "min", "max", "sum", "count", "rate", "p50", "p99"]))
    if kind == "threshold" and made.get("agg") not in ("count", "rate") and draw(st.booleans()):
        made |= {"no_data": draw(SECONDS), "on_no_data": draw(st.sampled_from(["keep", "notify", "ok"]))}
    return parse(made)


TIMES = st.lists(st.sampled_from([0, 0, 0.5, 1, 1, 1, 2, 5.25, 14]), max_size=30)


@settings(max_examples=120)
@given(rules(), TIMES, st.data())
def test_a_rule_does_what_a_look_at_everything_at_every_second_does(rule: Rule, gaps: list[float], data: Any) -> None:
    at, events = 0.0, []
    for gap in gaps:
        at += gap
        name = data.draw(st.sampled_from(["a", "b"])) if rule.by else ""
        events.append((at, name, data.draw(VALUES)))
    to = int(at) + 20
    steps = [Step(t=t, data={"v": "x" if value is None else value, "who": name}) for t, name, value in events]
    found = [
        (fact.at, fact.instance, fact.state)
        for fact in replay(rule, [*steps, Step(t=to)])
        if isinstance(fact, facts.Changed)
    ]
    # Instances are looked at in no order within one second.
    expected = Naive(rule, events).run(to)
    assert sorted(found) == sorted(expected)


@settings(max_examples=50)
@given(rules(), TIMES, st.data())
def test_notices_come_in_pairs_and_states_follow_from_the_log_alone(rule: Rule, gaps: list[float], data: Any) -> None:
    judgement = Judgement("r", State(), 0.0)
    log: list[tuple[facts.Fact, float]] = [(facts.RuleSaved(rule=rule), 0.0)]
    judgement.changed(*log[0])
    at = 0.0
    for n, gap in enumerate(gaps):
        at += gap
        body = {"v": data.draw(VALUES), "who": data.draw(st.sampled_from(["a", "b"]))}
        log += [(fact, at) for fact in judgement.event(at, f"E-{n}", body)]
        restored = State()
        for fact, time in log:
            take(restored, fact, time)
        assert restored == judgement.state
    log += [(fact, at + 40) for fact in judgement.second(at + 40)]
    kinds: dict[str, list[str]] = {}
    for fact, _ in log:
        if isinstance(fact, facts.Notice):
            for episode in fact.episodes:
                kinds.setdefault(episode, []).append(fact.kind)
    allowed = (
        ["fired"],
        ["fired", "resolved"],
        ["no_data"],
        ["no_data", "resolved"],
        ["broken"],
        ["broken", "resolved"],
    )
    assert all(each in allowed for each in kinds.values())


@settings(max_examples=40)
@given(rules(), TIMES, st.data())
def test_a_restart_within_a_second_changes_nothing_of_a_rule_with_a_window(
    rule: Rule, gaps: list[float], data: Any
) -> None:
    """An event at each second, so that the log shows all that went on; the process is away for no whole second."""
    if rule.kind == "absence" or rule.below is not None:
        return
    steps = [Step(t=float(t), data={"v": data.draw(st.integers(0, 10)), "who": "a"}) for t in range(20)]
    cut = data.draw(st.integers(1, 18))
    down = [Step(t=cut + 0.25, do="down"), Step(t=cut + 0.5, do="up")]
    with_restart = sorted([*steps, *down, Step(t=20.0)], key=lambda step: step.t)

    def states(given: list[Step]) -> list[tuple[float, str, str]]:
        found = [fact for fact in replay(rule, given) if isinstance(fact, facts.Changed)]
        return [(fact.at, fact.was, fact.state) for fact in found if fact.was != fact.state]

    assert states(with_restart) == states([*steps, Step(t=20.0)])


def test_a_rule_with_only_bad_values_is_broken_once_and_says_when_that_is_over() -> None:
    steps = [(0, 1), *span(5, 39, "NaN"), (40, 2)]
    assert played({"above": 60, "no_data": 20, "on_no_data": "notify"}, steps, 60) == (
        [(20, "broken"), (40, "normal"), (60, "no data")],
        [(20, "broken"), (40, "resolved"), (60, "no data")],
    )


def test_bad_values_are_counted_at_most_once_a_minute() -> None:
    judgement = Judgement("r", State(), 0.0)
    judgement.changed(facts.RuleSaved(rule=parse({"topic": "t", "below": 5})), 0.0)
    made: list[facts.Fact] = []
    for second in range(200):
        made += judgement.event(second, f"E-{second}", "7")
        made += judgement.second(second)
    assert [(fact.count, fact.at) for fact in made if isinstance(fact, facts.BadValues)] == [
        (1, 0),
        (61, 60),
        (121, 120),
        (181, 180),
    ]
    assert judgement.bad == 200
    assert judgement.state.instances == {}


def test_silence_of_data_resolves_nothing_unless_the_rule_says_ok() -> None:
    for policy, transitions in (("keep", []), ("notify", []), ("ok", [(20, "normal")])):
        done, told = played({"above": 60, "no_data": 20, "on_no_data": policy}, [(0, 70)], 100)
        assert done == [(0, "firing"), *transitions]
        assert told == [(0, "fired"), *[(at, "resolved") for at, _ in transitions]]


def test_a_pending_ends_where_data_end() -> None:
    assert played({"above": 60, "for": 30, "no_data": 20}, [(0, 70)], 60)[0] == [(0, "pending"), (20, "normal")]


def test_being_away_is_no_absence_and_no_missing_data() -> None:
    down = {10: {"do": "down"}, 100: {"do": "up"}}
    assert played({"kind": "absence", "absent": 30}, [(0, 1)], 140, down)[0] == [(130, "firing")]
    rule = {"above": 60, "no_data": 30, "on_no_data": "notify"}
    assert played(rule, [(0, 1)], 140, down)[0] == [(130, "no data")]
    assert played({"kind": "rate", "below": 1, "window": 5}, [], 120, down)[0] == [(5, "firing"), (105, "firing")][:1]


def test_a_clock_goes_on_over_a_restart_only_if_the_log_shows_it() -> None:
    down = {5: {"do": "down"}, 15: {"do": "up"}}
    rule = {"above": 60, "for": 12}
    assert played(rule, span(0, 30, 70), 30, down)[0] == [(0, "pending"), (12, "firing")]
    assert played(rule, [(0, 70)], 40, down)[0] == [(0, "pending"), (15, "pending"), (27, "firing")]
    assert played(rule, [(0, 70), (8, 10)], 40, down)[0] == [(0, "pending"), (8, "normal")]


def test_a_clock_that_runs_backwards_moves_nothing_back() -> None:
    judgement = Judgement("r", State(), 100.0)
    judgement.changed(facts.RuleSaved(rule=parse({"topic": "t", "above": 60, "for": 10})), 100.0)
    [pending] = judgement.event(110.0, "E-1", 70)
    assert judgement.event(90.0, "E-2", 70) == []
    assert judgement.event(119.9, "E-3", 70) == []
    changed, notice = judgement.event(120.0, "E-4", 70)
    assert isinstance(pending, facts.Changed)
    assert isinstance(changed, facts.Changed)
    assert isinstance(notice, facts.Notice)
    assert (pending.at, changed.at, notice.kind) == (110.0, 120.0, "fired")


def test_values_beyond_a_thousand_instances_are_one_instance() -> None:
    judgement = Judgement("r", State(), 0.0)
    judgement.changed(facts.RuleSaved(rule=parse({"topic": "t", "above": 1, "field": "v", "by": "k"})), 0.0)
    for n in range(MOST + 50):
        judgement.event(1.0, f"E-{n}", {"v": 5, "k": n})
    assert len(judgement.readings) == MOST + 1
    assert len(judgement.state.instances) == MOST + 1
    [notice] = judgement.second(6)
    assert isinstance(notice, facts.Notice)
    assert (len(notice.instances), notice.more, notice.others) == (10, MOST + 1 - 10, True)
    assert OTHERS in judgement.readings


def test_the_id_of_an_episode_is_the_same_in_every_process() -> None:
    made = []
    for _ in range(2):
        judgement = Judgement("r", State(), 0.0)
        judgement.changed(facts.RuleSaved(rule=parse({"topic": "t", "above": 1})), 0.0)
        made.append([fact.episode for fact in judgement.event(3.0, "E-1", 5) if isinstance(fact, facts.Changed)])
    assert made[0] == made[1] != [None]
    assert "." not in str(made)


def test_a_rule_that_is_paused_or_deleted_after_bad_values_waits_for_nothing() -> None:
    for do in ("pause", "delete"):
        steps = [Step(t=0, data="x"), Step(t=5, do=do), Step(t=60), Step(t=70, data="x"), Step(t=90)]  # type: ignore[arg-type]
        assert [*replay(parse({"topic": "t", "above": 1, "no_data": 10}), steps)] == []
