"""The answers of a graph that no model streamed: messages in the output of its nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from .message import Message


class Spoken:
    """The messages that a run has said already, so that a message in a graph's state is said once.

    A message is known by its id, or else by itself; and by its text, if a model said that text inside the node that
    returned it.
    """

    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._known: dict[int, Any] = {}  # kept, so that no other message gets the same number
        self._texts: list[tuple[frozenset[str], str]] = []

    def add(self, output: Any, message: Message, within: Sequence[str]) -> None:
        """Note a message of LangChain that was said as `message`, inside of these runs of LangChain."""
        self._note(output)
        self._texts.append((frozenset(within), message.words))

    def given(self, state: Any) -> None:
        """Note the messages that a node was given: its output may hold them again."""
        for message in messages_in(state):
            self._note(message)

    def new(self, output: Any, within: str | None) -> Iterator[Any]:
        """The answers in a node's output that nobody has said. `within`: the node's run; None stands for all runs."""
        for message in messages_in(output):
            if is_answer(message) and not self._has(message, within):
                self._note(message)
                yield message

    def has_text(self, text: str, within: str | None = None) -> bool:
        """True if a message of this text was said, but for its spaces."""
        words = "".join(text.split())
        return words != "" and any(words == said for runs, said in self._texts if within is None or within in runs)

    def _has(self, message: Any, within: str | None) -> bool:
        if message.id in self._ids or id(message) in self._known:
            return True
        return not message.tool_calls and self.has_text(message.text, within)

    def _note(self, message: Any) -> None:
        if identity := getattr(message, "id", None):
            self._ids.add(identity)
        self._known[id(message)] = message


def is_answer(said: Any) -> bool:
    """True for an AI message of LangChain, or a chunk of one."""
    return getattr(said, "type", None) in ("ai", "AIMessageChunk")


def is_internal(metadata: Mapping[str, Any] | None) -> bool:
    """True for a call of a model by LangChain's own middleware, such as a summary of the past. Nobody is answered by
    it. LangChain marks such calls with `lc_internal_call`, in older versions with `lc_source` alone."""
    return metadata is not None and ("lc_internal_call" in metadata or "lc_source" in metadata)


def tool_message(output: Any, call: str) -> Any:
    """The message in the command that a tool has returned: the one that answers `call`, else the first; None without
    one."""
    if not is_command(output):
        return None
    said = [message for message in messages_in(output) if getattr(message, "type", None) == "tool"]
    return next((message for message in said if message.tool_call_id == call), said[0] if said else None)


def messages_in(state: Any) -> Iterator[Any]:
    """The messages in a node's input or output, as LangGraph's own stream of messages finds them: in the fields of a
    state, in lists, and in the updates of commands. Those that are written as dicts or pairs are converted."""
    if is_command(state):
        state = state.update
    values = _values(state)
    for value in values if values is not None else (state,):
        for item in value if _is_list(value) else (value,):
            if is_command(item):
                yield from messages_in(item.update)
            elif (message := _message(item)) is not None:
                yield message
            elif isinstance(item, Mapping) and isinstance(item.get("messages"), list):
                yield from messages_in(item)  # the update of a node of a remote graph


def _message(item: Any) -> Any:
    if hasattr(item, "tool_calls") or (hasattr(item, "content") and hasattr(item, "type")):
        return item
    if isinstance(item, Mapping) and item.get("content") is not None:
        role, content = item.get("role") or item.get("type"), item["content"]
    elif isinstance(item, tuple) and len(item) == 2:
        role, content = item
    else:
        return None
    if role not in ("ai", "assistant") or not isinstance(content, str | list):
        return None
    from langchain_core.messages import AIMessage  # a graph has run, so this is loaded

    more = item if isinstance(item, Mapping) else {}
    calls = [call for call in more.get("tool_calls") or () if "args" in call]
    return AIMessage(content, id=more.get("id"), name=more.get("name"), tool_calls=calls)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes) and not _is_pair(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and value[0] in ("ai", "assistant")


def is_command(value: Any) -> bool:
    """True for a command of LangGraph, whose update holds what a node or a tool says."""
    return type(value).__name__ == "Command" and hasattr(value, "update")


def _values(state: Any) -> Sequence[Any] | None:
    """The values of a state's fields, or None if it is no state."""
    if isinstance(state, Mapping):
        return None if _message(state) is not None else list(state.values())
    if hasattr(state, "content"):
        return None
    if is_dataclass(state) and not isinstance(state, type):
        return [getattr(state, field.name) for field in fields(state)]
    names = getattr(type(state), "model_fields", None)
    return [getattr(state, name) for name in names] if isinstance(names, Mapping) else None
