"""Tokens of people who have signed out, known to every process that shares the store."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tidings.access.subject import PERSON
from tidings.access.tokens import Authenticator, digest_of
from tidings.delivery.hub import Hub
from tidings.errors import NotFound, Unauthenticated
from tidings.events import ORIGIN, Event, Offset, Retention

TOPIC = "sessions.ended"
"""The topic that lists the tokens, by their hashes. The server alone uses it."""


class SessionEnded(msgspec.Struct, frozen=True):
    """An event of the topic: the hash of a token in hexadecimal, and when the token expires in Unix seconds."""

    token: str
    expires: float


_decode = msgspec.json.Decoder(SessionEnded).decode


class SignedOut:
    """Refuses the tokens with which people have signed out, until they expire. `open` it once the hub is open."""

    def __init__(self, hub: Hub, authenticator: Authenticator) -> None:
        self._hub = hub
        self._authenticator = authenticator

    async def open(self) -> None:
        """Read the list, then follow it. Raises Unavailable."""
        after: Offset | str = "earliest"
        try:
            while not (page := await self._hub.read(TOPIC, after)).up_to_date:
                self._take(page.events)
                after = page.next
            self._take(page.events)
            start = page.next
        except NotFound:
            start = ORIGIN
        self._hub.delivery.background(self._follow(start))

    async def end(self, token: str) -> None:
        """Refuse a person's token from now on, on every process. Raises Unavailable.

        The token of a program stays valid, since a program may use it besides; so does a token that is not valid.
        """
        try:
            subject = await self._authenticator.verify(token)
        except Unauthenticated:
            return
        if subject.limits == PERSON and subject.expires is not None:
            ended = SessionEnded(digest_of(token).hex(), subject.expires)
            data = msgspec.json.encode(ended).decode()
            await self._hub.log.append(TOPIC, [("session.ended", data)], key=ended.token, retention=Retention())
            self._authenticator.revoke(digest_of(token), subject.expires)

    async def _follow(self, after: Offset) -> None:
        async for event in self._hub.subscribe(TOPIC, after):
            self._take([event])

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.type == "session.ended":
                ended = _decode(event.data)
                self._authenticator.revoke(bytes.fromhex(ended.token), ended.expires)
