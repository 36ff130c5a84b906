"""The stream of a graph that runs on another server, LangGraph's `RemoteGraph`, as run events.

Such a graph has no events of LangChain here: its server sends messages piece by piece, updates and data.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from types import SimpleNamespace
from typing import Any

from tidings.wire.run_events import Finish, RunEvent, ToolFailed, ToolFinished, ToolStarted

from .content import Contents
from .message import CUSTOM, TOOL_FAILED, Message, data_of
from .questions import INTERRUPT
from .reason import ending, told, usage_of
from .spoken import is_internal
from .values import jsonable

_MODES = ("messages", "updates", "custom")
_END = "end"

Chunk = tuple[tuple[str, ...], str, Any]


async def remote_chunks(graph: Any, input: Any, config: Mapping[str, Any]) -> AsyncIterator[Chunk]:
    """The stream of a RemoteGraph, with a last chunk that says that it is through."""
    async with aclosing(graph.astream(input, config, stream_mode=list(_MODES), subgraphs=True)) as stream:
        async for chunk in stream:
            yield chunk
    yield (), _END, None


class RemoteReader:
    """Translates the chunks of `remote_chunks`, as `Reader` translates events. Its facts are those of `Reader`."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.result: Any = None
        self.ended: bool = False
        self.stopped: bool = False
        self.worked: bool = False
        self.interrupts: dict[str, Any] = {}
        self.finish: Finish = "stop"
        self.empty: bool = False
        self._contents = Contents()
        self._open: dict[str, tuple[Message, Any]] = {}  # by the message's id: what was said, and its chunks' sum
        self._said = 0
        self._tools: dict[str, str] = {}

    def begin(self) -> Iterator[RunEvent]:
        """Read another stream of the same run."""
        yield from self._close()
        self.interrupts.clear()
        self.ended = self.stopped = self.worked = False

    def read(self, chunk: Chunk) -> Iterator[RunEvent]:
        namespace, mode, data = chunk
        match mode:
            case "messages":
                yield from self._message(namespace, *data)
            case "custom":
                yield data_of(self.run, CUSTOM, data)
            case "updates" if isinstance(data, Mapping):
                yield from self._update(namespace, data)
            case "end":
                yield from self._close()
                self.ended = True

    def _message(self, namespace: tuple[str, ...], said: Any, metadata: Mapping[str, Any]) -> Iterator[RunEvent]:
        from langchain_core.messages import AIMessage, AIMessageChunk  # RemoteGraph has loaded it

        self.worked = True
        kind = said.get("type")
        if kind == "tool":
            yield from self._tool(said)
        elif kind in ("ai", "AIMessageChunk") and not is_internal(metadata):
            piece = AIMessageChunk(**said) if kind == "AIMessageChunk" else AIMessage(**said)
            id = piece.id or f"nameless {self._said}"
            if id not in self._open:
                self._said += 1
                node = namespace[-1].partition(":")[0] if namespace else None
                name = piece.name or metadata.get("lc_agent_name") or node
                self._open[id] = Message(self.run, f"m{self._said}", name=name), None
                yield self._open[id][0].start()
            message, before = self._open[id]
            self._open[id] = message, piece if before is None else before + piece
            yield from self._contents.read(message, piece)

    def _tool(self, said: Mapping[str, Any]) -> Iterator[RunEvent]:
        """A tool is heard of when it is through."""
        yield from self._close()
        call, tool = str(said.get("tool_call_id")), str(said.get("name") or "")
        yield ToolStarted(run=self.run, call=call, tool=tool, input=jsonable(self._tools.pop(call, None)))
        if said.get("status") == "error":
            yield ToolFailed(run=self.run, call=call, tool=tool, error=TOOL_FAILED)
        else:
            yield ToolFinished(run=self.run, call=call, tool=tool, output=jsonable(said.get("content")))

    def _update(self, namespace: tuple[str, ...], data: Mapping[str, Any]) -> Iterator[RunEvent]:
        if not namespace and INTERRUPT in data:
            self.stopped = True
            for asked in data[INTERRUPT]:
                self.interrupts[asked["id"]] = SimpleNamespace(**{"response_schema": None, **asked})
        yield from self._close()
        for output in data.values():
            if isinstance(output, Mapping) and "structured_response" in output:
                self.result = jsonable(output["structured_response"])

    def _close(self) -> Iterator[RunEvent]:
        """End the messages of a node that has ended."""
        for message, whole in self._open.values():
            facts = dict(whole.response_metadata or {})
            self.finish, self.empty = ending(whole, told(facts), None), message.empty
            yield from message.finish(self.finish, jsonable(usage_of(whole, None)))
            self._tools |= {call.call: call.input for call in message.calls}
        self._open.clear()
