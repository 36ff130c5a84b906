"""The rules and silences of a hub: reads their states, and stores the changes that people make."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import AsyncGenerator
from typing import Literal

from tidings.apps.projection import Projection, Projections
from tidings.clock import unix_time
from tidings.delivery.hub import Hub
from tidings.errors import Closed, Conflict, NotFound
from tidings.events import Offset
from tidings.log.names import text_of
from tidings.log.rules import NEW, Expected

from . import facts, fold, silences
from .fold import State
from .rule import Rule
from .silences import SilenceBegan, SilenceEnded, Silences

PREFIX = "alerts."
SILENCES = "silences"
CALLS = "judging"
"""The topic whose events say which process judges, and whose transient events ask the judge to look at a rule."""

CALLED = "judge.called"

KEPT = 2_000
"""States of rules that a process keeps."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Alerts:
    """The rules of a hub, each the state of the topic `alerts.ID`, and the silences."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._states: Projections[State] = Projections(
            hub, State, fold.apply, version=fold.VERSION, keep=KEPT, lasting=[facts.RuleSaved.type, facts.Notice.type]
        )
        self._silences: Projections[Silences] = Projections(
            hub, Silences, silences.apply, version=silences.VERSION, lasting=[SilenceBegan.type]
        )

    # Reading.

    async def rules(self) -> AsyncGenerator[tuple[str, Projection[State]], None]:
        """Iterate over the rules that are not deleted, by their ids. Raises Unavailable."""
        after = ""
        while heads := await self.hub.log.heads(PREFIX, after):
            for topic, head in heads:
                if not head.closed:
                    found = await self._states.at(topic, Offset(head.epoch, head.tail))
                    if found.state.rule is not None and not found.state.deleted:
                        yield topic.removeprefix(PREFIX), found
            after = heads[-1][0]

    async def rule(self, id: str) -> Projection[State]:
        """Return the state of a rule. Raises NotFound, Unavailable."""
        topic = topic_of(id)
        found = await self._states.get(topic)
        if found.state.rule is None or found.state.deleted:
            raise no_rule(id)
        return found

    async def state(self, id: str) -> Projection[State]:
        """Return the state of a rule, also of a deleted rule. `state.rule` is None if the rule never existed."""
        return await self._states.get(topic_of(id))

    async def silences(self) -> tuple[Silences, Offset]:
        """Return all silences, and the offset after which later changes follow. Raises Unavailable."""
        found = await self._silences.get(SILENCES)
        return found.state, found.offset

    # Changing.

    async def create(self, rule: Rule, by: str | None, key: str | None = None) -> str:
        """Save a new rule and return its id. The same key again returns the same id, and saves nothing.

        Raises Conflict if the rule of that key is deleted; Unavailable.
        """
        id = secrets.token_hex(6) if key is None else hashlib.sha256(key.encode()).hexdigest()[:12]
        try:
            await self._append(topic_of(id), facts.RuleSaved(rule=rule, by=by or ""), expected=NEW)
        except Conflict:
            if (await self.state(id)).state.deleted:
                raise Conflict("The rule of this Idempotency-Key is deleted. Send another key.") from None
        await self.call(id)
        return id

    async def save(self, id: str, rule: Rule, by: str | None) -> None:
        """Save a new version of a rule. Raises NotFound, Unavailable."""
        found = await self.rule(id)
        await self._change(id, found, facts.RuleSaved(rule=rule, by=by or ""))

    async def delete(self, id: str, by: str | None) -> None:
        """Delete a rule, which ends its episodes. Raises NotFound, Unavailable."""
        found = await self.rule(id)
        await self._change(id, found, facts.RuleDeleted(by=by or ""))

    async def acknowledge(self, id: str, episodes: list[str] | None, by: str | None, note: str) -> list[str]:
        """Acknowledge open episodes of a rule, by default all of them, and return their ids.

        Raises NotFound, also for an episode that is over; Unavailable.
        """
        found = await self.rule(id)
        known = [one.episode for one in (*found.state.instances.values(), found.state.broken) if one and one.episode]
        for episode in episodes or ():
            if episode not in known:
                raise NotFound("There is no such episode, or it is over.")
        chosen = known if episodes is None else episodes
        if chosen:
            await self._change(id, found, facts.Acknowledged(episodes=chosen, by=by or "", note=note))
        return chosen

    async def silence(self, given: SilenceBegan) -> None:
        """Begin a silence. Raises InvalidRequest, Unavailable."""
        silences.check(given, unix_time())
        await self.hub.log.append(SILENCES, [_item(given)], default=None)

    async def unsilence(self, id: str, by: str | None) -> None:
        """End a silence before its time. Raises NotFound, Unavailable."""
        if not any(one.id == id and one.until > unix_time() for one in (await self.silences())[0].all):
            raise NotFound("There is no such silence, or it is over.")
        await self.hub.log.append(SILENCES, [_item(SilenceEnded(id=id, by=by or ""))], default=None)

    async def call(self, id: str) -> None:
        """Call the judge, in whichever process, to look at a rule now. It looks by itself after some seconds."""
        await self.hub.delivery.publish_transient(CALLS, id, CALLED)

    async def _change(self, id: str, found: Projection[State], fact: facts.Fact) -> None:
        try:
            await self._append(topic_of(id), fact, expected=found.offset.epoch)
        except (Closed, Conflict):
            raise no_rule(id) from None
        await self.call(id)

    async def _append(self, topic: str, fact: facts.Fact, expected: Literal[Expected.NEW] | str) -> None:
        await self.hub.log.append(topic, [facts.to_item(fact)], expected=expected, default=None)


def topic_of(id: str) -> str:
    """Return the topic of a rule. Raises NotFound for a text that is no id."""
    if not _ID.fullmatch(id):
        raise no_rule(id)
    return PREFIX + id


def _item(fact: SilenceBegan | SilenceEnded) -> tuple[str, str]:
    return fact.type, text_of(fact)


def no_rule(id: str) -> NotFound:
    """Return the refusal for a rule that does not exist, or that the sender may not see."""
    return NotFound("There is no such rule.", rule=id[:80])
