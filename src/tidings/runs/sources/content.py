"""The content of LangChain's messages, whatever their provider calls its parts, as the blocks of a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tidings.wire.run_events import RunEvent

from .message import Message

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,")


class Contents:
    """Reads the messages of one run, and chunks of messages. The citations of the run are numbered in their order."""

    def __init__(self) -> None:
        self._sources = 0

    def read(self, message: Message, said: Any) -> Iterator[RunEvent]:
        """The parts of a message of LangChain, or of a chunk of one, as events of `message`."""
        pieces = getattr(said, "tool_call_chunks", None)
        if pieces is None:
            pieces = [{**call, "args": _json(call["args"])} for call in said.tool_calls]
        if isinstance(said.content, str) and not said.additional_kwargs:
            yield from message.text(said.content)
        else:
            for block in said.content_blocks:
                yield from self._block(message, block, tools=not pieces)
            yield from message.text(refusal_of(said) or "")
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
                yield from message.whole("file", _file(block))
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


def refusal_of(said: Any) -> str | None:
    """The words with which a model of OpenAI refused to answer. They are no text of the message."""
    apart = said.additional_kwargs.get("refusal")
    if isinstance(apart, str) and apart:
        return apart
    blocks = said.content if isinstance(said.content, list) else ()
    found = [block["refusal"] for block in blocks if isinstance(block, Mapping) and block.get("type") == "refusal"]
    return "".join(found) or None


def _file(block: Mapping[str, Any]) -> dict[str, Any]:
    shown = {name: block[name] for name in ("mime_type", "url", "base64", "file_id") if block.get(name)}
    if data := _DATA_URL.match(shown.get("url", "")):
        type = shown.get("mime_type") or data[1]
        shown = {**({"mime_type": type} if type else {}), "base64": shown["url"][data.end() :]}
    return {"type": block["type"], **shown}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
