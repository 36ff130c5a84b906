"""Guards: what an app says of its topics beyond a token's patterns. One for each first segment that an app speaks for.

A topic that no guard speaks for has only the patterns, and pays one look in a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tidings.errors import Forbidden, NotFound

if TYPE_CHECKING:
    from tidings.log.rules import Appended

    from .subject import Subject

Items = Sequence[tuple[str, str]]
"""Events to publish: `(type, data)`."""

Ending = Callable[[Callable[[], None]], Callable[[], None]]
"""Told how to end a stream, it does so when the right to read is lost; what it returns says that the stream is over."""


class Admitted(NamedTuple):
    """What may be published, as the guard has stamped it.

    `expected`: what must still be true of the log (`NEW`, an epoch or an offset). If it is not, the events are judged
    again, so that of two publishers who race the second is judged by what the first has done.
    """

    items: Items
    expected: Any = None


class Guard:
    """Checks what is published natively to the topics of one first segment, and authorises every read of them.

    The token's patterns are checked before. This one allows everything: an app's guard says what it does not.
    """

    async def read(self, subject: Subject, topic: str) -> None:
        """For every read: page, stream, replay, head, listing. Raises Forbidden or NotFound."""

    def watch(self, subject: Subject, topic: str) -> Ending | None:
        """For a stream that `read` has just allowed: what ends it when the right is lost. None: it never is."""
        return None

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        """For everything that is to be published. Raises InvalidRequest, Forbidden, NotFound, Conflict or TooLarge."""
        return Admitted(items)

    async def published(self, subject: Subject, topic: str, items: Items, done: Appended) -> None:
        """After the commit and before its answer, with what is stored. It may be called again for the same events: a
        publisher that was not answered comes again with its key, and this mends what was not done then."""

    async def manage(self, subject: Subject, topic: str) -> None:
        """For configuring, closing and deleting. Raises Forbidden or NotFound."""

    async def announce(self, subject: Subject, topic: str) -> None:
        """For a run that is to be announced in the topic. Raises Forbidden, NotFound or Conflict."""


class Sealed(Guard):
    """Topics that are the server's own: nobody reads them or publishes to them over HTTP."""

    async def read(self, subject: Subject, topic: str) -> None:
        raise _sealed(topic)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        raise _sealed(topic)

    async def manage(self, subject: Subject, topic: str) -> None:
        raise _sealed(topic)

    async def announce(self, subject: Subject, topic: str) -> None:
        raise _sealed(topic)


def _sealed(topic: str) -> Forbidden:
    return Forbidden(f"{topic} is the server's own.", topic=topic)


class Guards(dict[str, Guard]):
    """The guards of a server, by the first segment of their topics."""

    def of(self, topic: str) -> Guard | None:
        """The guard that speaks for the topic, if any does."""
        return self.get(topic.partition(".")[0])

    async def allows(self, subject: Subject, topic: str) -> bool:
        """Whether the guard of the topic lets the subject read it; the token's patterns are another matter."""
        guard = self.of(topic)
        if guard is not None:
            try:
                await guard.read(subject, topic)
            except (Forbidden, NotFound):
                return False
        return True

    def watch(self, subject: Subject, topics: Sequence[str]) -> Ending | None:
        """What ends a stream of these topics when the right to read one of them is lost. None: nothing can."""
        endings = [
            ending
            for topic in topics
            if (guard := self.of(topic)) is not None and (ending := guard.watch(subject, topic)) is not None
        ]
        if not endings:
            return None

        def begun(end: Callable[[], None]) -> Callable[[], None]:
            overs = [ending(end) for ending in endings]

            def over() -> None:
                for each in overs:
                    each()

            return over

        return begun
