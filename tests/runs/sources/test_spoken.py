"""The answers in a graph's state that nobody has said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.types import Command
from pydantic import BaseModel

from tidings.runs.sources.message import Message
from tidings.runs.sources.spoken import Spoken, messages_in

AI = AIMessage("a")


@dataclass
class State:
    messages: list[Any]
    other: int = 1


class Model(BaseModel):
    messages: list[Any]
    note: str = "ai"


@pytest.mark.parametrize(
    ("state", "texts"),
    [
        ({"messages": [AI, HumanMessage("b")]}, ["a", "b"]),
        ({"answer": AI, "n": 1, "text": "ai"}, ["a"]),
        (AI, ["a"]),
        ([AI, ToolMessage("c", tool_call_id="1")], ["a", "c"]),
        (State([AI]), ["a"]),
        (Model(messages=[AI]), ["a"]),
        (Command(update={"messages": [AI]}), ["a"]),
        ([Command(update={"messages": [AI]}), {"x": 1}], ["a"]),
        (Command(goto="elsewhere"), []),
        ({"messages": [("ai", "p"), ("human", "q"), {"role": "assistant", "content": "r"}]}, ["p", "r"]),
        ({"messages": ("assistant", "s")}, ["s"]),
        ({"role": "assistant", "content": "t"}, ["t"]),
        ({"messages": [{"type": "ai", "content": [{"type": "text", "text": "u"}], "id": "1"}]}, ["u"]),
        ({"messages": [{"role": "user", "content": "v"}, ("ai", 1)]}, []),
        ({"pair": ("a", "b"), "number": 3, "nothing": None}, []),
        ("text", []),
        (None, []),
    ],
)
def test_messages_are_found_wherever_a_state_has_them(state: Any, texts: list[str]) -> None:
    assert [message.text for message in messages_in(state)] == texts


def said(text: str) -> Message:
    message = Message("R", "m1")
    list(message.text(text))
    return message


def new(spoken: Spoken, *messages: Any, within: str | None = "node") -> list[str]:
    return [message.text for message in spoken.new({"messages": list(messages)}, within)]


def test_a_message_is_new_once() -> None:
    spoken = Spoken()
    assert new(spoken, AIMessage("a", id="1"), AIMessage("b")) == ["a", "b"]
    assert new(spoken, AIMessage("changed", id="1"), AIMessage("b")) == ["b"]
    kept = AIMessage("c")
    assert new(spoken, kept, kept) == ["c"]


def test_messages_given_to_a_node_are_not_new() -> None:
    spoken, old = Spoken(), AIMessage("old")
    spoken.given({"messages": [old, AIMessage("older", id="1")]})
    assert new(spoken, old, AIMessage("older", id="1"), HumanMessage("no answer"), AIMessage("new")) == ["new"]


def test_a_text_that_a_model_said_in_the_same_node_is_not_new() -> None:
    spoken = Spoken()
    spoken.add(AIMessage("It is 3.", id="1"), said("It is 3."), ["graph", "node"])
    assert new(spoken, AIMessage("It  is 3.\n")) == []
    assert new(spoken, AIMessage("It is 3."), within="another") == ["It is 3."]
    assert new(spoken, AIMessage("It is 3."), within=None) == []
    call = {"name": "add", "args": {}, "id": "c1", "type": "tool_call"}
    assert new(spoken, AIMessage("It is 3.", tool_calls=[call])) == ["It is 3."], "it has more than the text"
    assert not spoken.has_text("")
