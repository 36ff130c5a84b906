"""LangChain and LangGraph as run events: the adapter over `Runnable.astream_events`.

Nothing of LangChain is imported before the first run: whoever has a runnable has it already, and the parts it only
loads when it streams are loaded in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from functools import cache
from importlib import import_module
from typing import Any

import msgspec

from tidings.errors import InvalidRequest
from tidings.runs.failures import BrokenOff
from tidings.wire.run_events import (
    Data,
    Finish,
    InputRequested,
    RunEvent,
    StepFinished,
    StepStarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)

from .message import Call, Message
from .values import jsonable

Ask = Callable[[str], Awaitable[Any]]
"""Waits for the answer to a request of the run."""

TOOL_FAILED = "The tool failed."

_HIDDEN = frozenset({"nostream", "langsmith:nostream", "langsmith:hidden"})
"""LangGraph's and LangChain's own tags for what is not to be shown."""

_FINISH: dict[str, Finish] = {
    "length": "length", "max_tokens": "length", "model_length": "length", "max_output_tokens": "length",
    "tool_calls": "tool_calls", "tool_use": "tool_calls", "function_call": "tool_calls",
    "content_filter": "content_filter", "safety": "content_filter", "refusal": "content_filter",
}  # fmt: skip
"""The providers' words for why a message ended. Whatever else they say is a `stop`."""


class LangChainSource:
    """The events of one run of a runnable, in order. `result` is what it returned, once it is through, if that is
    neither text nor messages: the structured response of an agent, the output of a parser."""

    def __init__(self, run: str, runnable: Any, input: Any, config: Mapping[str, Any] | None, ask: Ask) -> None:
        self.run = run
        self.runnable = runnable
        self.input = input
        self.config: dict[str, Any] = dict(config or {})
        self.ask = ask
        self.reader: Reader = Reader(run)

    @property
    def result(self) -> Any:
        return self.reader.result

    async def events(self) -> AsyncIterator[RunEvent]:
        """Raises what the runnable raises. A graph that interrupts itself asks, waits for the answers and goes on."""
        await asyncio.to_thread(_load)
        input = self.input
        if getattr(self.runnable, "checkpointer", None):
            self.config["configurable"] = {"thread_id": self.run, **self.config.get("configurable", {})}
        while True:
            async with aclosing(self.runnable.astream_events(input, self.config, version="v2")) as stream:
                async for event in stream:
                    for said in self.reader.read(event):
                        yield said
            if not self.reader.ended:
                raise BrokenOff  # LangChain drops the CancelledError of a model, which then looks like an end
            if not self.reader.interrupts:
                return
            if not getattr(self.runnable, "checkpointer", None):
                raise InvalidRequest("The graph asks a question, but it has no checkpointer to go on from.")
            for said in self.reader.requests():
                yield said
            from langgraph.types import Command  # a graph has asked, so this is loaded

            answers = {request: await self.ask(request) for request in self.reader.interrupts}
            self.reader.interrupts.clear()
            input = Command(resume=answers)


@cache
def _load() -> None:
    """Import what LangChain only imports once it streams: on the event loop those would be blocking reads."""
    for name in _LATE:
        with suppress(ImportError):  # another version has it elsewhere
            import_module(f"langchain_core.{name}")
    with suppress(ImportError):
        import_module("langsmith.run_helpers")


_LATE = (
    "callbacks.manager", "env", "language_models.chat_models", "messages.block_translators",
    "messages.block_translators.langchain_v0", "tracers.context", "tracers.event_stream", "tracers.langchain",
    "tracers.log_stream", "tracers.run_collector", "tracers.stdout",
)  # fmt: skip


