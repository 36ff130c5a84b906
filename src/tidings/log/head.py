"""The head of a log: everything that the rules must know of a log, and a change of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tidings.events import Offset, Retention

from .names import new_epoch
from .records import Record

UNOWNED = "by "
"""The label of a log without an owner."""

REMEMBERED = 32
"""Redactions that a head names. A process that has missed more of them reads the log again."""


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The state of a log without its events. Trimming keeps the head, deleting ends it.

    `start < n <= tail` are the retained events. `closed` never becomes False again within an epoch: it is the fence.
    `size`: bytes of the retained records. `oldest`, `touched`: Unix seconds of the first retained record and of the
    last append, close or configure. `ttl`: seconds after `touched` at which the log expires, as if deleted.
    `owner`: the name given by the append that created the log, never changed. `lives`: earlier epochs of a log that was
    restored from a backup, each with the number up to which this life has the same events. `redactions`: how many
    events were redacted; `redacted`: the number and the type of the last 32 of these, the latest last. `single`: only
    the last record is left, which is never trimmed. `arriving`: `tidings move` is copying the log from another store,
    and until it is done nobody else reads or changes the log here.
    """

    epoch: str
    start: int = 0
    tail: int = 0
    closed: bool = False
    size: int = 0
    oldest: float = 0.0
    touched: float = 0.0
    retention: Retention = Retention()
    ttl: float | None = None
    owner: str = ""
    lives: tuple[tuple[str, int], ...] = ()
    redactions: int = 0
    redacted: tuple[tuple[int, str], ...] = ()
    single: bool = False
    arriving: bool = False

    def locate(self, offset: Offset) -> int | None:
        """Return the number of an offset of this life, or of an earlier life up to where this one has the same events.

        None: the offset is of another life. The number may be beyond the tail, or be trimmed.
        """
        if offset.epoch == self.epoch:
            return offset.n
        for epoch, shared in self.lives:
            if offset.epoch == epoch and offset.n <= shared:
                return offset.n
        return None

    def restored(self, epoch: str | None = None) -> Head:
        """Return the head with which this log begins another life, as its backup is restored. `epoch`: the new one."""
        lives = *self.lives, (self.epoch, self.tail)
        return msgspec.structs.replace(self, epoch=epoch or new_epoch(), lives=lives)


encode_head: Callable[[Head], bytes] = msgspec.msgpack.Encoder().encode
decode_head: Callable[[bytes], Head] = msgspec.msgpack.Decoder(Head).decode


class Known(NamedTuple):
    """A head as it was at one instant, and the spans of those asked-for keys that its epoch has seen in 24 h."""

    head: Head | None
    seen: Mapping[str, tuple[int, int]] = {}


class Change(NamedTuple):
    """A change for a store to write: all of it, or nothing.

    `head`: None deletes the log, its keys and its lease. A head whose `start` moved drops the records with
    `last <= start`. `records`: to add, in order. `keys`: (key, first, last) to remember for 24 h. `fresh`: the head
    begins a new epoch in the place of an expired one; drop all that the old one left. `replaced`: records to put in the
    places of those with the same bases, of whose blobs nothing may remain. `labels`: those that the log gets (True)
    and loses (False). A log that is deleted or begins anew loses its earlier labels first. `times`: the Unix seconds at
    which some of the `keys` were used, if that is not now.
    """

    head: Head | None
    records: Sequence[Record] = ()
    keys: Sequence[tuple[str, int, int]] = ()
    fresh: bool = False
    replaced: Sequence[Record] = ()
    labels: Mapping[str, bool] = {}
    times: Mapping[str, float] = {}


def owned_by(owner: str) -> str:
    """Return the label of the logs of an owner. Every log has this label, or UNOWNED, from its birth."""
    return UNOWNED + owner
