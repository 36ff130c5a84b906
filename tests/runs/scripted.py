"""Models that say what a test tells them to, and a way to read what became of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from tidings import Hub
from tidings.events import Event
from tidings.runs import Run


class Scripted(BaseChatModel):
    """Each call plays the next script: text and chunks are said, exceptions raised, events awaited, others called."""

    scripts: list[list[Any]]
    calls: int = 0

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        script = self.scripts[self.calls]
        self.calls += 1
        for part in script:
            if isinstance(part, BaseException):
                raise part
            if isinstance(part, asyncio.Event):
                await part.wait()
            elif isinstance(part, AIMessageChunk | str):
                yield ChatGenerationChunk(message=AIMessageChunk(content=part) if isinstance(part, str) else part)
            else:
                await part()


class Whole(BaseChatModel):
    """A model that cannot stream."""

    message: AIMessage

    @property
    def _llm_type(self) -> str:
        return "whole"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.message)])


def says(*parts: Any) -> Scripted:
    """A model that is called once."""
    return Scripted(scripts=[list(parts)])


def tool_chunk(args: str, id: str | None = None, name: str | None = None, index: int | None = 0) -> AIMessageChunk:
    return AIMessageChunk(content="", tool_call_chunks=[{"name": name, "args": args, "id": id, "index": index}])


Said = dict[str, Any]


async def story(run: Run) -> list[Said]:
    """All the events of a run as dicts, once it has ended; without the run's id, which each must have."""
    said = []
    async for event in run.events():
        data = json.loads(event.data)
        assert data["type"] == event.type
        assert data.pop("run") == run.id
        said.append(data)
    return said


async def told(hub: Hub, runnable: Any, input: Any = "Hello?", **options: Any) -> list[Said]:
    """The story of a run, but for its beginning."""
    run = await hub.runs.start(runnable, input, **options)
    began, *said = await story(run)
    assert began["type"] == "run.started"
    return said


def only(said: list[Said], type: str) -> list[Said]:
    return [event for event in said if event["type"] == type]


def text(said: list[Said], kind: str = "text") -> str:
    return "".join([event["delta"] for event in said if event["type"] == "block.delta" and event["kind"] == kind])


def types(said: list[Said]) -> list[str]:
    """The types in order; neighbouring deltas count once, since how many there are depends on the disk."""
    names = [event["type"] for event in said]
    return [a for a, b in zip(names, [None, *names], strict=False) if not a == b == "block.delta"]


def sound(said: list[Said]) -> None:
    """Check a run's events: each part that begins ends, in order, and the run's one end comes last."""
    begun: dict[str, list[str]] = {}
    blocks: dict[str, str] = {}
    for event in said:
        kind, _, verb = event["type"].partition(".")
        name = event.get({"message": "message", "block": "block", "tool": "call", "step": "step"}.get(kind, ""))
        if verb == "started" and name:
            assert name not in begun.setdefault(kind, []), event
            begun[kind].append(name)
        elif name:
            assert name in begun.get(kind, []), event
        if event["type"] == "block.delta":
            blocks[name or ""] = blocks.get(name or "", "") + event["delta"]
        if event["type"] == "block.finished" and event["kind"] in ("text", "reasoning"):
            assert event["content"] == blocks.pop(name or "", "")
        if verb in ("finished", "failed") and name:
            begun[kind].remove(name)
    assert not any(begun.values())
    ends = [event for event in said if event["type"] in ("run.finished", "run.failed")]
    assert ends == said[-1:]


async def until(run: Run, type: str) -> Event:
    async for event in run.events():
        if event.type == type:
            return event
    raise AssertionError(f"the run ended without {type}")


async def forever(_: Any) -> AsyncIterator[str]:
    yield "So far"
    await asyncio.Event().wait()


async def gone(hub: Hub) -> None:
    """No run is made by this process any more."""
    while hub.runs._producers:
        await asyncio.wait([producer.task for producer in hub.runs._producers.values() if producer.task])
        await asyncio.sleep(0)


class RateLimitError(Exception):
    status_code = 429
