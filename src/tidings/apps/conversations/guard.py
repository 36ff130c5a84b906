"""The guard of conversations: `conversations.ID` belongs to the person who began it."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.access.guards import Admitted, Guard, Items, Watch
from tidings.access.subject import Subject
from tidings.apps.files.service import Files
from tidings.apps.lives import Life
from tidings.delivery.hub import Hub
from tidings.errors import Forbidden, InvalidRequest, NotFound
from tidings.events import Event, Offset
from tidings.log.head import UNOWNED, Head, owned_by
from tidings.log.rules import NEW
from tidings.runs.run import is_id, topic_of
from tidings.wire.run_events import RunStarted, from_event

REMEMBERED = 10_000
"""Conversations whose epochs are kept at hand for streams that are being opened: those read last."""


class ConversationsGuard(Guard):
    """A conversation is read and written by its owner alone. A conversation that was begun without a name has no owner:
    it is nobody's on a server with a key, and everybody's on a server without one, where names prove nothing.

    The owner is in the head of the log. It depends on no event, since events can be trimmed, deleted or expire.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._files = Files(hub)
        self._epochs: dict[str, str] = {}

    async def read(self, subject: Subject, topic: str) -> None:
        head = await self._hub.log.describe(topic)
        # A stream of a topic that was deleted waits for its next life: no right of the last one can end it.
        self._epochs.pop(topic, None)
        if head is not None:
            _check_owner(subject, topic, head)
            self._epochs[topic] = head.epoch
            if len(self._epochs) > REMEMBERED:
                del self._epochs[next(iter(self._epochs))]
        elif subject.name is not None:
            # Nobody waits for a conversation to begin: it may become another person's.
            raise NotFound(f"There is no conversation {topic.partition('.')[2]}.", topic=topic)

    async def labels(self, subject: Subject) -> Sequence[str]:
        labels = [owned_by(subject.name)] if subject.name else []
        return [*labels, UNOWNED] if subject.session is None else labels

    async def list(self, subject: Subject, topic: str, head: Head) -> None:
        _check_owner(subject, topic, head)

    def watch(self, subject: Subject, topic: str) -> Watch | None:
        epoch = self._epochs.get(topic)
        return None if epoch is None else Life(self._hub, topic, epoch)

    async def admit(self, subject: Subject, topic: str, items: Items, *, transient: bool) -> Admitted:
        head = await self._hub.log.describe(topic)
        if head is None:
            return Admitted(items, NEW)
        _check_owner(subject, topic, head)
        return Admitted(items, head.epoch)

    async def manage(self, subject: Subject, topic: str) -> None:
        head = await self._hub.log.describe(topic)
        if head is not None:
            _check_owner(subject, topic, head)

    async def check_may_upload(self, subject: Subject, topic: str) -> None:
        """Raise Forbidden unless the subject has a name, and may begin the conversation or owns it."""
        if subject.name is None:
            raise Forbidden('Choose a name first: `POST /session` with {"name": …}.')
        await self.manage(subject, topic)

    async def deleting(self, topic: str, head: Head) -> None:
        """Delete the files of the conversation, and its runs: the answers are in the events of the runs."""
        after = Offset(head.epoch, head.start)
        while True:
            page = await self._hub.read(topic, after)
            if page.lost not in (None, "trimmed"):
                return  # another life, which belongs to another person
            for event in page.events:
                run = _announced(event)
                if run is not None and await self._announces(topic, run):
                    await self._hub.delete(topic_of(run))
            if page.up_to_date:
                await self._files.delete_all(topic)
                return
            after = page.next

    async def _announces(self, topic: str, run: str) -> bool:
        """Return True if the run itself names the conversation: a person can publish any `run.created` there."""
        try:
            page = await self._hub.read(topic_of(run), limit=1)
        except (InvalidRequest, NotFound):
            return False
        started = from_event(page.events[0]) if page.events else None
        return isinstance(started, RunStarted) and started.topic == topic

    async def announce(self, subject: Subject, topic: str) -> None:
        """Check that the conversation is the subject's, and begin it if there is none."""
        head = await self._hub.log.describe(topic)
        if head is None:
            head = await self._hub.log.configure(topic, owner=subject.name or "", default=None)
        _check_owner(subject, topic, head)


def _announced(event: Event) -> str | None:
    """Return the id of the run that an event announces; None for any other event."""
    try:
        run = event.json()["run"] if event.type == "run.created" else None
    except (ValueError, TypeError, KeyError):
        return None
    return run if isinstance(run, str) and is_id(run) else None


def _check_owner(subject: Subject, topic: str, head: Head) -> None:
    if not head.owner and subject.session is not None:
        raise Forbidden("This conversation has no owner.", topic=topic)
    if head.owner not in ("", subject.name):
        raise Forbidden("This conversation belongs to someone else.", topic=topic)
