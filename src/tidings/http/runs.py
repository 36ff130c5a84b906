"""Runs over HTTP: start, follow, stop. And the assistants that answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from tidings.access.tokens import Authenticator
from tidings.api import Hub
from tidings.errors import InvalidRequest, NotFound
from tidings.runs.assistant import Assistant, choose
from tidings.runs.run import RunState
from tidings.wire.run_events import RunFormat, StopRequested, to_item

from .request import (
    KEY,
    LAST_EVENT_ID,
    Enveloped,
    LastEventId,
    StartAt,
    idempotency_key,
    parse_start,
    problems,
    publisher,
    reader,
    shape,
    stream,
)
from .response import EventStreamResponse, Slots, given_id, json_response

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
    parent: str | None = Field(None, pattern="^[0-9A-Za-z]{1,64}$", description="The run that this one answers anew.")


class NewlyStarted(msgspec.Struct):
    """`events` is the path of its event stream."""

    run: str
    topic: str
    events: str


class Stopping(msgspec.Struct):
    """The run that is told to stop."""

    run: str


class Answerer(msgspec.Struct):
    """Somebody who can be asked. `model` is null where there is none; `note` is what to know of it."""

    name: str
    title: str
    model: str | None
    note: str
    prompts: list[str]
    default: bool


class Assistants(msgspec.Struct):
    """All who can be asked, the default first."""

    assistants: list[Answerer]


def question(new: NewRun) -> tuple[str, list[dict[str, str]]]:
    """The question's text and the messages the model is given. Raises InvalidRequest."""
    if (new.input is None) == (new.messages is None):
        raise InvalidRequest("Give either `input` or `messages`.")
    messages = (
        [m.model_dump() for m in new.messages] if new.messages else [{"role": "user", "content": new.input or ""}]
    )
    if messages[-1]["role"] != "user" or not messages[-1]["content"].strip():
        raise InvalidRequest("The last message is the question: it has the role `user` and is not empty.")
    return messages[-1]["content"], messages


def routes(hub: Hub, auth: Authenticator, slots: Slots, assistants: Mapping[str, Assistant]) -> APIRouter:
    """The router of runs and assistants."""
    router = APIRouter(tags=["runs"])

    @router.get("/assistants", summary="Who can be asked", responses={200: shape(Assistants, "They"), **problems()})
    async def listed(request: Request) -> Response:
        await reader(auth, request)
        default = next(iter(assistants), None)
        values = [
            Answerer(a.name, a.title, a.model, a.note, list(a.prompts), a.name == default) for a in assistants.values()
        ]
        return json_response(Assistants(values))

    @router.post(
        "/runs",
        summary="Start a run",
        status_code=201,
        responses={
            200: shape(NewlyStarted, "The key was seen: the run it started."),
            201: shape(NewlyStarted, "Started; Location is the run."),
            **problems(404, 409, 413),
        },
        openapi_extra={"parameters": [KEY]},
    )
    async def start(request: Request, new: NewRun) -> Response:
        subject = await publisher(auth, request, "runs.new", *filter(None, [new.topic]))
        if new.topic is not None and (guard := auth.guards.of(new.topic)) is not None:
            await guard.announce(subject, new.topic)
        if new.parent is not None and not await auth.guards.allows(subject, f"runs.{new.parent}"):
            raise NotFound(f"There is no run {new.parent} that you could have answered anew.")
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
        value = NewlyStarted(run=run.id, topic=run.topic, events=f"/runs/{run.id}/events")
        return json_response(value, 201 if run.created else 200, {"location": f"/runs/{run.id}"})

    @router.get("/runs/{run}", summary="How a run is", responses={200: shape(RunState, "The run"), **problems(404)})
    async def describe(request: Request, run: RunId) -> Response:
        await reader(auth, request, f"runs.{run}")
        return json_response(await (await hub.runs.get(run)).state())

    @router.get(
        "/runs/{run}/events",
        summary="Follow a run",
        response_class=Response,
        responses={**stream("The run has ended and is read: do not come back."), **problems(404)},
        openapi_extra={"parameters": [LAST_EVENT_ID]},
    )
    async def follow(
        request: Request,
        run: RunId,
        start: StartAt = "earliest",
        last_event_id: LastEventId = "",
        envelope: Enveloped = False,
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
            watch=auth.guards.watch(subject, [found.topic]),
            slots=slots,
            owner=subject.name or "",
        )

    @router.post(
        "/runs/{run}/stop",
        summary="Stop a run; its text so far is kept",
        status_code=202,
        responses={202: shape(Stopping, "It is told"), **problems(404)},
    )
    async def stop(request: Request, run: RunId) -> Response:
        subject = await publisher(auth, request, topic := f"runs.{run}")
        if (guard := auth.guards.of(topic)) is not None:
            await guard.admit(subject, topic, [to_item(StopRequested(run=run))], transient=False)
        await hub.runs.stop(run, by=subject.name)
        return json_response(Stopping(run), 202)

    return router
