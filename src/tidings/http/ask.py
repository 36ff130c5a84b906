"""`GET /stream`: the endpoint of the tutorials, made safe. A `data:` per token, then `data: [DONE]`, no event names.

Two kinds of client read it. One that says `Accept: text/event-stream`, as every EventSource does, gets an id with each
event and resumes the same run by it. The tutorials' own client, a `fetch` that splits on blank lines, prints whatever
is not `data: `, ids and comments too; it says no such thing, and gets blocks of data alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from tidings.access.tokens import Authenticator
from tidings.api import Hub
from tidings.errors import InvalidRequest
from tidings.events import Offset
from tidings.log.names import parse_offset
from tidings.runs.assistant import Assistant, choose
from tidings.wire.tokens import TokenFormat

from .request import KEY, idempotency_key, last_event_id, problems, publisher, reader
from .request import stream as event_stream
from .response import EventStreamResponse, Slots, given_id

_ID = re.compile(r"([0-9A-Za-z]{1,64})\.([^.]+)(?:\.([1-9][0-9]{0,5}))?")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


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
                raise InvalidRequest("The last event ID is not one of this endpoint's: RUN.EPOCH-N.")
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
