"""What to do when the connection to a store died while a change was under way: find out, or say that nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tidings.errors import OutcomeUnknown, Unavailable

from .port import Plan, Store
from .rules import Change, Head, Known

PATIENCE = 10.0
"""Seconds for which a store that is away is asked again before the callers are told that the outcome is unknown."""

PAUSE = 0.2
"""Seconds between two questions."""


async def resolve(
    store: Store, topic: str, keys: Sequence[str], plan: Plan, change: Callable[[], Change | None]
) -> None:
    """Returns once `plan`'s change is stored, exactly once. `change`: what the plan decided last.

    The lost change may still arrive. It cannot once the state it was decided on is no more; so it is looked for, by its
    record's id, and tried again only upon the very state that was looked at: of the two, the store takes one.
    Raises OutcomeUnknown if that cannot be done.
    """
    lost = [change()]
    end = asyncio.get_running_loop().time() + PATIENCE
    while True:
        known: list[bool | None] = []
        try:
            head = await store.load(topic)
            known = [await _stored(store, topic, head, each) for each in lost]
            if True in known:
                return
            if None not in known:
                again = _Upon(head, plan)
                await store.update(topic, keys, again)
                if not again.moved:
                    return
        except OutcomeUnknown:
            lost.append(change())
        except Unavailable:
            pass
        if None in known or asyncio.get_running_loop().time() > end:
            raise OutcomeUnknown(
                "The connection to the store died during the change: it is stored once, or not at all."
            )
        await asyncio.sleep(PAUSE)


async def _stored(store: Store, topic: str, head: Head | None, change: Change | None) -> bool | None:
    """Whether a change is there. None: that cannot be known, for the log was trimmed or deleted meanwhile."""
    if change is None or change.head is None or change.record is None:
        return change is None or head == change.head  # if not: deleting, or changing a head, again does no harm
    record = change.record
    if head is None or head.epoch != change.head.epoch:
        return False if record.base == 0 else None  # False: it would have begun a life that is not there
    if head.start > record.base:
        return None
    after = record.base
    while after < head.tail:
        _, records = await store.read(topic, after, 1000)
        if any(each.id == record.id for each in records):
            return True
        if not records:
            break
        after = records[-1].last
    return False


class _Upon:
    """A plan that does nothing, and says `moved`, unless the head is as it was when it was looked at."""

    def __init__(self, head: Head | None, plan: Plan) -> None:
        self._head, self._plan = head, plan
        self.moved = False

    def __call__(self, known: Known) -> Change | None:
        self.moved = known.head != self._head
        return None if self.moved else self._plan(known)
