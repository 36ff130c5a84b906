"""A chat for Vercel's AI SDK: the app that `tests/strangers/test_ai.py` serves with uvicorn.

The SDK checks every `data:` line against its own schema, so that nothing else may reach it. Two ways lead there: under
`/published` the app publishes the SDK's chunks itself and answers with `Format(notices=False)`; under `/translated` a
format writes the events of a run as the SDK's chunks. A chat is named for the case of ai_cases.py that answers it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Body, FastAPI
from fastapi.responses import Response
from langchain.agents import create_agent
from langchain_core.messages import AIMessageChunk
from msgspec.structs import replace

from tests.runs.scripted import Scripted, says, tool_chunk
from tests.strangers.ai_cases import CASES, FAIL, PICTURE, WAIT
from tidings import Event, EventStreamResponse, Format, Hub

Chunk = dict[str, Any]

hub = Hub(os.environ.get("STORE", "memory:"))
go: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
tasks: dict[str, asyncio.Task[None]] = {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """End what an earlier process of this app began to publish. A run is ended by Tidings."""
    async with hub:
        for topic in await hub.topics("chats."):
            if not (await hub.describe(topic)).closed:
                await end(topic, {"type": "error", "errorText": "interrupted"})
        yield


app = FastAPI(lifespan=lifespan)


async def pieces(case: str) -> AsyncIterator[str]:
    for piece in CASES[case]:
        if piece is WAIT:
            await go[case].wait()
        elif piece is FAIL:
            raise RuntimeError("the model failed")
        else:
            yield str(piece)


# Published: the app's own chunks.


SCRIPTS: dict[str, list[Chunk]] = {
    "tools": [
        {"type": "start-step"},
        {"type": "tool-input-start", "toolCallId": "c1", "toolName": "count"},
        {"type": "tool-input-delta", "toolCallId": "c1", "inputTextDelta": '{"of": "lamps"}'},
        {"type": "tool-input-available", "toolCallId": "c1", "toolName": "count", "input": {"of": "lamps"}},
        {"type": "tool-output-available", "toolCallId": "c1", "output": "three"},
        {"type": "finish-step"},
        {"type": "start-step"},
        {"type": "text-start", "id": "t1"},
        {"type": "text-delta", "id": "t1", "delta": "Three lamps."},
        {"type": "text-end", "id": "t1"},
        {"type": "finish-step"},
    ],
    "reasoning": [
        {"type": "reasoning-start", "id": "r1"},
        {"type": "reasoning-delta", "id": "r1", "delta": "Let me "},
        {"type": "reasoning-delta", "id": "r1", "delta": "see."},
        {"type": "reasoning-end", "id": "r1"},
        {"type": "text-start", "id": "t1"},
        {"type": "text-delta", "id": "t1", "delta": "42"},
        {"type": "text-end", "id": "t1"},
    ],
    "files": [
        {"type": "text-start", "id": "t1"},
        {"type": "text-delta", "id": "t1", "delta": "Here: "},
        {"type": "text-end", "id": "t1"},
        {"type": "file", "url": PICTURE, "mediaType": "image/png"},
    ],
}


async def end(topic: str, *chunks: Chunk) -> None:
    await hub.publish_many(topic, [("message", chunk) for chunk in chunks])
    await hub.publish(topic, "[DONE]", close=True)


async def generate(topic: str, case: str) -> None:
    """Publish an answer in the SDK's own chunks, until it has ended."""
    await hub.publish(topic, {"type": "start", "messageId": "m1"})
    for chunk in SCRIPTS.get(case, []):
        await hub.publish(topic, chunk)
    texts = 0
    try:
        async for piece in pieces(case):
            if not texts:
                await hub.publish(topic, {"type": "text-start", "id": "t1"})
            texts += 1
            await hub.publish(topic, {"type": "text-delta", "id": "t1", "delta": piece})
    except RuntimeError as error:
        await end(topic, {"type": "error", "errorText": str(error)})
    except asyncio.CancelledError:
        await end(topic, {"type": "text-end", "id": "t1"}, {"type": "abort"})
    else:
        await end(topic, *([{"type": "text-end", "id": "t1"}] if texts else []), {"type": "finish"})


# Translated: the events of a run.


def count(of: str) -> str:
    """Count the things of a kind."""
    return "three"


def runnable(case: str) -> Any:
    """Return what answers a case: a model, an agent with a tool, or the generator of text."""
    if case == "tools":
        asks = [tool_chunk("", "c1", "count"), tool_chunk('{"of": '), tool_chunk('"lamps"}')]
        return create_agent(Scripted(scripts=[asks, ["Three ", "lamps."]]), [count])
    if case == "reasoning":
        thought = [{"type": "reasoning", "reasoning": "Let me see.", "index": 0}]
        return says(AIMessageChunk(content=thought), "42")
    if case == "files":
        base64 = PICTURE.partition(",")[2]
        return says("Here: ", AIMessageChunk(content=[{"type": "image", "base64": base64, "mime_type": "image/png"}]))
    return pieces


