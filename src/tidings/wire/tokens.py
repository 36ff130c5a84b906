"""Bare tokens as an event stream: the format of `GET /stream`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tidings.events import Event

from .sse import Format, encode

DONE = "[DONE]"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class TokenFormat(Format):
    """A run's text as bare tokens. With `ids`, each event's id is `RUN.EPOCH-N`, so that the id alone finds the run.

    If an event of the run is written as several tokens, the K-th of them has the id `RUN.EPOCH-N.K`, except the last.
    `seen`: (N, K), the client has K tokens of event N already.
    """

    run: str = ""
    ids: bool = True
    seen: tuple[int, int] = (0, 0)

    @property
    def comments(self) -> bool:
        """False without ids: the tutorials' own clients print whatever is not `data: `."""
        return self.ids

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        """Encode the text of events and skip other events.

        The first event becomes an empty token, so that a client which is cut off before the first word has an id to
        come back with.
        """
        return b"".join(self._one(event) for event in events)

    def notice(self, topic: str, type: str, data: dict[str, Any], id: str, time: float = 0.0) -> bytes:
        """Encode a reset as an `error` event. The end needs no event, since `[DONE]` has told it."""
        if type != "tidings.reset":
            return b""
        return encode("error", "Some of this answer is gone.", f"{self.run}.{id}" if self.ids else "")

    def _one(self, event: Event) -> bytes:
        id = f"{self.run}.{event.offset}" if self.ids else ""
        if event.type == "block.delta":
            value = _decode(event.data)
            if value.get("kind") != "text":
                return b""
            return self._tokens(event, tokens(value["delta"]), id)
        if event.type == "run.started":
            return encode("message", "", id) if self.ids else b""
        if event.type == "run.failed":
            return encode("error", _decode(event.data)["message"], id)
        if event.type == "run.finished":
            outcome = _decode(event.data)["outcome"]
            if outcome == "success":
                return encode("message", DONE, id)
            return encode("error", f"The answer was {outcome} before its end.", id)
        return b""

    def _tokens(self, event: Event, parts: list[str], id: str) -> bytes:
        if not self.ids:
            return b"".join(encode("message", part) for part in parts)
        ids = [f"{id}.{k}" for k in range(1, len(parts))] + [id]
        skip = self.seen[1] if event.offset and event.offset.n == self.seen[0] else 0
        return b"".join(map(encode, ["message"] * len(parts[skip:]), parts[skip:], ids[skip:]))


def tokens(text: str) -> list[str]:
    """Split a text into tokens that cannot be taken for the end: a `[DONE]` in the text is cut in two."""
    first, *rest = text.split(DONE)
    parts = [first]
    for piece in rest:
        parts += ["[DO", "NE]" + piece]
    return [part for part in parts if part]
