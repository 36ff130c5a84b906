"""Runs over HTTP: start, follow and stop them, and list the assistants that answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, ClassVar, Literal, Protocol

import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from tidings.access.access import Access
from tidings.access.guards import naming
from tidings.access.subject import Subject
from tidings.api import Hub
from tidings.errors import InvalidRequest, NotFound
from tidings.runs.assistant import NAME, NamedAssistant, Takes, choose
from tidings.runs.icon import KINDS, Picture
from tidings.wire.run_events import RunFormat, RunState, StopRequested, to_item

from .creating import creating
from .follow import ALIASES, APPENDED, After, Enveloped, LastEventId
from .openapi import KEY, LAST_EVENT_ID, DirectRoute, path_parameter, problems, shape, stream
from .publish import Sizes
from .request import Body, Direct, Query, address, idempotency_key, strict
from .response import ServedStreamResponse, Slots, json_response

PLAIN, ENVELOPE = RunFormat(), RunFormat(envelope=True)
ID = "^[0-9A-Za-z]{1,64}$"
EXAMPLE = "01JD9W3K5T8Q2R7V4X6Y9Z0ABC"
RunId = Annotated[str, Path(pattern=ID, description="A run's id.", examples=[EXAMPLE])]
BYTES = {"schema": {"type": "string", "format": "binary"}}
PICTURES: dict[str, Any] = {media_type: BYTES for media_type, _ in KINDS.values()}
Name = Annotated[str, Path(pattern=f"^{NAME.pattern}$", description="The name of an assistant.", examples=["support"])]
Digest = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="From the list.", examples=["0f1e2d3c4b5a6978"])]
RUN_PARAMETER = path_parameter("run", "A run's id.", {"pattern": ID}, EXAMPLE)


FILES = 10
"""Files of one message at most."""

FileId = Annotated[str, Field(min_length=1, max_length=64)]


class Message(Body):
    """A turn of a conversation. `files`: the ids of files that were uploaded to the conversation."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(max_length=1 << 18)
    files: list[FileId] = Field([], max_length=FILES)


class NewRun(Body):
    """A question and the assistant to ask. Either `input` or `messages`, the last of which is then the question."""

    assistant: str | None = Field(
        None, min_length=1, max_length=100, description="A name; the default assistant without one."
    )
    input: str | None = Field(None, min_length=1, max_length=1 << 18)
    messages: list[Message] | None = Field(None, min_length=1, max_length=1000, fail_fast=True)
    topic: str | None = Field(
        None, min_length=1, max_length=200, description="A conversation or room in which the run is announced first."
    )
    parent: str | None = Field(None, pattern="^[0-9A-Za-z]{1,64}$", description="The run that this one answers anew.")


class NewlyStarted(msgspec.Struct):
    """`events` is the path of its event stream."""

    run: str
    topic: str
    events: str


class Stopping(msgspec.Struct):
    """The run that was asked to stop."""

    run: str


class Answerer(msgspec.Struct):
    """An assistant. `model` is null if its model is not known; `icon` is a letter or an emoji, `picture` the path of an
    image. Without both, an assistant has the mark of Tidings. `files`: what the assistant takes of attached files."""

    name: str
    title: str
    model: str | None
    description: str
    prompts: list[str]
    default: bool
    icon: str = ""
    picture: str | None = None
    files: Takes = "text"


class Attachments(Protocol):
    """The files that the messages of a conversation name. An app keeps them: see `tidings.apps.files.attachments`."""

    async def own(self, topic: str, by: str | None, ids: Sequence[str]) -> Sequence[Any]: ...
    async def keep(self, topic: str, files: Sequence[Any]) -> None: ...
    async def give(self, topic: str, messages: Sequence[Mapping[str, Any]], takes: Takes) -> list[dict[str, Any]]: ...


class Assistants(msgspec.Struct):
    """The assistants, the default first."""

    assistants: list[Answerer]


