"""The preview of a rule: the transitions and notices of the last day, before the rule is saved."""

from __future__ import annotations

import msgspec

from tidings.clock import unix_time
from tidings.delivery.hub import Hub
from tidings.slices import in_slices

from . import facts
from .facts import Changed, Notice
from .fold import State, take
from .judgement import Judgement
from .rule import Rule
from .sources import BACK, data_of, past

DAY = 86_400.0

LISTED = 500
"""Transitions and notices that a preview lists: the last ones."""


class Preview(msgspec.Struct):
    """The transitions and the notices that a rule would have made since `since`, in Unix seconds, at most the last 500
    of each; `fired`: the number of its episodes; `events`: the events that were judged, `bad`: those of them without a
    value. `complete`: false where there were more events than are read for a preview."""

    since: float
    events: int
    bad: int
    fired: int
    complete: bool
    transitions: list[Changed]
    notices: list[Notice]


async def preview(hub: Hub, rule: Rule, id: str = "preview") -> Preview:
    """Judge the last 24 hours of a rule's topic, of at most 100,000 events. Raises Unavailable."""
    now = unix_time()
    since = now - DAY
    span = max(rule.window or 0.0, rule.no_data or 0.0, rule.absent or 0.0)
    events, _ = await past(hub, rule.topic, since - span)
    complete = len(events) < BACK
    if not complete:
        since = max(since, events[0].time)
    state = State()
    saved = facts.RuleSaved(rule=msgspec.structs.replace(rule, paused=False))
    take(state, saved, since)
    judgement = Judgement(id, state, since)
    transitions: list[Changed] = []
    notices: list[Notice] = []
    count = 0

    def keep(made: list[facts.Fact]) -> None:
        transitions.extend(fact for fact in made if isinstance(fact, Changed))
        notices.extend(fact for fact in made if isinstance(fact, Notice))

    async for event in in_slices(events):
        if event.type.startswith("tidings."):
            continue
        if event.time <= since:
            judgement.fill(event.time, data_of(event))
        else:
            count += 1
            keep(judgement.event(event.time, str(event.offset), data_of(event)))
    keep(judgement.second(now))
    fired = sum(one.state == "firing" and one.was != "recovering" for one in transitions)
    return Preview(since, count, judgement.bad, fired, complete, transitions[-LISTED:], notices[-LISTED:])