class Reader:
    """Translates the events of `astream_events` v2, one by one. It keeps what an event does not say of itself."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.result: Any = None
        self.ended: Any = False
        self.interrupts: dict[str, Any] = {}
        self._messages: dict[str, Message] = {}  # by LangChain's run id of the model, "" for the root's own text
        self._said = 0
        self._steps: dict[str, StepStarted] = {}
        self._step_count = 0
        self._tools: dict[str, ToolStarted] = {}
        self._tool_count = 0
        self._calls: list[Call] = []  # what messages asked for and no tool has begun to do
        self._asking: set[str] = set()
        self._sources = 0

    def read(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        if _HIDDEN.isdisjoint(event.get("tags") or ()):
            read = _READERS.get(event["event"])
            if read is not None:
                yield from read(self, event)
        if not event["parent_ids"]:
            self.ended = event["event"].endswith("_end")

    def requests(self) -> Iterator[RunEvent]:
        """The questions of the graph that has interrupted itself, whose steps will begin again."""
        for step in self._steps.values():
            yield StepFinished(run=self.run, step=step.step, name=step.name)
        self._steps.clear()
        for request, asked in self.interrupts.items():
            schema = getattr(asked, "response_schema", None)
            value = jsonable(asked.value)
            yield InputRequested(run=self.run, request=request, kind="interrupt", value=value, schema=jsonable(schema))

    # Models.

    def _model_start(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        yield self._begin(event["run_id"]).start()

    def _begin(self, key: str) -> Message:
        self._said += 1
        message = self._messages[key] = Message(self.run, f"m{self._said}")
        return message

    def _model_stream(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        yield from self._content(self._messages[event["run_id"]], event["data"]["chunk"])

    def _model_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        message = self._messages.pop(event["run_id"])
        output = event["data"].get("output")
        if message.empty:
            yield from self._content(message, output)
        told: dict[str, Any] = {**(getattr(output, "response_metadata", None) or {})}
        usage = dict(getattr(output, "usage_metadata", None) or {})
        if usage:
            name = told.get("model_name") or told.get("model") or event["metadata"].get("ls_model_name")
            usage = {"model": name, **usage} if name else usage
        yield from message.finish(_finish(told, output), jsonable(usage) or None)
        self._calls += message.calls

    def _llm_stream(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        chunk = event["data"]["chunk"]
        yield from self._messages[event["run_id"]].text(chunk if isinstance(chunk, str) else chunk.text)

    def _llm_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        message = self._messages.pop(event["run_id"])
        if message.empty:
            yield from message.text(event["data"]["output"]["generations"][0][0]["text"])
        yield from message.finish("stop")

    def _content(self, message: Message, said: Any) -> Iterator[RunEvent]:
        """The parts of a message or of a chunk of one, whatever its provider calls them."""
        pieces = getattr(said, "tool_call_chunks", None)
        if pieces is None:
            pieces = [{**call, "args": _json(call["args"])} for call in said.tool_calls]
        if isinstance(said.content, str) and not said.additional_kwargs:
            yield from message.text(said.content)
        else:
            for block in said.content_blocks:
                yield from self._block(message, block, tools=not pieces)
        for piece in pieces:
            yield from message.tool_call(piece["args"] or "", piece["id"], piece["name"], piece.get("index"))

    def _block(self, message: Message, block: Mapping[str, Any], *, tools: bool) -> Iterator[RunEvent]:
        """`tools`: the message lists no tool calls apart from its content, so those in its content count."""
        key = block.get("index")
        match block["type"]:
            case "text":
                yield from message.text(block["text"], "text", key)
                for annotation in block.get("annotations") or ():
                    if annotation.get("type") == "citation":
                        yield from message.whole("source", self._source(annotation))
            case "reasoning":
                yield from message.text(block.get("reasoning") or "", "reasoning", key)
            case "non_standard" if block["value"].get("type") == "thinking":
                yield from message.text(block["value"].get("thinking") or "", "reasoning", key)
            case "image" | "audio" | "video" | "file":
                shown = {name: block[name] for name in ("mime_type", "url", "base64", "file_id") if block.get(name)}
                yield from message.whole("file", {"type": block["type"], **shown})
            case "tool_call" | "tool_call_chunk" if tools:
                input = block.get("args") or ""
                text = input if isinstance(input, str) else _json(input)
                yield from message.tool_call(text, block.get("id"), block.get("name"), key)
            case _:
                pass

    def _source(self, citation: Mapping[str, Any]) -> dict[str, Any]:
        """A citation as a block's content: the provider's extras win, since only it knows its own numbering."""
        self._sources += 1
        known = {"title": citation.get("title"), "url": citation.get("url"), "passage": citation.get("cited_text")}
        extras = citation.get("extras") or {}
        return {"n": self._sources, **{name: value for name, value in known.items() if value is not None}, **extras}

    # Tools.

    def _tool_start(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        name, input = event["name"], event["data"].get("input")
        call = self._take_call(name, input)
        started = ToolStarted(run=self.run, call=call, tool=name, input=jsonable(input))
        self._tools[event["run_id"]] = started
        if call in self._asking:
            self._asking.discard(call)  # it goes on: it was started before
        else:
            yield started

    def _take_call(self, tool: str, input: Any) -> str:
        """The id under which a message asked for this. LangChain does not tell it when a tool starts."""
        same = [call for call in self._calls if call.tool == tool]
        found = next((call for call in same if call.input == input), same[0] if same else None)
        if found is not None:
            self._calls.remove(found)
            return found.call
        self._tool_count += 1
        return f"t{self._tool_count}"

    def _tool_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        tool = self._tools.pop(event["run_id"])
        output = event["data"].get("output")
        if getattr(output, "status", None) == "error":
            yield ToolFailed(run=self.run, call=tool.call, tool=tool.tool, error=TOOL_FAILED)
        else:
            value = jsonable(getattr(output, "content", output))
            yield ToolFinished(run=self.run, call=tool.call, tool=tool.tool, output=value)

    def _tool_error(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        tool = self._tools.pop(event["run_id"])
        if any(base.__name__ == "GraphBubbleUp" for base in type(event["data"]["error"]).__mro__):
            # It asks a question, and will begin again once there is an answer.
            self._calls.append(Call(tool.call, tool.tool, event["data"].get("input")))
            self._asking.add(tool.call)
            return
        yield ToolFailed(run=self.run, call=tool.call, tool=tool.tool, error=TOOL_FAILED)

    # Chains and graphs.

    def _chain_start(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        if event["metadata"].get("langgraph_node") == event["name"] and _is_node(event):
            self._step_count += 1
            step = StepStarted(run=self.run, step=f"s{self._step_count}", name=event["name"])
            self._steps[event["run_id"]] = step
            yield step

    def _chain_stream(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        """The root's own words, as long as no model has spoken: then they are the model's, perhaps worked over."""
        if event["parent_ids"]:
            return
        chunk = event["data"].get("chunk")
        if isinstance(chunk, Mapping):
            self.interrupts.update({asked.id: asked for asked in chunk.get("__interrupt__", ())})
        elif not self._said or "" in self._messages:
            yield from self._own_words(chunk)

    def _own_words(self, said: Any) -> Iterator[RunEvent]:
        text = isinstance(said, str) and bool(said)
        if not (text or _is_answer(said)):
            return
        if "" not in self._messages:
            yield self._begin("").start()
        message = self._messages[""]
        yield from message.text(said) if text else self._content(message, said)

    def _chain_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        step = self._steps.pop(event["run_id"], None)
        if step is not None:
            yield StepFinished(run=self.run, step=step.step, name=step.name)
        if event["parent_ids"]:
            return
        output = event["data"].get("output")
        messages = output.get("messages") if isinstance(output, Mapping) else None
        if not self._said and messages and not self.interrupts:
            yield from self._own_words(messages[-1])
        if "" in self._messages:
            yield from self._messages.pop("").finish("stop")
        self.result = self._result(output)

    def _result(self, output: Any) -> Any:
        """A graph's state is its own affair, but for the response that an agent was asked to give in a form."""
        if isinstance(output, Mapping) and (self._step_count or "messages" in output):
            return jsonable(output.get("structured_response"))
        return None if isinstance(output, str) or hasattr(output, "content") else jsonable(output)

    def _custom(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        yield Data(run=self.run, name=event["name"], value=jsonable(event["data"]))


_READERS: dict[str, Callable[[Reader, Mapping[str, Any]], Iterator[RunEvent]]] = {
    "on_chat_model_start": Reader._model_start,
    "on_chat_model_stream": Reader._model_stream,
    "on_chat_model_end": Reader._model_end,
    "on_llm_start": Reader._model_start,
    "on_llm_stream": Reader._llm_stream,
    "on_llm_end": Reader._llm_end,
    "on_tool_start": Reader._tool_start,
    "on_tool_end": Reader._tool_end,
    "on_tool_error": Reader._tool_error,
    "on_chain_start": Reader._chain_start,
    "on_chain_stream": Reader._chain_stream,
    "on_chain_end": Reader._chain_end,
    "on_custom_event": Reader._custom,
}


def _is_node(event: Mapping[str, Any]) -> bool:
    return any(tag.startswith("graph:step:") for tag in event["tags"])


def _is_answer(said: Any) -> bool:
    return getattr(said, "type", None) in ("ai", "AIMessageChunk")


def _finish(told: Mapping[str, Any], output: Any) -> Finish:
    reason = told.get("finish_reason") or told.get("stop_reason") or told.get("done_reason")
    if isinstance(reason, str) and reason.lower() in _FINISH:
        return _FINISH[reason.lower()]
    return "tool_calls" if getattr(output, "tool_calls", None) else "stop"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
