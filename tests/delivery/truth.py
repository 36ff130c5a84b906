"""The true data at each offset of each life of a topic. The first report of an offset, by a publisher or a reader,
defines it; a report that differs shows that something is broken."""

from __future__ import annotations

from collections.abc import Sequence


class Broken(AssertionError):
    """A promise was not kept."""


class Life:
    """A life of a log. `data[n - 1]` is that of event `n`."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.data: list[str | None] = []

    def tell(self, n: int, data: str) -> None:
        known = self.data
        while len(known) < n:
            known.append(None)
        if known[n - 1] is None:
            known[n - 1] = data
        elif known[n - 1] != data:
            raise Broken(f"{self.epoch}-{n} is {data[:60]!r} to one and {(known[n - 1] or '')[:60]!r} to another")


class Topic:
    """A topic of the checker. `stable`: nothing of it is ever trimmed or deleted, so nobody may be told that it is."""

    def __init__(self, name: str, *, stable: bool) -> None:
        self.name = name
        self.stable = stable
        self.lives: dict[str, Life] = {}
        self.buried: set[str] = set()
        self.published = 0
        self.deletes = 0
        """The number of requests for its deletion."""
        self.tail: tuple[str, int] | None = None
        """The end, once the topic is closed."""

    def life(self, epoch: str) -> Life:
        life = self.lives.get(epoch)
        if life is None:
            if self.stable and self.lives:
                raise Broken(f"{self.name} has two lives, {set(self.lives)} and {epoch}")
            life = self.lives[epoch] = Life(epoch)
        return life

    def acknowledge(self, first: str, last: str, data: Sequence[str]) -> None:
        """A publisher was told that its events are stored here."""
        epoch, _, n = first.rpartition("-")
        if last != f"{epoch}-{int(n) + len(data) - 1}":
            raise Broken(f"{len(data)} events were stored from {first} to {last}")
        life = self.life(epoch)
        for i, text in enumerate(data, int(n)):
            life.tell(i, text)

    def reached(self, published: int) -> bool:
        return self.published >= published

    def bury(self, epoch: str) -> None:
        """A reader was told that this life is over."""
        if self.stable:
            raise Broken(f"{self.name} was said to be deleted, which it never was")
        self.buried.add(epoch)

    def finish(self, epoch: str, n: int) -> None:
        """The topic is closed at this offset; call it when all publishers are done."""
        self.tail = epoch, n
        life = self.life(epoch)
        if len(life.data) != n:
            raise Broken(f"{self.name} ends at {epoch}-{n}, but {len(life.data)} events were seen or acknowledged")
        if epoch in self.buried:
            raise Broken(f"{self.name} lives on as {epoch}, which a reader was told is over")
        missing = [i for i, data in enumerate(life.data, 1) if data is None]
        if missing:
            raise Broken(f"{self.name} holds events nobody published: {missing[:10]}")
