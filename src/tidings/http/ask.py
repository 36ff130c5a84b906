"""`GET /stream`: the endpoint of the tutorials, made safe. A `data:` per token, then `data: [DONE]`, no event names.

Two kinds of client read it. A client that says `Accept: text/event-stream`, as every EventSource does, gets an id with
each event and resumes the same run by it. The tutorials' own client, a `fetch` that splits on blank lines, prints
whatever is not `data: `, ids and comments too; it sends no such header, and gets blocks of data alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from fastapi import Request
from msgspec import Meta
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.subject import Subject
from tidings.api import Hub
from tidings.delivery.response import given_id
from tidings.errors import InvalidRequest
from tidings.events import Offset
from tidings.runs.assistant import NamedAssistant, choose
from tidings.runs.run import Run
from tidings.wire.tokens import TokenFormat

from .follow import ALIASES, APPENDED
from .openapi import KEY, DirectRoute, last_event_id, problems
from .openapi import stream as event_stream
from .request import Direct, Query, idempotency_key, wrong
from .response import ServedStreamResponse, Slots

_ID = re.compile(r"([0-9A-Za-z]{1,64})\.([^.]+)(?:\.([1-9][0-9]{0,5}))?")

NAME = {"maxLength": 100}
QUESTION = {"minLength": 1, "maxLength": 8000}


class AskQuery(Query, frozen=True):
    """The parameters of a question."""

    aliases: ClassVar[Mapping[str, str]] = ALIASES
    appended: ClassVar[frozenset[str]] = APPENDED
    q: Annotated[str, Meta(description="The question.", extra_json_schema=QUESTION)]
    assistant: Annotated[
        str, Meta(description="A name; the default assistant without one.", extra_json_schema=NAME)
    ] = ""
    last_event_id: Annotated[
        str,
        Meta(
            description="The last event ID, for clients that cannot send the header. `lastEventId` is another name.",
            extra_json_schema={"maxLength": 512, "pattern": f"^({_ID.pattern})?$"},
        ),
    ] = ""


OPERATION: dict[str, Any] = {
    "tags": ["runs"],
    "summary": "Ask, and read the answer token by token",
    "parameters": [*AskQuery.parameters(), last_event_id(_ID.pattern), KEY],
    "responses": {**event_stream("The answer is complete and read: do not come back."), **problems(404)},
}


def asking(hub: Hub, access: Access, slots: Slots, assistants: Mapping[str, NamedAssistant]) -> DirectRoute:
    """Return the route of the tutorial endpoint."""

    async def start(request: Request, query: AskQuery) -> tuple[Subject, Run]:
        """Start a run that answers the question."""
        subject = await access.publisher(request.scope["headers"], "runs.new")
        chosen = choose(assistants, query.assistant or None)
        with access.limits.run(subject) as begun:
            run = await hub.runs.start(
                *await chosen.ask([{"role": "user", "content": query.q}]),
                key=idempotency_key(request, subject),
                about={"assistant": chosen.name, "model": chosen.model, "by": subject.name, "text": query.q},
            )
            if run.created:
                begun(run.id)
        return subject, run

    async def stream(request: Request) -> Response:
        query = AskQuery.read(request.scope)
        if not 0 < len(query.q) <= QUESTION["maxLength"]:
            wrong("q", f"A question has 1 to {QUESTION['maxLength']} characters")
        if len(query.assistant) > NAME["maxLength"]:
            wrong("assistant", f"A name has at most {NAME['maxLength']} characters")
        ids = "text/event-stream" in request.headers.get("accept", "")
        last = given_id(request.scope)
        offset: Offset | None = None
        seen = (0, 0)
        if last:
            match = _ID.fullmatch(last)
            if not match:
                raise InvalidRequest("The last event ID is not one of this endpoint's: RUN.EPOCH-N.")
            subject = await access.reader(request.scope["headers"], f"runs.{match[1]}")
            run, offset = await hub.runs.get(match[1]), Offset.parse(match[2])
            if match[3] and offset.n:
                seen = offset.n, int(match[3])
                offset = offset._replace(n=offset.n - 1)
        else:
            subject, run = await start(request, query)
        return ServedStreamResponse(
            hub,
            run.topic,
            after=offset or "earliest",
            format=TokenFormat(run=run.id, ids=ids, seen=seen),
            expires=subject.expires,
            resume=False,
            watch=access.watch(subject, [run.topic]),
            slots=slots,
            owner=subject.name or "",
        )

    return DirectRoute("GET", "/stream", Direct(stream), OPERATION)
