"""Finding out whether a change was stored when the connection to the store died while the change was under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tidings.errors import OutcomeUnknown, Unavailable
from tidings.events import Offset

from .head import Change, Head, Known
from .port import Plan, Store

PATIENCE = 10.0
"""Seconds for which a store that is away is asked again, before the callers get OutcomeUnknown."""

PAUSE = 0.2
"""Seconds between two questions."""


async def resolve(
    store: Store, topic: str, keys: Sequence[str], plan: Plan, change: Callable[[], Change | None]
) -> None:
    """Return once the change of `plan` is stored, exactly once. `change` returns what the plan decided last.

    The lost change may still arrive, unless the state that it was decided on is gone. Therefore look for it, by the id
    of its last record, and try again only on the very state that was looked at: the store accepts one of the two.
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
                again = _IfUnchanged(head, plan)
                await store.update(topic, keys, again)
                if not again.changed:
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
    """Tell whether a change is there. None: nobody can know, for the log was trimmed or deleted meanwhile."""
    if change is None or change.head is None or not change.records:
        return change is None or head == change.head  # if not: to delete, or to change a head, again does no harm
    record = change.records[-1]  # the one that is trimmed last
    if head is None or head.locate(Offset(change.head.epoch, record.base)) is None:
        # False: the life that it would begin is not there, or a failover has lost what it was decided upon.
        begins = change.records[0].base == 0
        return False if begins or (head and change.head.epoch in dict(head.lives)) else None
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


class _IfUnchanged:
    """A plan that runs another one only if the head is still the one given; otherwise it sets `changed`."""

    def __init__(self, head: Head | None, plan: Plan) -> None:
        self._head, self._plan = head, plan
        self.changed = False

    def __call__(self, known: Known) -> Change | None:
        self.changed = known.head != self._head
        return None if self.changed else self._plan(known)
