"""Runs over HTTP: start, follow, stop. And the assistants that answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from ..auth import Authenticator
from ..errors import Invalid
from ..hub import Hub
from ..wire.run_events import RunFormat
from .request import choose, idempotency_key, parse_start, problems, publisher, reader
from .response import EventStreamResponse, Slots, given_id, json_response

if TYPE_CHECKING:
    from ..runs.assistants import Assistant

PLAIN, ENVELOPE = RunFormat(), RunFormat(envelope=True)
RunId = Annotated[
    str, Path(pattern="^[0-9A-Za-z]{1,64}$", description="A run's id.", examples=["01JD9W3K5T8Q2R7V4X6Y9Z0ABC"])
]


class Message(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=1 << 18)


class NewRun(BaseModel):
    """What to ask, and whom. Either `input` or `messages`, the last of which is then the question."""

    model_config = ConfigDict(extra="forbid")
    assistant: str | None = Field(None, max_length=100, description="Its name; the default assistant without one.")
    input: str | None = Field(None, min_length=1, max_length=1 << 18)
    messages: list[Message] | None = Field(None, min_length=1, max_length=1000)
    topic: str | None = Field(None, max_length=200, description="A conversation or room that is told of the run first.")
    parent: str | None = Field(None, max_length=64, description="The run that this one answers anew.")


def question(new: NewRun) -> tuple[str, list[dict[str, str]]]:
    """The question's text and the messages the model is given. Raises Invalid."""
    if (new.input is None) == (new.messages is None):
        raise Invalid("Give either `input` or `messages`.")
    messages = (
        [m.model_dump() for m in new.messages] if new.messages else [{"role": "user", "content": new.input or ""}]
    )
    if messages[-1]["role"] != "user" or not messages[-1]["content"].strip():
        raise Invalid("The last message is the question: it has the role `user` and is not empty.")
    return messages[-1]["content"], messages


def routes(hub: Hub, auth: Authenticator, slots: Slots, assistants: Mapping[str, Assistant]) -> APIRouter:
    """The router of runs and assistants."""
    router = APIRouter(tags=["runs"])

    @router.get("/assistants", summary="Who can be asked", responses=problems())
    async def listed(request: Request) -> Response:
        await reader(auth, request)
        default = next(iter(assistants), None)
        values = [
            {"name": a.name, "title": a.title, "model": a.model, "note": a.note, "prompts": list(a.prompts)}
            | {"default": a.name == default}
            for a in assistants.values()
        ]
        return json_response({"assistants": values})

    @router.post(
        "/runs",
        summary="Start a run",
        status_code=201,
        responses={200: {"description": "The key was seen: the run it started."}, **problems(404, 409)},
        openapi_extra={
            "parameters": [
                {"in": "header", "name": "Idempotency-Key", "schema": {"type": "string", "maxLength": 200}},
            ]
        },
    )
    async def start(request: Request, new: NewRun) -> Response:
        subject = await publisher(auth, request, "runs.new", *filter(None, [new.topic]))
        text, messages = question(new)
        assistant = choose(assistants, new.assistant)
        run = await hub.runs.start(
            await assistant.runnable(),
            messages,
            assistant=assistant.name,
            model=assistant.model,
            announce=new.topic,
            parent=new.parent,
            key=idempotency_key(request),
            by=subject.name,
            text=text,
        )
        value = {"run": run.id, "topic": run.topic, "events": f"/runs/{run.id}/events"}
        return json_response(value, 201 if run.created else 200, {"location": f"/runs/{run.id}"})

    @router.get("/runs/{run}", summary="How a run is", responses=problems(404))
    async def describe(request: Request, run: RunId) -> Response:
        await reader(auth, request, f"runs.{run}")
        return json_response(await (await hub.runs.get(run)).state())

    @router.get(
        "/runs/{run}/events",
        summary="Follow a run",
        response_class=Response,
        responses={
            200: {"description": "An event stream", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
            204: {"description": "The run has ended and is read: do not come back."},
            **problems(404),
        },
    )
    async def follow(
        request: Request,
        run: RunId,
        start: Annotated[str, Query(alias="from", description="`earliest`, `tail` or an offset.")] = "earliest",
        last_event_id: Annotated[str, Query(description="For clients that cannot send the header.")] = "",
        envelope: Annotated[bool, Query(description="Each data is {topic, offset, type, time, data}.")] = False,
    ) -> Response:
        subject = await reader(auth, request, f"runs.{run}")
        found = await hub.runs.get(run)
        return EventStreamResponse(
            hub,
            found.topic,
            start=parse_start(start),
            last_event_id=given_id(request.scope) or last_event_id,
            format=ENVELOPE if envelope else PLAIN,
            expires=subject.expires,
            dirty=True,
            slots=slots,
            owner=subject.name or "",
        )

    @router.post(
        "/runs/{run}/stop", summary="Stop a run; its text so far is kept", status_code=202, responses=problems(404)
    )
    async def stop(request: Request, run: RunId) -> Response:
        subject = await publisher(auth, request, f"runs.{run}")
        await hub.runs.stop(run, by=subject.name)
        value: dict[str, Any] = {"run": run}
        return json_response(value, 202)

    return router