@dataclass(frozen=True)
class Chunks(Format):
    """The events of a run as the chunks of a UI message stream.

    The last chunk of an event has the event's id, so a client that was cut between two of them gets both again.
    """

    notices: bool = False

    def encode(self, topic: str, events: Sequence[Event]) -> bytes:
        written: list[Event] = []
        for event in events:
            *some, last = chunks(event) or [None]
            written += [replace(event, offset=None, type="message", data=json.dumps(chunk)) for chunk in some]
            if last is not None:
                text = last if isinstance(last, str) else json.dumps(last)
                written.append(replace(event, type="message", data=text))
        return super().encode(topic, written)


def chunks(event: Event) -> Sequence[Chunk | str]:
    """Return the chunks that an event is written as. A redacted event and others that the SDK lacks become none."""
    value = event.json()
    kind, id = value.get("kind") if isinstance(value, dict) else None, None
    if kind in ("text", "reasoning"):
        id = value["block"]
    match event.type, kind:
        case "message", _:
            return [value]
        case "run.started", _:
            return [{"type": "start", "messageId": value["run"]}]
        case "message.started", _:
            return [{"type": "start-step"}]
        case "message.finished", _:
            return [{"type": "finish-step"}]
        case "block.started", "text" | "reasoning":
            return [{"type": f"{kind}-start", "id": id}]
        case "block.delta", "text" | "reasoning":
            return [{"type": f"{kind}-delta", "id": id, "delta": value["delta"]}]
        case "block.finished", "text" | "reasoning":
            return [{"type": f"{kind}-end", "id": id}]
        case "block.started", "tool_call":
            return [{"type": "tool-input-start", "toolCallId": value["call"], "toolName": value["tool"]}]
        case "block.delta", "tool_call":
            return [{"type": "tool-input-delta", "toolCallId": value["call"], "inputTextDelta": value["delta"]}]
        case "block.finished", "tool_call":
            called = {"toolCallId": value["call"], "toolName": value["tool"], "input": value["content"]}
            return [{"type": "tool-input-available", **called}]
        case "block.finished", "file":
            file = value["content"]
            url = file.get("url") or f"data:{file['mime_type']};base64,{file['base64']}"
            return [{"type": "file", "url": url, "mediaType": file["mime_type"]}]
        case "tool.finished", _:
            return [{"type": "tool-output-available", "toolCallId": value["call"], "output": value["output"]}]
        case "run.failed", _:
            return [{"type": "error", "errorText": value["message"]}, "[DONE]"]
        case "run.finished", _:
            ends = {"success": {"type": "finish"}, "cancelled": {"type": "abort"}}
            return [ends.get(value["outcome"], {"type": "error", "errorText": value["outcome"]}), "[DONE]"]
    return []


# The routes that `useChat` asks, and those that the tests ask.


async def topic_of(way: str, chat: str) -> str:
    """Return the topic of a chat's answer, which begins with the first question."""
    if way == "translated":
        question = {"messages": [("user", chat)]} if chat == "tools" else chat
        return (await hub.runs.start(runnable(chat), question, key=chat)).topic
    topic = f"chats.{chat}"
    if topic not in tasks and topic not in await hub.topics("chats."):
        tasks[topic] = asyncio.create_task(generate(topic, chat))
        await hub.publish(topic, {"type": "data-seen", "data": 1, "transient": True}, transient=True)
    return topic


@app.post("/{way}")
async def ask(way: str, id: str = Body(embed=True)) -> Response:
    if id == "two-topics":
        await hub.publish(f"notes.{way}", {"type": "data-note", "data": 1}, close=True, key=way)
    return await read(way, id)


@app.get("/{way}/{chat}/stream")
async def read(way: str, chat: str) -> Response:
    """The answer from its beginning: the SDK resumes by reading all of it again."""
    topics = [*([f"notes.{way}"] if chat == "two-topics" else []), await topic_of(way, chat)]
    form = Chunks() if way == "translated" else Format(notices=False)
    headers = {"x-vercel-ai-ui-message-stream": "v1"}
    return EventStreamResponse(hub, topics, "earliest", format=form, headers=headers)


@app.post("/{way}/{chat}/go")
async def go_on(way: str, chat: str) -> None:
    go[chat].set()


@app.post("/{way}/{chat}/stop")
async def stop(way: str, chat: str) -> None:
    topic = await topic_of(way, chat)
    if way == "translated":
        await hub.runs.stop(topic.removeprefix("runs."))
    else:
        tasks[topic].cancel()


@app.post("/{way}/{chat}/redact")
async def redact(way: str, chat: str) -> None:
    """Take every event out of the log whose data holds the word `secret`."""
    topic = await topic_of(way, chat)
    for event in (await hub.read(topic)).events:
        if "secret" in event.data and event.offset:
            await hub.redact(topic, event.offset)
