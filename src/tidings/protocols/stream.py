"""`GET /stream`: the endpoint of the tutorials, made safe. A `data:` per token, then `data: [DONE]`, no event names.

Two kinds of client read it. One that says `Accept: text/event-stream`, as every EventSource does, gets an id with each
event and resumes the same run by it. The tutorials' own client, a `fetch` that splits on blank lines, prints whatever
is not `data: `, ids and comments too; it says no such thing, and gets blocks of data alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ..auth import Authenticator
from ..errors import Invalid
from ..events import Event, Offset
from ..hub import Hub
from ..log import parse_offset
from ..wire.sse import Format, encode
from .request import KEY, choose, idempotency_key, last_event_id, problems, publisher, reader
from .request import stream as event_stream
from .response import EventStreamResponse, Slots, given_id

if TYPE_CHECKING:
    from ..runs.assistants import Assistant

DONE = "[DONE]"
_ID = re.compile(r"([0-9A-Za-z]{1,64})\.([^.]+)(?:\.([1-9][0-9]{0,5}))?")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True)
class TokenFormat(Format):
    """A run's text as bare tokens. With `ids`, each event's id is `RUN.EPOCH-N`, so that the id alone finds the run.

    Where an event of the run is written as several tokens, those before the last have the id `RUN.EPOCH-N.K`, after
    the K-th. `seen`: (N, K), the client has K tokens of event N already.
    """

    run: str = ""
    ids: bool = True
    seen: tuple[int, int] = (0, 0)

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        """Pure. Events that are no text give nothing; the first gives an empty token, so that a client which is cut
        off before the first word has an id to come back with."""
        return b"".join(self._one(event) for event in events)

    def notice(self, topic: str, type: str, data: dict[str, Any], id: str) -> bytes:
        """Only a loss is said, as an `error` event: the end has been said by `[DONE]`."""
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
    """The text in pieces none of which can be taken for the end: a `[DONE]` in it is cut in two."""
    first, *rest = text.split(DONE)
    parts = [first]
    for piece in rest:
        parts += ["[DO", "NE]" + piece]
    return [part for part in parts if part]


def routes(hub: Hub, auth: Authenticator, slots: Slots, assistants: Mapping[str, Assistant]) -> APIRouter:
    """The router of the tutorial endpoint."""
    router = APIRouter(tags=["runs"])

    @router.get(
        "/stream",
        summary="Ask, and read the answer token by token",
        response_class=Response,
        responses={**event_stream("The answer is complete and read: do not come back."), **problems(404)},
        openapi_extra={"parameters": [last_event_id(_ID.pattern), KEY]},
    )
    async def stream(
        request: Request,
        q: Annotated[str, Query(min_length=1, max_length=8000, description="The question.")],
        assistant: Annotated[str | None, Query(max_length=100)] = None,
    ) -> Response:
        ids = "text/event-stream" in request.headers.get("accept", "")
        given = given_id(request.scope)
        offset: Offset | None = None
        seen = (0, 0)
        if given:
            found = _ID.fullmatch(given)
            if not found:
                raise Invalid("The last event ID is not one of this endpoint's: RUN.EPOCH-N.")
            subject = await reader(auth, request, f"runs.{found[1]}")
            run, offset = await hub.runs.get(found[1]), parse_offset(found[2])
            if found[3] and offset.n:
                seen = offset.n, int(found[3])
                offset = offset._replace(n=offset.n - 1)
        else:
            subject = await publisher(auth, request, "runs.new")
            chosen = choose(assistants, assistant)
            messages = [{"role": "user", "content": q}]
            run = await hub.runs.start(
                await chosen.runnable(),
                messages,
                assistant=chosen.name,
                model=chosen.model,
                by=subject.name,
                text=q,
                key=idempotency_key(request),
            )
        return EventStreamResponse(
            hub,
            run.topic,
            start=offset or "earliest",
            last_event_id="",
            format=TokenFormat(run=run.id, ids=ids, seen=seen),
            expires=subject.expires,
            dirty=True,
            bare=not ids,
            watch=auth.guards.watch(subject, [run.topic]),
            slots=slots,
            owner=subject.name or "",
        )

    return router
