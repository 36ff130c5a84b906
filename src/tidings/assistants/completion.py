"""A streamed chat completion, as OpenAI-compatible servers write it, as LangChain's message chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from tidings.runs.failures import BrokenOff

_OPEN, _CLOSE = "<think>", "</think>"


def is_done(data: str) -> bool:
    """True for the data of the last event of a completion."""
    return data.strip() == "[DONE]"


def is_whole(data: str) -> bool:
    """True for the data of an event that is all there: it is JSON, or the last of a completion."""
    try:
        msgspec.json.decode(data)
    except msgspec.DecodeError:
        return is_done(data)
    return True


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class _ToolCall(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    error_code: Any = None
    object: Any = None


class Completion:
    """A completion that is read event by event. Block 0 is reasoning, block 1 is text.

    Servers repeat the usage or leave it empty, and repeat the reason of the end or leave it to `[DONE]`; so both are
    told once, by `end`.
    """

    def __init__(self) -> None:
        self._thinking = _Thinking()
        self._usage: UsageMetadata | None = None
        self._finish: str | None = None
        self._refused = False
        self._done = False

    def read(self, data: str, type: str = "message") -> Iterator[AIMessageChunk]:
        """The next part of the answer, an event. Raises BrokenOff for an error of the server, and for what is no
        completion. An event without data, with which some servers keep a connection alive, is no part."""
        if is_done(data):
            self._done = True
            return
        if not data.strip():
            return
        chunk = _decoded(data, type)
        self._usage = _usage(chunk.usage) or self._usage
        for choice in (chunk.choices or [])[:1]:
            yield from self._delta(choice.delta or choice.message or _Delta())
            self._finish = choice.finish_reason or self._finish

    def end(self) -> Iterator[AIMessageChunk]:
        """The end of the answer. Raises BrokenOff if the answer has neither a reason of its end nor a `[DONE]`."""
        yield from map(_block, self._thinking.end())
        if not self._done and self._finish is None:
            raise BrokenOff("The model server closed the connection.")
        reason = "refusal" if self._refused else self._finish
        last = _message([], **({"finish_reason": reason} if reason else {}))
        last.usage_metadata = self._usage
        yield last

    def _delta(self, delta: _Delta) -> Iterator[AIMessageChunk]:
        if thought := delta.reasoning_content or delta.reasoning:
            yield _block(("reasoning", thought))
        for kind, text in _parts(delta.content):
            yield from map(_block, self._thinking.read(text) if kind == "text" else [(kind, text)])
        if delta.refusal:
            yield _block(("text", delta.refusal))
            self._refused = True
        if delta.tool_calls:
            yield AIMessageChunk(content=[], tool_call_chunks=[_tool_call(call) for call in delta.tool_calls])


_Part = tuple[Literal["text", "reasoning"], str]


class _Thinking:
    """Tells the thoughts of a model that writes them into its text, between `<think>` tags at its beginning."""

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["before", "within", "after"] = "before"

    def read(self, text: str) -> Iterator[_Part]:
        text, self._held = self._held + text, ""
        if self._state == "before":
            start = text.lstrip()
            if _OPEN.startswith(start[: len(_OPEN)]) and len(start) < len(_OPEN):
                self._held = text  # a tag may come
                return
            self._state = "within" if start.startswith(_OPEN) else "after"
            text = start.removeprefix(_OPEN) if self._state == "within" else text
        if self._state == "within":
            thought, closed, text = text.partition(_CLOSE)
            if closed:
                self._state = "after"
                text = text.lstrip("\n")
            else:
                kept = next((n for n in range(len(_CLOSE) - 1, 0, -1) if thought.endswith(_CLOSE[:n])), 0)
                thought, self._held = thought[: len(thought) - kept], thought[len(thought) - kept :]
            if thought:
                yield "reasoning", thought
        if text:
            yield "text", text

    def end(self) -> Iterator[_Part]:
        if self._held:
            yield "reasoning" if self._state == "within" else "text", self._held


def _decoded(data: str, type: str) -> _Chunk:
    try:
        chunk = msgspec.json.decode(data, type=_Chunk)
    except msgspec.MsgspecError as error:
        raise BrokenOff("The model server sent something that is no chat completion.") from error
    failure = chunk.error
    if failure is None and (type == "error" or chunk.object == "error" or chunk.error_code):
        failure = msgspec.json.decode(data)  # vLLM, LMDeploy and FastChat also write the error's fields by themselves
    if failure is not None:
        said = failure if isinstance(failure, dict) else {}
        broken = BrokenOff("The model server failed.", code=said.get("code"), type=said.get("type"))
        broken.add_note(f"It said: {str(failure)[:500]}")
        raise broken
    return chunk


def _parts(content: str | list[Any] | None) -> Iterator[_Part]:
    """The text and the thoughts of a content, which some servers send as a list of typed parts."""
    if isinstance(content, str):
        yield "text", content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and isinstance(text := part.get("text") or part.get("thinking"), str):
            yield "reasoning" if "thinking" in part else "text", text


def _usage(told: Any) -> UsageMetadata | None:
    """The usage that a server reports, or None if it reports none. Some servers write numbers as floats, or null."""
    if not isinstance(told, dict):
        return None
    numbers = [told.get(name) for name in ("prompt_tokens", "completion_tokens")]
    if not any(isinstance(number, int | float) for number in numbers):
        return None
    asked, answered = (int(number) if isinstance(number, int | float) else 0 for number in numbers)
    return UsageMetadata(input_tokens=asked, output_tokens=answered, total_tokens=asked + answered)


def _tool_call(call: _ToolCall) -> Any:
    function = call.function or _Function()
    arguments = function.arguments
    text = msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else arguments
    return tool_call_chunk(name=function.name, args=text, id=call.id, index=call.index)


def _block(part: _Part) -> AIMessageChunk:
    kind, text = part
    return _message([{"type": kind, kind: text, "index": int(kind == "text")}])


def _message(blocks: list[str | dict[str, Any]], **metadata: str) -> AIMessageChunk:
    return AIMessageChunk(content=blocks, response_metadata={"output_version": "v1", **metadata})
