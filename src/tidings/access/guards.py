"""Guards: what an app allows in its topics, beyond a token's patterns. A guard is registered for the
first segment of its topics, or for a single topic.

A topic without a guard has only the patterns, and costs two looks in a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tidings.errors import Forbidden, InvalidRequest, NotFound, TidingsError

if TYPE_CHECKING:
    from tidings.log.head import Head
    from tidings.log.rules import Appended

    from .subject import Subject

Items = Sequence[tuple[str, str]]
"""Events to publish: `(type, data)`."""


@contextmanager
def naming(topic: str) -> Iterator[None]:
    """Put the topic of the request into every refusal of it, as the member `topic` of the problem.

    A client that follows several topics gives up the one that is named, and goes on with the others. A guard may ask
    the guard of another topic, so a topic that the refusal names already is overwritten.
    """
    try:
        yield
    except TidingsError as refusal:
        refusal.members["topic"] = topic
        raise


class Watch:
    """Watches the right behind one open stream and ends the stream when the right is lost."""

    def start(self, end: Callable[[], None]) -> None:
        """Begin to watch. `end` is called, once or more often, when the right is lost."""

    def stop(self) -> None:
        """Stop watching: the stream has ended."""


class Watches(Watch):
    """The watches of a stream that follows several topics."""

    def __init__(self, watches: Sequence[Watch]) -> None:
        self._watches = watches

    def start(self, end: Callable[[], None]) -> None:
        for watch in self._watches:
            watch.start(end)

    def stop(self) -> None:
        for watch in self._watches:
            watch.stop()


class Admitted(NamedTuple):
    """The events that may be published, with what the guard has added to them.

    `expected`: what must still be true of the log (`NEW`, an epoch or an offset). If another append came first, the
    guard checks the events again, so that the second of two publishers who race is checked against the first's events.
    """

    items: Items
    expected: Any = None
    note: Any = None
    """Anything that the guard wants back in `published`, such as the events as it has read them."""
    labels: Mapping[str, bool] = {}
    """The labels that the topic gets (True) and loses (False) with the events: see `Guard.labels`."""


class Guard:
    """Checks what is published to the topics of one first segment, and every read of them.

    The token's patterns are checked before. This base class allows everything; an app's guard overrides what it limits.
    """

    reads_json: bool = False
    """True if the guard itself refuses data that is not JSON, and says which part of it is wrong."""

    async def read(self, subject: Subject, topic: str) -> None:
        """Check a read: a page, a stream, a topic's state or its place in a list. Raises Forbidden or NotFound."""

    async def labels(self, subject: Subject) -> Sequence[str] | None:
        """Return labels, of which every topic that the subject may read has one; None: any topic may be readable.

        A list looks at no other topics, and checks each of these by `list`.
        """
        return None

    async def list(self, subject: Subject, topic: str, head: Head) -> None:
        """Check the place of a topic in a list, as `read` does. A guard that decides by the head alone reads no log."""
        await self.read(subject, topic)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        """Return the watch for a stream that `read` has just allowed, or None if the right cannot be lost."""
        return None

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        """Check events before they are published. Raises InvalidRequest, Forbidden, NotFound, Conflict or TooLarge."""
        return Admitted(items)

    async def repeated(self, subject: Subject, topic: str, items: Items) -> Appended | None:
        """Return the earlier append that a request without a key repeats; None if there is none.

        Called when `admit` has raised Conflict. The request is then answered like one with a key that was seen.
        """
        return None

    async def published(self, subject: Subject, topic: str, items: Items, done: Appended, note: Any = None) -> None:
        """Complete a publication after its commit and before its answer.

        `note` is what `admit` gave. A publisher that was not answered repeats its request with its key: then this is
        called again with the stored events and without a note, and finishes what was left undone.
        """

    async def manage(self, subject: Subject, topic: str) -> None:
        """Check that the subject may configure, close and delete the topic. Raises Forbidden or NotFound."""

    async def deleting(self, topic: str, head: Head) -> None:
        """Delete what belongs to the topic in the life of `head`, before the topic itself is deleted. Idempotent: a
        deletion that was cut off is repeated."""

    async def announce(self, subject: Subject, topic: str) -> None:
        """Check that the subject may announce a run in the topic. Raises Forbidden, NotFound or Conflict."""


class Sealed(Guard):
    """The guard of topics that only the server itself uses: every request for them is refused."""

    async def labels(self, subject: Subject) -> Sequence[str]:
        return ()

    async def read(self, subject: Subject, topic: str) -> None:
        raise _sealed(topic)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise _sealed(topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        raise _sealed(topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise _sealed(topic)


def _sealed(topic: str) -> Forbidden:
    return Forbidden(f"Only the server itself uses the topic {topic}.", topic=topic)


class Guards(dict[str, Guard]):
    """The guards of a server, by the first segment of their topics, or by the whole name of one topic."""

    def of(self, topic: str) -> Guard | None:
        """Return the guard of the topic, or None."""
        return self.get(topic.partition(".")[0]) or self.get(topic)

    async def allows(self, subject: Subject, topic: str, head: Head | None = None) -> bool:
        """Return True if the topic's guard lets the subject read it, or, with its head, see it in a list.

        The token's patterns are not looked at.
        """
        guard = self.of(topic)
        if guard is not None:
            try:
                await (guard.list(subject, topic, head) if head else guard.read(subject, topic))
            except (Forbidden, InvalidRequest, NotFound):
                return False
        return True

    def watch(self, subject: Subject, topics: Sequence[str]) -> Watch | None:
        """Return the watch for a stream of these topics, or None if no right to them can be lost."""
        watches = [
            watch
            for topic in topics
            if (guard := self.of(topic)) is not None and (watch := guard.watch(subject, topic)) is not None
        ]
        return Watches(watches) if len(watches) > 1 else watches[0] if watches else None