ICON = {
    "cache-control": "private, max-age=31536000, immutable",
    # An SVG may hold scripts, and links to other hosts. Alone in a tab it may do nothing; in an image it never may.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "x-content-type-options": "nosniff",
}


def answerer(request: Request, assistant: NamedAssistant, default: bool) -> Answerer:
    """Return what clients are told of an assistant."""
    sign = assistant.sign
    letter, picture = (
        ("", f"/assistants/{assistant.name}/icon/{sign.digest}") if isinstance(sign, Picture) else (sign, "")
    )
    return Answerer(
        assistant.name,
        assistant.title,
        assistant.model,
        assistant.description,
        list(assistant.prompts),
        default,
        letter,
        address(request, picture) if picture else None,
        assistant.files,
    )


def question(new: NewRun) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of the question and the messages for the model. Raises InvalidRequest."""
    if (new.input is None) == (new.messages is None):
        raise InvalidRequest("Give either `input` or `messages`.")
    messages = (
        [m.model_dump(exclude_defaults=True) for m in new.messages]
        if new.messages
        else [{"role": "user", "content": new.input or ""}]
    )
    asked: dict[str, Any] = messages[-1]
    if asked["role"] != "user" or not (asked["content"].strip() or asked.get("files")):
        raise InvalidRequest("The last message is the question: it has the role `user` and is not empty.")
    return asked["content"], messages


class RunQuery(Query, frozen=True):
    """The parameters of following a run."""

    aliases: ClassVar[Mapping[str, str]] = ALIASES
    appended: ClassVar[frozenset[str]] = APPENDED
    after: After = "earliest"
    last_event_id: LastEventId = ""
    envelope: Enveloped = False


FOLLOW: dict[str, Any] = {
    "tags": ["runs"],
    "summary": "Follow a run",
    "parameters": [RUN_PARAMETER, *RunQuery.parameters(), LAST_EVENT_ID],
    "responses": {**stream("The run has ended and is read: do not come back."), **problems(404)},
}


def following(hub: Hub, access: Access, slots: Slots) -> DirectRoute:
    """Return the route of a run's events."""

    async def follow(request: Request) -> Response:
        query = RunQuery.read(request.scope)
        topic = f"runs.{request.path_params['run']}"
        subject = await access.reader(request.scope["headers"], topic)
        run = await hub.runs.get(request.path_params["run"])
        return ServedStreamResponse(
            hub,
            run.topic,
            after=query.after,
            format=ENVELOPE if query.envelope else PLAIN,
            expires=subject.expires,
            watch=access.watch(subject, [run.topic]),
            slots=slots,
            owner=subject.name or "",
        )

    return DirectRoute("GET", "/runs/{run}/events", Direct(follow), FOLLOW)


