"""Access: decides from a request's headers who sends it, and whether the sender may act on the topics it names."""

from __future__ import annotations

from collections.abc import Sequence

from tidings.errors import Forbidden
from tidings.log.names import valid_topic

from .guards import Guards, Watch, Watches, naming
from .limits import Limits
from .subject import Subject
from .tokens import Authenticator, Headers


class Access:
    """The rights of a server: tokens say which topics a subject may use, guards what an app allows in them, and
    limits how much a person may use up.

    Every `routes()` takes the same one. `headers` are those of an ASGI scope: lower-case names and raw values.
    """

    def __init__(
        self, authenticator: Authenticator, guards: Guards | None = None, limits: Limits | None = None
    ) -> None:
        self.authenticator = authenticator
        self.guards: Guards = Guards() if guards is None else guards
        self.limits: Limits = Limits() if limits is None else limits

    async def reader(self, headers: Headers, *topics: str) -> Subject:
        """Return the sender, who may read these topics, past and future.

        Raises Unauthenticated, Forbidden or InvalidRequest; NotFound for a topic that a guard hides; Unavailable.
        """
        subject = await self.authenticator.authenticate(headers, unsafe=False)
        for topic in topics:
            if not subject.may_subscribe(valid_topic(topic)):
                raise Forbidden(f"Your token does not allow reading {topic}.", topic=topic)
            if (guard := self.guards.of(topic)) is not None:
                with naming(topic):
                    await guard.read(subject, topic)
        return subject

    async def publisher(self, headers: Headers, *topics: str) -> Subject:
        """Return the sender, whose token allows publishing to these topics. A guard checks the events themselves.

        Raises Unauthenticated, Forbidden, InvalidRequest or Unavailable.
        """
        subject = await self.authenticator.authenticate(headers, unsafe=True)
        for topic in topics:
            if not subject.may_publish(valid_topic(topic)):
                raise Forbidden(f"Your token does not allow publishing to {topic}.", topic=topic)
        return subject

    async def redactor(self, headers: Headers, topic: str) -> Subject:
        """Return the sender, who may remove the content of an event. Raises as `manager` does.

        The right is the token's own claim, `redact`: it comes neither with publishing nor with managing.
        """
        subject = await self.authenticator.authenticate(headers, unsafe=True)
        if not subject.may_redact(valid_topic(topic)):
            raise Forbidden(f"Your token does not allow redacting events of {topic}.", topic=topic)
        if (guard := self.guards.of(topic)) is not None:
            with naming(topic):
                await guard.manage(subject, topic)
        return subject

    def watch(self, subject: Subject, topics: Sequence[str]) -> Watch | None:
        """Return what ends a stream of these topics when the subject's session or its right to a topic ends.

        None for a stream that only ends with its token or its topics.
        """
        rights, session = self.guards.watch(subject, topics), self.authenticator.watch(subject)
        return Watches([rights, session]) if rights and session else rights or session

    async def manager(self, headers: Headers, topic: str) -> Subject:
        """Return the sender, who may configure, close and delete the topic. Raises as `publisher`, and NotFound."""
        subject = await self.publisher(headers, topic)
        if (guard := self.guards.of(topic)) is not None:
            with naming(topic):
                await guard.manage(subject, topic)
        return subject
