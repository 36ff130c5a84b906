"""LangChain and LangGraph as run events: the adapter over `Runnable.astream_events`.

Nothing of LangChain is imported before the first run: whoever has a runnable has it already, and the parts it only
loads when it streams are loaded in a thread.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
from functools import cache
from importlib import import_module
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from tidings.errors import InvalidRequest
from tidings.runs.failures import BrokenOff, Declined
from tidings.wire.run_events import RunEvent

from .questions import Ask, Questions, Taken, answers_taken, take_back
from .reader import MODES, Reader
from .remote import RemoteReader, remote_chunks


class LangChainSource:
    """The events of one run of a runnable, in order. `result` is what it returned, once it is through, if that is
    neither text nor messages: the structured response of an agent, the output of a parser."""

    def __init__(self, run: str, runnable: Any, input: Any, config: Mapping[str, Any] | None, ask: Ask) -> None:
        self.run = run
        self.runnable = runnable
        self.input = input
        self.config: dict[str, Any] = _own(config or {})
        self.questions: Questions = Questions(run, ask)
        self._taken: Taken = {}
        self.remote: bool = _is(runnable, "langgraph.pregel.remote", "RemoteGraph")
        self.graph: bool = not self.remote and _is(runnable, "langgraph.pregel.protocol", "PregelProtocol")
        self.reader: Reader | RemoteReader = RemoteReader(run) if self.remote else Reader(run, graph=self.graph)

    @property
    def result(self) -> Any:
        return self.reader.result

    async def events(self) -> AsyncIterator[RunEvent]:
        """Raises what the runnable raises, and BrokenOff or Declined for an answer that looks whole and is not.

        A graph that interrupts itself asks, waits for the answers and goes on.
        """
        await asyncio.to_thread(_load)
        if self._remembers:
            thread = str(uuid5(NAMESPACE_OID, self.run)) if self.remote else self.run  # LangGraph's server wants UUIDs
            self.config["configurable"] = {"thread_id": thread, **self.config.get("configurable", {})}
        input, again = self.input, False
        while True:
            try:
                async with aclosing(self._stream(input)) as stream:
                    async for event in stream:
                        for said in self.reader.read(event):
                            yield said
                again = False
            except Exception as error:
                if not self.questions.blames(error, worked=self.reader.worked):
                    raise
                again = True
            if not again and not self.reader.ended:
                raise BrokenOff  # LangChain drops the CancelledError of a model, which then looks like an end
            if not again and not self.reader.stopped:
                break
            if not self._remembers:
                raise InvalidRequest("The graph asks a question, but it has no checkpointer to go on from.")
            before = await self._stop(again=again)
            for said in (*self.reader.begin(), *self.questions.requests(before, again=again)):
                yield said
            input = await self.questions.resume()
        if self.reader.finish == "error":
            raise BrokenOff
        if self.reader.finish == "content_filter" and self.reader.empty:
            raise Declined

    @property
    def _remembers(self) -> bool:
        return self.remote or bool(getattr(self.runnable, "checkpointer", None))

    def _stream(self, input: Any) -> Any:
        if self.remote:
            return remote_chunks(self.runnable, input, self.config)
        modes: dict[str, Any] = {"stream_mode": list(MODES), "subgraphs": True} if self.graph else {}
        return self.runnable.astream_events(input, self.config, version="v2", **modes)

    async def _stop(self, *, again: bool) -> Sequence[str]:
        """Note the questions with which the graph has stopped. Returns the nodes that come next.

        `again`: the graph has failed by its last answers, which it is to forget.
        """
        if not again:
            self.questions.open = dict(self.reader.interrupts)
        if self.remote:
            return ()
        state = await self.runnable.aget_state(self.config, subgraphs=True)
        if again:
            await take_back(self.runnable, state, self._taken)
            # Of several questions, those whose answers were taken are not asked again.
            left = {asked.id for task in state.tasks for asked in task.interrupts if task.result is None}
            self.questions.open = {id: asked for id, asked in self.questions.open.items() if id in left or not left}
        else:
            self._taken = await answers_taken(self.runnable, state)
        return tuple(state.next)


def _is(runnable: Any, module: str, name: str) -> bool:
    """True for an object of a class of a module that somebody has loaded, also with options bound to it."""
    while hasattr(type(runnable), "model_fields") and "bound" in type(runnable).model_fields:
        runnable = runnable.bound
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(runnable, kind)


def _own(config: Mapping[str, Any]) -> dict[str, Any]:
    """A config without the place in an outer graph: nodes are given theirs, and pass it on."""
    own = dict(config)
    if hasattr(own.get("callbacks"), "parent_run_id"):
        del own["callbacks"]
    inner = own.get("configurable") or {}
    if any(key.startswith("__pregel") for key in inner):
        place = ("thread_id", "checkpoint_id", "checkpoint_ns", "checkpoint_map")
        inner = {key: value for key, value in inner.items() if key not in place and not key.startswith("__pregel")}
        own["configurable"] = inner
        facts = own.get("metadata") or {}
        own["metadata"] = {key: value for key, value in facts.items() if not key.startswith(("langgraph_", "lc_"))}
        own.pop("run_id", None)
    return own


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
