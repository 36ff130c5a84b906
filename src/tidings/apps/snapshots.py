"""Snapshots of states, each in a topic of its own: the parts of a text, and then the event that describes them."""

from __future__ import annotations

import msgspec

from tidings.delivery.hub import Hub
from tidings.errors import NotFound
from tidings.events import Offset, Retention

SNAPSHOTS = "snapshots"
"""First segment of the topics with snapshots: the snapshot of topic T is in `snapshots.T`."""

PART = 250_000
"""Characters of a snapshot in one event, which holds at most 1 MB."""

PARTS = 16
"""Events of a snapshot in one append, which holds at most 16 MB."""


class Snapshot(msgspec.Struct):
    """The state at `offset`, as this version of its fold has it. Its text is in the `parts` events before.

    The state holds the first `redactions` of its log.
    """

    version: int
    offset: str
    parts: int
    redactions: int = 0


async def read(hub: Hub, topic: str) -> tuple[Snapshot, str]:
    """Return the last snapshot of a topic, and its text. Raises NotFound, DecodeError."""
    snapshots = f"{SNAPSHOTS}.{topic}"
    page = await hub.log.read_before(snapshots, None, 1)
    if not page.events:
        raise NotFound(f"There is no snapshot of {topic}.")
    snapshot = msgspec.json.decode(page.events[-1].data, type=Snapshot)
    texts: list[str] = []
    at = Offset(page.tail.epoch, max(page.tail.n - 1 - snapshot.parts, 0))
    while len(texts) < snapshot.parts:  # a page has fewer events where they are large
        page = await hub.log.read(snapshots, at, snapshot.parts - len(texts))
        if page.lost is not None or not page.events:
            raise NotFound(f"The snapshot of {topic} is not whole.")
        texts += [event.data for event in page.events]
        at = page.next
    return snapshot, "".join(texts)


async def write(hub: Hub, topic: str, snapshot: Snapshot, text: str, label: str | None = None) -> None:
    """Put a snapshot, whose parts are counted here, in the place of the last one. `label`: one that its topic gets.

    Raises Conflict if another process writes one at the same time, and Unavailable.
    """
    items = [("snapshot.part", text[at : at + PART]) for at in range(0, len(text), PART)]
    snapshot.parts = len(items)
    items.append(("snapshot", msgspec.json.encode(snapshot).decode()))
    retention, tail, labels = Retention(max_events=len(items)), None, {label: True} if label else {}
    for start in range(0, len(items), PARTS):
        # Where there is more than one append, no event of another process comes between them.
        part = items[start : start + PARTS]
        done = await hub.log.append(f"{SNAPSHOTS}.{topic}", part, retention=retention, expected=tail, labels=labels)
        tail = done.last
