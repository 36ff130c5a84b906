"""The right to see a rule: that to read the topics that it watches, as it is now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from tidings.access.access import Access
from tidings.access.guards import Watch
from tidings.access.subject import Subject
from tidings.errors import InvalidRequest, NotFound, TidingsError
from tidings.events import Event, Offset

from . import facts
from .fold import State
from .service import PREFIX, Alerts, no_rule

REMEMBERED = 10_000
"""Readers of rules whose topics are kept at hand for streams that are being opened: those who read last."""


class Rights:
    """Decides who sees a rule, and who is told what it found: those who may read all topics that it watches or has
    watched, since its history holds values of each. A rule that watches another rule watches the topics of that, too.
    """

    def __init__(self, alerts: Alerts, access: Access) -> None:
        self.alerts: Alerts = alerts
        self.access: Access = access
        self._read: dict[tuple[str, str | None], Sequence[str]] = {}

    async def topics(self, state: State) -> list[str]:
        """Return the topics that a rule watches or has watched. Raises NotFound for one of a rule that never was."""
        found = dict.fromkeys(state.topics)
        ahead = list(found)
        while ahead:
            topic = ahead.pop()
            if topic.startswith(PREFIX):
                ahead += [each for each in await self._watched(topic) if each not in found]
                found |= dict.fromkeys(ahead)
        return list(found)

    async def _watched(self, topic: str) -> Sequence[str]:
        state = (await self.alerts.state(topic.removeprefix(PREFIX))).state
        if state.rule is None:
            raise no_rule(topic.removeprefix(PREFIX))
        return state.topics

    async def may_see(self, subject: Subject, state: State, known: dict[str, bool] | None = None) -> bool:
        """Tell whether a subject may read all topics of a rule now. `known`: the topics that were looked at before."""
        known = {} if known is None else known
        try:
            topics = await self.topics(state)
        except NotFound:
            return False
        for topic in topics:
            if topic not in known:
                known[topic] = subject.may_subscribe(topic) and await self._allows(subject, topic)
            if not known[topic]:
                return False
        return True

    async def may_be_told(self, name: str, state: State) -> bool:
        """Tell whether a person who sends no request may be told of a rule.

        A topic without a guard is a matter of tokens, of which none is at hand: there the rule itself says who is told.
        """
        try:
            subject = self.access.authenticator.absent(name)
            topics = await self.topics(state)
        except (InvalidRequest, NotFound):
            return False
        for topic in topics:
            if self.access.guards.of(topic) is None:
                continue
            if not subject.may_subscribe(topic) or not await self._allows(subject, topic):
                return False
        return True

    async def _allows(self, subject: Subject, topic: str) -> bool:
        return topic.startswith(PREFIX) or await self.access.guards.allows(subject, topic)

    async def check(self, subject: Subject, id: str) -> Sequence[str]:
        """Return the topics of a rule. Raises NotFound if it never was, or if the subject may not read one of them."""
        state = (await self.alerts.state(id)).state
        if state.rule is None or not await self.may_see(subject, state):
            raise no_rule(id)
        return await self.topics(state)

    async def read(self, subject: Subject, topic: str) -> None:
        """Check a read of a rule's topic, and remember what the rule watches. Raises NotFound."""
        self._read.pop((topic, subject.name), None)
        self._read[topic, subject.name] = [topic, *await self.check(subject, topic.removeprefix(PREFIX))]
        if len(self._read) > REMEMBERED:
            del self._read[next(iter(self._read))]

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        """Return the watch for a stream of a rule's topic that `read` has just allowed."""
        topics = self._read.get((topic, subject.name))
        return None if topics is None else RuleWatch(self, subject, topic, topics)


class RuleWatch(Watch):
    """Ends a stream of a rule's topic when its reader may not read a watched topic any more, and when the rule, or one
    that it watches, begins to watch another topic: the reader comes back and asks for the right to read that."""

    def __init__(self, rights: Rights, subject: Subject, topic: str, topics: Sequence[str]) -> None:
        self._rights, self._subject, self._topic = rights, subject, topic
        self._topics = list(dict.fromkeys(topics))
        self._stack = ExitStack()
        self._task: asyncio.Task[None] | None = None
        self._end: Callable[[], None] | None = None

    def start(self, end: Callable[[], None]) -> None:
        self._end = end
        self._task = self._rights.alerts.hub.delivery.background(self._begin(end))

    async def _begin(self, end: Callable[[], None]) -> None:
        """Follow all topics, watch them, and look once more: the right may have been lost since the read."""
        delivery = self._rights.alerts.hub.delivery
        try:
            for topic in self._topics:
                self._stack.callback(delivery.unfollow, await delivery.follow(topic, "tail"))
            watched = [topic for topic in self._topics if not topic.startswith(PREFIX)]
            if (watch := self._rights.access.guards.watch(self._subject, watched)) is not None:
                self._stack.callback(watch.stop)
                watch.start(end)
            for topic in self._topics:
                if topic.startswith(PREFIX):
                    self._stack.callback(delivery.observe(topic, _Changes(self._topics, end)))
            await self._rights.check(self._subject, self._topic.removeprefix(PREFIX))
        except TidingsError:
            end()

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._stack.close()


class _Changes:
    """An observer of a rule's topic: it ends a stream when the rule begins to watch a topic that is not known."""

    def __init__(self, topics: Sequence[str], end: Callable[[], None]) -> None:
        self._topics, self._end = topics, end
        self._begun = False

    def __call__(self, events: Sequence[Event], tail: Offset) -> None:
        skipped = not events and self._begun
        self._begun = True
        if skipped or any(self._turns(event) for event in events if event.type == facts.RuleSaved.type):
            self._end()

    def _turns(self, event: Event) -> bool:
        try:
            fact = facts.read(event.type, event.data)
        except InvalidRequest:
            return False
        return isinstance(fact, facts.RuleSaved) and fact.rule.topic not in self._topics