def routes(
    hub: Hub,
    access: Access,
    assistants: Mapping[str, NamedAssistant],
    sizes: Sizes | None = None,
    attachments: Attachments | None = None,
) -> APIRouter:
    """Return the router of runs and assistants. The body that starts a run may hold a whole conversation, and has the
    limit of an event's body. `attachments`: the files that messages may name; None: messages name no files."""
    router = APIRouter(tags=["runs"], route_class=strict(access, (sizes or Sizes()).body))

    @router.get(
        "/assistants", summary="List assistants", responses={200: shape(Assistants, "The assistants"), **problems()}
    )
    async def listed(request: Request) -> Response:
        default = next(iter(assistants), None)
        return json_response(Assistants([answerer(request, a, a.name == default) for a in assistants.values()]))

    @router.get(
        "/assistants/{assistant}/icon/{digest}",
        summary="Get the picture of an assistant",
        response_class=Response,
        responses={200: {"description": "The picture", "content": PICTURES}, **problems(404)},
    )
    async def icon(assistant: Name, digest: Digest) -> Response:
        sign = choose(assistants, assistant).sign
        if not isinstance(sign, Picture) or digest != sign.digest:
            raise NotFound("There is no such picture.")
        return Response(sign.body, media_type=sign.media_type, headers=ICON)

    @asynccontextmanager
    async def counting(subject: Subject, topic: str | None) -> AsyncGenerator[None, None]:
        """Count the topic among those that the subject has created, if the block creates it.

        Raises TooManyRequests before the block if the subject may create no topic.
        """
        if topic is None or subject.limits is None or await hub.log.describe(topic) is not None:
            yield
            return
        async with creating(hub, access.limits, subject, topic) as created:
            try:
                yield
            finally:
                if await hub.log.describe(topic) is not None:
                    created()

    async def attached(
        subject: Subject, topic: str | None, assistant: NamedAssistant, messages: Sequence[Mapping[str, Any]]
    ) -> Sequence[Any]:
        """Return the files of the question. Raises InvalidRequest for files that cannot be attached; NotFound."""
        if not any("files" in message for message in messages):
            return []
        if attachments is None or topic is None:
            raise InvalidRequest("Files belong to a conversation. Give its topic.")
        ids = messages[-1].get("files", [])
        if ids and assistant.files == "none":
            raise InvalidRequest(f"{assistant.title} takes no files.")
        return await attachments.own(topic, subject.name, ids)

    async def given(topic: str | None, assistant: NamedAssistant, messages: list[dict[str, Any]]) -> tuple[Any, Any]:
        """Return the assistant's runnable, and its input with what it takes of the files."""
        if attachments is not None and topic is not None:
            messages = await attachments.give(topic, messages, assistant.files)
        return await assistant.ask(messages)

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
        subject = await access.publisher(request.scope["headers"], "runs.new", *filter(None, [new.topic]))
        text, messages = question(new)
        assistant = choose(assistants, new.assistant)
        files = await attached(subject, new.topic, assistant, messages)
        async with counting(subject, new.topic):
            if new.topic is not None and (guard := access.guards.of(new.topic)) is not None:
                with naming(new.topic):
                    await guard.announce(subject, new.topic)
            if new.parent is not None and not await access.guards.allows(subject, f"runs.{new.parent}"):
                raise NotFound(f"There is no run {new.parent} that you could have answered anew.")
            with access.limits.run(subject) as begun:
                run = await hub.runs.start(
                    *await given(new.topic, assistant, messages),
                    announce=new.topic,
                    key=idempotency_key(request, subject),
                    about={
                        "assistant": assistant.name,
                        "model": assistant.model,
                        "parent": new.parent,
                        "by": subject.name,
                        "text": text,
                        "files": [*map(msgspec.to_builtins, files)] or None,
                    },
                )
                if run.created:
                    begun(run.id)
        if attachments is not None and new.topic is not None:
            await attachments.keep(new.topic, files)
        location = address(request, f"/runs/{run.id}")
        value = NewlyStarted(run=run.id, topic=run.topic, events=f"{location}/events")
        return json_response(value, 201 if run.created else 200, {"location": location})

    @router.get(
        "/runs/{run}", summary="Get a run's state", responses={200: shape(RunState, "The run"), **problems(404)}
    )
    async def describe(request: Request, run: RunId) -> Response:
        await access.reader(request.scope["headers"], f"runs.{run}")
        return json_response(await (await hub.runs.get(run)).state())

    @router.post(
        "/runs/{run}/stop",
        summary="Stop a run; its text so far is kept",
        status_code=202,
        responses={202: shape(Stopping, "Stop requested"), **problems(404)},
    )
    async def stop(request: Request, run: RunId) -> Response:
        subject = await access.publisher(request.scope["headers"], topic := f"runs.{run}")
        if (guard := access.guards.of(topic)) is not None:
            with naming(topic):
                await guard.admit(subject, topic, [to_item(StopRequested(run=run))], transient=False)
        await hub.runs.stop(run, by=subject.name)
        return json_response(Stopping(run), 202)

    return router
