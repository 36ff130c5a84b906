"""A message of a run as events: its blocks are opened, filled and closed in the order in which their parts come."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from tidings.errors import TooLarge
from tidings.wire.run_events import (
    BlockDelta,
    BlockFinished,
    BlockStarted,
    Data,
    Finish,
    Kind,
    MessageFinished,
    MessageStarted,
    RunEvent,
    Status,
)

from .values import clean, entire, jsonable

LONGEST = 128 * 1024
"""Characters of one block. JSON may need 6 bytes for each, and an event, such as the block's last, holds 1 MB."""
LARGEST = 32 << 20
"""Characters of base64 of one file, which are 24 MB of the file: a picture or a minute of sound, and not a film."""

TOOL_FAILED = "The tool failed."
"""The words in which viewers learn of a tool's failure. Its error may hold a secret."""
CUSTOM = "custom"
"""The name of the data that a graph writes with `get_stream_writer`, which has no name."""


def data_of(run: str, name: str, value: Any) -> Data:
    """The data of an application. A value that is an object with an `id` replaces the last data with that id."""
    shown = jsonable(value)
    id = shown.get("id") if isinstance(shown, dict) else None
    return Data(run=run, name=name, value=shown, id=str(id)[:100] if isinstance(id, str | int) else None)


class Call(NamedTuple):
    """A tool call that a message asks for."""

    call: str
    tool: str
    input: Any


class _Block:
    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.parts: list[str] = []
        self.size = 0


class Message:
    """Makes the events of one message. Its methods only return events; whoever calls them sends them, in order.

    Text and reasoning follow each other: one that begins ends the other. Tool calls stay open until the message
    ends, since their pieces may come interleaved. `calls` are the tool calls, as they are completed. `name`: the agent
    that speaks, where there are several.
    """

    def __init__(self, run: str, message: str, role: str = "assistant", name: str | None = None) -> None:
        self.run = run
        self.message = message
        self.role = role
        self.name = name
        self.empty: bool = True
        self.calls: list[Call] = []
        self._text: list[str] = []
        self._blocks: dict[tuple[Kind, Hashable], _Block] = {}
        self._count = 0

    @property
    def words(self) -> str:
        """The text so far, without reasoning and without spaces, to compare one message with another."""
        return "".join("".join(self._text).split())

    def start(self) -> MessageStarted:
        return MessageStarted(run=self.run, message=self.message, role=self.role, name=self.name)

    def text(self, delta: str, kind: Literal["text", "reasoning"] = "text", key: Hashable = None) -> Iterator[RunEvent]:
        """More of a text. `key` tells blocks of one kind apart, where the model does."""
        delta = clean(delta)
        if kind == "text":
            self._text.append(delta)
        for at in range(0, len(delta), LONGEST // 2):
            piece = delta[at : at + LONGEST // 2]
            block = self._blocks.get((kind, key))
            if block is None or block.size + len(piece) > LONGEST:
                yield from self._end_texts()
                block = self._open(kind, key)
                yield BlockStarted(**block.fields)
            yield self._delta(block, piece)

    def tool_call(self, delta: str, call: str | None, tool: str | None, key: Hashable = None) -> Iterator[RunEvent]:
        """More of the JSON text of a tool call's input. Only its first piece needs to name the call and the tool."""
        block = self._blocks.get(("tool_call", key))
        if block is not None and call is not None and call != block.fields["call"]:
            yield self._end(("tool_call", key))
            block = None
        if block is None:
            yield from self._end_texts()
            block = self._open("tool_call", key, call=call or f"{self.message}.{self._count}", tool=tool or "")
            yield BlockStarted(**block.fields)
        if delta:
            if block.size + len(delta) > LONGEST:
                raise TooLarge(f"The input of a tool call is at most {LONGEST} characters.")
            yield self._delta(block, clean(delta))

    def whole(self, kind: Literal["file", "source"], content: dict[str, Any]) -> Iterator[RunEvent]:
        """A block that is there at once. It may come in the middle of a text and does not end it.

        The base64 of a file that is too large for an event comes as deltas. Raises TooLarge for what cannot be stored
        whole.
        """
        content, base64 = _split(content) if kind == "file" else (content, "")
        stored = entire(content)
        fields = self._fields(kind)
        yield BlockStarted(**fields)
        for at in range(0, len(base64), LONGEST // 2):
            yield BlockDelta(**fields, delta=base64[at : at + LONGEST // 2])
        yield BlockFinished(**fields, content=stored, status="complete")

    def finish(self, finish: Finish, usage: dict[str, Any] | None = None) -> Iterator[RunEvent]:
        for key in list(self._blocks):
            yield self._end(key)
        yield MessageFinished(run=self.run, message=self.message, role=self.role, finish=finish, usage=usage)

    def _fields(self, kind: Kind, **more: str) -> dict[str, Any]:
        self.empty = False
        index, self._count = self._count, self._count + 1
        block = f"{self.message}.{index}"
        return {"run": self.run, "message": self.message, "block": block, "index": index, "kind": kind, **more}

    def _open(self, kind: Kind, key: Hashable, **more: str) -> _Block:
        block = self._blocks[kind, key] = _Block(self._fields(kind, **more))
        return block

    def _delta(self, block: _Block, delta: str) -> BlockDelta:
        block.parts.append(delta)
        block.size += len(delta)
        return BlockDelta(**block.fields, delta=delta)

    def _end_texts(self) -> Iterator[RunEvent]:
        for key in [key for key in self._blocks if key[0] != "tool_call"]:
            yield self._end(key)

    def _end(self, key: tuple[Kind, Hashable]) -> BlockFinished:
        block = self._blocks.pop(key)
        content: Any = "".join(block.parts)
        status: Status = "complete"
        if key[0] == "tool_call":
            try:
                content = msgspec.json.decode(content) if content.strip() else {}
            except msgspec.DecodeError:
                status = "invalid"
            self.calls.append(Call(block.fields["call"], block.fields["tool"], content))
        return BlockFinished(**block.fields, content=content, status=status)


def _split(file: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A file's content and, if it is too long for an event, its base64 apart. Raises TooLarge."""
    base64 = str(file.get("base64") or "")
    if len(base64) <= LONGEST:
        return file, ""
    if len(base64) > LARGEST:
        raise TooLarge(f"A file in an answer is at most {LARGEST >> 20} MB of base64.")
    rest = {name: value for name, value in file.items() if name != "base64"}
    return {**rest, "characters": len(base64)}, base64
