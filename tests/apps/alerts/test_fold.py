"""The state of a rule as its topic's log has it."""

from __future__ import annotations

import msgspec

from tidings.apps.alerts import facts
from tidings.apps.alerts.fold import HISTORY, Instance, State, apply, take
from tidings.apps.alerts.rule import parse
from tidings.events import Event, Offset

RULE = parse({"topic": "t", "above": 1})


def events(*given: facts.Fact) -> State:
    state = State()
    for n, fact in enumerate(given, 1):
        apply(state, Event("alerts.r", Offset("E", n), *facts.to_item(fact), float(n)))
    return state


def test_a_rule_is_the_last_one_that_was_saved() -> None:
    titled = parse({"topic": "t", "above": 1, "title": "Hot"})
    state = events(facts.RuleSaved(rule=RULE, by="Ann"), facts.RuleSaved(rule=titled, by="Bob"))
    assert (state.rule, state.author, state.by, state.began, state.saved) == (titled, "Ann", "Bob", 1.0, 2.0)
    assert state.stale is None


def test_an_edit_of_the_condition_a_pause_and_a_deletion_end_what_goes_on() -> None:
    saved = facts.RuleSaved(rule=RULE)
    fires = facts.Changed(was="normal", state="firing", at=2.0, episode="e")
    over = facts.Changed(was="firing", state="normal", at=5.0, episode="e", reason="rule changed")
    changed = parse({"topic": "t", "above": 2})
    paused = parse({"topic": "t", "above": 1, "paused": True})
    for fact, reason in (
        (facts.RuleSaved(rule=changed), "rule changed"),
        (facts.RuleSaved(rule=paused), "paused"),
        (facts.RuleDeleted(), "rule deleted"),
    ):
        assert events(saved, fires, fact).stale == reason
        assert events(saved, fires, fact, over).stale is None
        assert events(saved, fact).stale is None
    state = events(saved, facts.RuleSaved(rule=paused))
    assert state.judged is None
    take(state, facts.RuleSaved(rule=RULE), 9.0)
    assert (state.judged, state.began) == (RULE, 9.0)


def test_the_worst_state_of_an_instance_is_that_of_the_rule() -> None:
    state = State(RULE)
    assert state.condition() == "normal"
    for condition in ("pending", "no_data", "recovering", "firing"):
        state.instances[condition] = Instance(condition, 1.0)  # type: ignore[arg-type]
        assert state.condition() == condition
    state.instances = {"a": Instance("pending", 1.0)}
    state.broken = Instance("broken", 1.0)
    assert state.condition() == "broken"


def test_a_history_is_bounded_and_odd_events_are_passed_over() -> None:
    state = events(facts.RuleSaved(rule=RULE), *[facts.Acknowledged(episodes=["e"])] * (HISTORY + 5))
    assert len(state.history) == HISTORY
    apply(state, Event("alerts.r", Offset("E", 999), "message", "Hello", 1.0))
    assert state.history[-1].offset == f"E-{HISTORY + 6}"


def test_a_rule_keeps_all_topics_that_it_has_watched() -> None:
    other = msgspec.structs.replace(RULE, topic="other")
    state = events(*[facts.RuleSaved(rule=rule) for rule in (RULE, other, RULE)])
    assert state.topics == [RULE.topic, "other"]
