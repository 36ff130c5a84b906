"""Lists: the topics that a subject may read, found without a look at the topics that guards hide."""

from __future__ import annotations

from tidings.log.journal import Journal

from .guards import Guard, Guards
from .subject import Subject


class Listing:
    """A list of at most `limit` topics that a subject may read, in byte order: `names`, filled by `fill`.

    The cost is that of the list. A guard names the labels under which the subject's topics are found, and the others
    are not looked at: a look at all 200,000 topics of a store took 22 s.
    """

    def __init__(self, journal: Journal, guards: Guards, subject: Subject, limit: int) -> None:
        self.names: list[str] = []
        self._journal = journal
        self._guards = guards
        self._subject = subject
        self._limit = limit

    async def fill(self, prefix: str, after: str) -> None:
        """Find the topics that begin with `prefix` and follow the name `after`, which may be that of no topic.

        Raises Unavailable.
        """
        for pattern in self._subject.subscribe.within(prefix):
            start = pattern.removesuffix("*")
            if len(self.names) >= self._limit:
                return
            if pattern == start:
                await self._take_one(start, after)
            elif "." in start and (guard := self._guards.of(start)) is not None:
                await self._take_guarded(guard, start, after)
            else:
                await self._take_mixed(start, after)

    async def _take_one(self, topic: str, after: str) -> None:
        """Take a topic, if it exists."""
        head = await self._journal.describe(topic) if topic > after else None
        if head is not None and await self._guards.allows(self._subject, topic, head):
            self.names.append(topic)

    async def _take_mixed(self, start: str, after: str) -> None:
        """Take topics with and without a guard. The topics `S.…` of a guard follow one another, as `S` does not."""
        while left := self._limit - len(self.names):
            heads = await self._journal.heads(start, after, left)
            for name, head in heads:
                if "." in name and (guard := self._guards.of(name)) is not None:
                    segment = name.partition(".")[0]
                    await self._take_guarded(guard, f"{segment}.", after)
                    after = f"{segment}/"  # behind all of them: in byte order, a slash is next to the dot
                    break
                if await self._guards.allows(self._subject, name, head):
                    self.names.append(name)
                after = name
            else:
                if len(heads) < left:
                    return

    async def _take_guarded(self, guard: Guard, start: str, after: str) -> None:
        """Take topics of one guard."""
        labels = await guard.labels(self._subject)
        while (labels is None or labels) and (left := self._limit - len(self.names)):
            heads = await self._journal.heads(start, after, left, labels)
            for name, head in heads:
                if await self._guards.allows(self._subject, name, head):
                    self.names.append(name)
            if len(heads) < left:
                return
            after = heads[-1][0]
