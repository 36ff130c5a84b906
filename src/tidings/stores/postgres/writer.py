"""Writing groups of updates: look where it must be looked, let the plans decide, compare and write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import asyncpg

from tidings.errors import OutcomeUnknown, TidingsError
from tidings.events import Offset
from tidings.log.head import Known, decode_head
from tidings.log.port import KEYS, Plan

from .connection import CONFLICTS, DRIVER_ERRORS, Connection, meaning, state_of, was_refused
from .draft import Draft, Kept
from .eras import TIMELINE, Eras, Stale
from .statement import NOW, statement

HEADS = 10_000
"""Heads that are remembered, for updates that are tried without a look at the row."""

LOOK = f"""
WITH wanted AS MATERIALIZED (SELECT * FROM unnest($2::bigint[], $3::bytea[]) AS w (n, key))
SELECT a.name, t.changed, t.era, t.head, s.keys, s.firsts, s.lasts,
    (SELECT max(era) FROM tidings.eras) AS present, (SELECT {TIMELINE}) AS timeline
FROM unnest($1::text[]) WITH ORDINALITY AS a (name, n) LEFT JOIN tidings.topics t USING (name)
LEFT JOIN LATERAL (
    SELECT array_agg(k.key ORDER BY k.key) AS keys, array_agg(k.first ORDER BY k.key) AS firsts,
        array_agg(k.last ORDER BY k.key) AS lasts
    FROM wanted w JOIN tidings.keys k ON k.log = t.log AND k.key = w.key AND k.time > coalesce($4::float8, {NOW}) - $5
    WHERE w.n = a.n) s ON true"""

UNKNOWN = "The connection to the database died during the change: it is stored once, or not at all."


class Update:
    """A call of the port's `update`. `since`: the loop's time of the call."""

    __slots__ = ("keys", "plan", "since")

    def __init__(self, keys: Sequence[str], plan: Plan, since: float) -> None:
        self.keys: Sequence[str] = keys
        self.plan: Plan = plan
        self.since: float = since


Answer = Callable[[Update, Known | BaseException], None]
Group = Mapping[str, Sequence[Update]]


class Writer:
    """Writes groups for one process. `written(tails, transaction)` is called after each commit, before the answers."""

    def __init__(
        self,
        eras: Eras,
        clock: Callable[[], float] | None,
        answer: Answer,
        written: Callable[[Mapping[str, Offset | None], int], None],
    ) -> None:
        self._eras = eras
        self._clock = clock
        self._answer = answer
        self._written = written
        self._rows: dict[str, Kept] = {}

    def forget(self) -> None:
        """Forget every head, since another era has begun."""
        self._rows.clear()

    def outdate(self, transactions: Mapping[str, int]) -> None:
        """Forget the heads that another process has changed in later transactions, for a write would be in vain."""
        for topic, transaction in transactions.items():
            if (row := self._rows.get(topic)) and row.changed < transaction:
                del self._rows[topic]

    async def write(self, connection: Connection, group: Group) -> Group:
        """Answer the updates of a group, and return those to try again, for another process has changed their topics.

        Raises Stale if another era has begun, or the driver's error if the rows cannot be looked at: then nothing was
        written, and no update answered.
        """
        unseen = {topic for topic in group if any(each.keys for each in group[topic])}
        drafts: dict[str, Draft] = {}
        # While rows are looked at, others that were remembered may be outdated.
        while new := [each for each in group if each not in drafts and (each in unseen or each not in self._rows)]:
            drafts |= await self._look(connection, new, group)
            unseen.update(new)
        for topic in group:
            if topic not in drafts:
                drafts[topic] = Draft(topic, self._rows[topic], {})
            for update in group[topic]:
                drafts[topic].decide(update.keys, update.plan)
        # A plan that changes nothing is believed only if the row is still as it was remembered.
        idle = [topic for topic, draft in drafts.items() if draft.kind is None and topic not in unseen]
        now = await self._look(connection, idle, {})
        looked = {*unseen, *(topic for topic in idle if now[topic].kept == drafts[topic].kept)}
        changed = [draft for draft in drafts.values() if draft.kind is not None]
        written, failure = await self._commit(connection, changed) if changed else (set(), None)
        again: dict[str, Sequence[Update]] = {}
        for topic, updates in group.items():
            draft = drafts[topic]
            if (topic in looked) if draft.kind is None else (topic in written):
                for update, answer in zip(updates, draft.answers, strict=True):
                    self._answer(update, answer)
                continue
            self._rows.pop(topic, None)
            if draft.kind is not None and failure:
                for update in updates:
                    self._answer(update, type(failure)(str(failure)))
            else:
                again[topic] = updates
        return again

    async def _look(self, connection: Connection, topics: Sequence[str], group: Group) -> dict[str, Draft]:
        """Return drafts upon the rows of topics as they are now, and the idempotency keys that the group asks for."""
        if not topics:
            return {}
        keys = [(n, key) for n, topic in enumerate(topics, 1) for each in group.get(topic, ()) for key in each.keys]
        rows = await connection.fetch(
            LOOK,
            topics,
            [n for n, _ in keys],
            [key.encode() for _, key in keys],
            self._clock() if self._clock else None,
            KEYS,
        )
        drafts: dict[str, Draft] = {}
        for name, changed, era, head, seen, firsts, lasts, present, timeline in rows:
            if (present, timeline) != (self._eras.present, self._eras.timeline):
                raise Stale
            kept = None if head is None else Kept(changed, era, self._eras.now(decode_head(head), era))
            spans = zip(firsts or (), lasts or (), strict=True)
            drafts[name] = Draft(name, kept, dict(zip([key.decode() for key in seen or ()], spans, strict=True)))
        return drafts

    async def _commit(self, connection: Connection, drafts: Sequence[Draft]) -> tuple[set[str], TidingsError | None]:
        """Write the drafts whose rows are as they were, and return their topics; or an error for all of them."""
        drafts = sorted(drafts, key=lambda draft: draft.topic)
        text, parameters = statement(drafts, self._eras, self._clock() if self._clock else None)
        try:
            rows = await connection.fetch(text, *parameters)
        except DRIVER_ERRORS as error:
            if state_of(error) in CONFLICTS:
                return set(), None
            if was_refused(error):
                return set(), meaning(error)
            connection.terminate()
            # The driver refuses to use a connection that the engine has ended while it was idle.
            unsent = isinstance(error, asyncpg.InternalClientError)
            return set(), None if unsent else OutcomeUnknown(UNKNOWN)
        if not rows:
            return set(), None
        written = [drafts[n - 1] for n, _ in rows]
        self._remember(written, rows[0][1])
        return {draft.topic for draft in written}, None

    def _remember(self, drafts: Sequence[Draft], transaction: int) -> None:
        if len(self._rows) > HEADS:
            self._rows.clear()
        for draft in drafts:
            if draft.head is None:
                self._rows.pop(draft.topic, None)
            else:
                self._rows[draft.topic] = Kept(transaction, self._eras.present, draft.head)
        self._written({draft.topic: draft.news for draft in drafts}, transaction)
