"""The events of LangChain's `astream_events` as run events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tidings.errors import InvalidRequest
from tidings.wire.run_events import (
    Finish,
    RunEvent,
    StepFinished,
    StepStarted,
    ToolFailed,
    ToolFinished,
    ToolStarted,
)

from .content import Contents
from .message import CUSTOM, TOOL_FAILED, Call, Message, data_of
from .questions import INTERRUPT, is_invalid_answer
from .reason import ending, told, usage_of
from .spoken import Spoken, is_answer, is_internal, tool_message
from .values import jsonable

MODES = ("updates", "custom")
"""The modes in which a graph streams, besides the events of LangChain: its questions, and its own data."""

_HIDDEN = frozenset({"nostream", "langsmith:nostream", "langsmith:hidden"})
"""LangGraph's and LangChain's own tags for what is not to be shown."""


class Reader:
    """Translates the events of `astream_events` v2, one by one. It keeps what an event does not say of itself.

    `graph`: the runnable is a graph that streams MODES with its subgraphs. `result` is what the runnable returned, if
    that is neither text nor messages. `finish` is the reason why the last message ended, and `empty` is True if that
    message had no content.
    """

    def __init__(self, run: str, *, graph: bool = False) -> None:
        self.run = run
        self.result: Any = None
        self.ended: bool = False
        self.stopped: bool = False
        """True if the graph has stopped before its end, with the questions `interrupts` or at a breakpoint."""
        self.interrupts: dict[str, Any] = {}
        self.worked: bool = False
        """True if a model or a tool has begun since `begin`."""
        self.finish: Finish = "stop"
        self.empty: bool = False
        self._graph = graph
        self._root = ""
        self._contents = Contents()
        self._spoken = Spoken()
        self._messages: dict[str, Message] = {}  # by LangChain's run id of the model, "" for the root's own text
        self._told: dict[str, Finish] = {}
        self._said = 0
        self._steps: dict[str, StepStarted] = {}
        self._step_count = 0
        self._tools: dict[str, ToolStarted] = {}
        self._tool_count = 0
        self._calls: list[Call] = []  # what messages asked for and no tool has begun to do
        self._failed: list[Call] = []  # what a tool has failed to do, and may be told to do again
        self._asking: set[str] = set()

    def begin(self) -> Iterator[RunEvent]:
        """Read another stream of the same run. The steps of the last one begin again."""
        for step in self._steps.values():
            yield StepFinished(run=self.run, step=step.step, name=step.name)
        self._steps.clear()
        self._root = ""
        self.interrupts.clear()
        self.ended = self.stopped = self.worked = False

    def read(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        self._root = self._root or event["run_id"]
        if _HIDDEN.isdisjoint(event.get("tags") or ()) and not is_internal(event.get("metadata")):
            read = _READERS.get(event["event"])
            if read is not None:
                yield from read(self, event)
        if event["run_id"] == self._root and event["event"].endswith("_end"):
            self.ended = True

    # Models.

    def _model_start(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        self.worked = True
        yield self._begin(event["run_id"], self._agent(event)).start()

    def _begin(self, key: str, agent: str | None = None) -> Message:
        self._said += 1
        message = self._messages[key] = Message(self.run, f"m{self._said}", name=agent)
        return message

    def _agent(self, event: Mapping[str, Any]) -> str | None:
        """The agent that speaks: the name that its maker gave it, else its subgraph's node, else the tool it is."""
        metadata = event.get("metadata") or {}
        if name := metadata.get("lc_agent_name"):
            return str(name)
        tool = next((self._tools[run].tool for run in reversed(event["parent_ids"]) if run in self._tools), None)
        tasks = str(metadata.get("langgraph_checkpoint_ns", "")).split("|")
        nodes = [task.partition(":")[0] for task in tasks if not task.isdigit()]  # a number counts graphs of one node
        return tool or (nodes[-2] if len(nodes) > 1 else None)

    def _model_stream(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        run, chunk = event["run_id"], event["data"]["chunk"]
        # Of each chunk, since LangChain joins the reasons of several chunks to one word.
        if reason := told(chunk.response_metadata):
            self._told[run] = reason
        yield from self._contents.read(self._messages[run], chunk)

    def _model_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        message = self._messages.pop(event["run_id"])
        output = event["data"].get("output")
        reason = self._told.pop(event["run_id"], None)
        if not is_answer(output):  # a model that ended without any chunk
            yield from self._end(message, reason or "error")
            return
        if message.empty:
            yield from self._contents.read(message, output)
        self._spoken.add(output, message, event["parent_ids"])
        yield from self._finish(message, output, event["metadata"], reason)

    def _finish(
        self, message: Message, output: Any, metadata: Mapping[str, Any], reason: Finish | None = None
    ) -> Iterator[RunEvent]:
        finish = ending(output, reason or told(output.response_metadata), metadata.get("ls_provider"))
        yield from self._end(message, finish, jsonable(usage_of(output, metadata.get("ls_model_name"))))

    def _end(self, message: Message, finish: Finish, usage: dict[str, Any] | None = None) -> Iterator[RunEvent]:
        yield from message.finish(finish, usage)
        self.finish, self.empty = finish, message.empty
        self._calls += message.calls

    def _llm_stream(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        chunk = event["data"]["chunk"]
        yield from self._messages[event["run_id"]].text(chunk if isinstance(chunk, str) else chunk.text)

    def _llm_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        message = self._messages.pop(event["run_id"])
        if message.empty:
            yield from message.text(event["data"]["output"]["generations"][0][0]["text"])
        self._spoken.add(None, message, event["parent_ids"])
        yield from self._end(message, "stop")

    # Tools.

    def _tool_start(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        self.worked = True
        name, input = event["name"], event["data"].get("input")
        call = self._take_call(name, input)
        started = ToolStarted(run=self.run, call=call, tool=name, input=jsonable(input))
        self._tools[event["run_id"]] = started
        if call in self._asking:
            self._asking.discard(call)  # it goes on: it was started before
        else:
            yield started

    def _take_call(self, tool: str, input: Any) -> str:
        """The id under which a message asked for this, or under which the same failed before.

        LangChain does not tell it when a tool starts.
        """
        asked = [call for call in self._calls if call.tool == tool]
        again = [call for call in reversed(self._failed) if call.tool == tool and call.input == input]
        found = next((call for call in (*asked, *again) if call.input == input), asked[0] if asked else None)
        if found is None:
            self._tool_count += 1
            return f"t{self._tool_count}"
        (self._calls if found in self._calls else self._failed).remove(found)
        return found.call

    def _tool_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        tool = self._tools.pop(event["run_id"])
        output = event["data"].get("output")
        if (said := tool_message(output, tool.call)) is not None:
            output = said
        if getattr(output, "status", None) == "error":
            yield from self._fail(tool, event["data"].get("input"))
        else:
            value = jsonable(_said_by_tool(output))
            yield ToolFinished(run=self.run, call=tool.call, tool=tool.tool, output=value)

    def _tool_error(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        tool, error = self._tools.pop(event["run_id"]), event["data"]["error"]
        if _asks(error) or is_invalid_answer(error):
            # It asks a question, and will begin again once there is an answer.
            self._calls.append(Call(tool.call, tool.tool, event["data"].get("input")))
            self._asking.add(tool.call)
            return
        yield from self._fail(tool, event["data"].get("input"))

    def _fail(self, tool: ToolStarted, input: Any) -> Iterator[RunEvent]:
        self._failed.append(Call(tool.call, tool.tool, input))
        yield ToolFailed(run=self.run, call=tool.call, tool=tool.tool, error=TOOL_FAILED)

    # Chains and graphs.

    def _chain_start(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        input = event["data"].get("input")
        if event["run_id"] == self._root:
            self._spoken.given(input)
        elif _is_node(event):
            self._spoken.given(input)
            self._step_count += 1
            step = StepStarted(run=self.run, step=f"s{self._step_count}", name=event["name"])
            self._steps[event["run_id"]] = step
            yield step

    def _chain_stream(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        """The root's own words, as long as no model has spoken: then they are the model's, perhaps worked over."""
        if event["run_id"] != self._root:
            return
        chunk = event["data"].get("chunk")
        if self._graph:
            yield from self._graph_chunk(*chunk)
        elif isinstance(chunk, Mapping) and INTERRUPT in chunk:
            raise InvalidRequest(UNASKED)
        elif not self._said or "" in self._messages:
            yield from self._own_words(chunk)

    def _graph_chunk(self, namespace: tuple[str, ...], mode: str, data: Any) -> Iterator[RunEvent]:
        if mode == "custom":
            yield data_of(self.run, CUSTOM, data)
        elif not namespace and isinstance(data, Mapping) and INTERRUPT in data:
            self.stopped = True
            self.interrupts.update({asked.id: asked for asked in data[INTERRUPT]})

    def _own_words(self, said: Any) -> Iterator[RunEvent]:
        text = isinstance(said, str) and bool(said)
        if not (text or is_answer(said)):
            return
        if "" not in self._messages:
            yield self._begin("").start()
        message = self._messages[""]
        yield from message.text(said) if text else self._contents.read(message, said)

    def _chain_end(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        data, run = event["data"], event["run_id"]
        step = self._steps.pop(run, None)
        if step is not None:
            yield from self._say_new(data.get("output"), event, run)
            yield StepFinished(run=self.run, step=step.step, name=step.name)
        if run != self._root:
            if isinstance(input := data.get("input"), Mapping) and INTERRUPT in input:
                raise InvalidRequest(UNASKED)
            return
        output = data.get("output")
        if "" in self._messages:
            yield from self._end(self._messages.pop(""), "stop")
        elif not self.stopped:
            yield from self._last_words(output, event)
        self.result = self._result(output)

    def _say_new(self, output: Any, event: Mapping[str, Any], within: str | None = None) -> Iterator[RunEvent]:
        """The messages of an output that no model has streamed."""
        for answer in self._spoken.new(output, within):
            if not answer.content and not answer.tool_calls:
                continue
            message = self._begin(event["run_id"], answer.name or self._agent(event))
            del self._messages[event["run_id"]]
            yield message.start()
            yield from self._contents.read(message, answer)
            self._spoken.add(answer, message, [*event["parent_ids"], event["run_id"]])
            yield from self._finish(message, answer, {})

    def _last_words(self, output: Any, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        """The text or the messages that the runnable returned, unless they were said already."""
        if not isinstance(output, str):
            # A graph's state was said node by node, and may hold the past of the conversation.
            if not self._step_count:
                yield from self._say_new(output, event)
        elif not self._spoken.has_text(output) and output.strip():
            yield from self._own_words(output)
            yield from self._end(self._messages.pop(""), "stop")

    def _result(self, output: Any) -> Any:
        """A graph's state is its own affair, but for the response that an agent was asked to give in a form."""
        if isinstance(output, Mapping) and (self._step_count or "messages" in output):
            return jsonable(output.get("structured_response"))
        return None if isinstance(output, str) or hasattr(output, "content") else jsonable(output)

    def _custom(self, event: Mapping[str, Any]) -> Iterator[RunEvent]:
        yield data_of(self.run, event["name"], event["data"])


UNASKED = "A graph within a chain asks a question. Only a graph can ask that is itself the runnable of the run."

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


def _said_by_tool(output: Any) -> Any:
    """The output of a tool. A tool that hands over to another agent returns a command, which holds its message."""
    update = getattr(output, "update", None)
    messages = update.get("messages") if isinstance(update, Mapping) and hasattr(output, "goto") else None
    said = [message for message in messages or () if getattr(message, "type", None) == "tool"]
    return getattr(said[-1] if said else output, "content", output)


def _is_node(event: Mapping[str, Any]) -> bool:
    named = event["metadata"].get("langgraph_node") == event["name"]
    return named and any(tag.startswith("graph:step:") for tag in event["tags"])


def _asks(error: BaseException) -> bool:
    return any(base.__name__ == "GraphBubbleUp" for base in type(error).__mro__)
