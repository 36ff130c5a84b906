"""The memory of graphs: those without a checkpointer get one for a run, all others stay as they are."""

from __future__ import annotations

from threading import Lock
from typing import Any, TypedDict

from langchain_core.language_models import FakeListChatModel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from tidings.runs.sources.memory import with_memory

CONFIG: Any = {"configurable": {"thread_id": "1"}}


def asking(**options: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("one", lambda state: {"messages": [("ai", interrupt("Who?"))]})
    builder.add_edge(START, "one")
    return builder.compile(**options)


def test_a_graph_without_a_checkpointer_can_be_asked_to_go_on() -> None:
    graph = asking()
    one, two = with_memory(graph), with_memory(graph)
    assert one.invoke({"messages": []}, CONFIG)["__interrupt__"][0].value == "Who?"
    assert one.invoke(Command(resume="Ann"), CONFIG)["messages"][0].text == "Ann"
    assert two.get_state(CONFIG).values == {}, "two runs share nothing"
    assert graph.checkpointer is None


def test_other_runnables_stay_as_they_are() -> None:
    model = FakeListChatModel(responses=[])
    for runnable in (
        model,
        asking() | (lambda state: state),
        asking(checkpointer=InMemorySaver()),
        asking(checkpointer=False),
        print,
    ):
        assert with_memory(runnable) is runnable


class Holding(TypedDict):
    lock: Any
    name: str


def test_a_state_that_cannot_be_written_is_kept_as_it_is() -> None:
    builder = StateGraph(Holding)
    builder.add_node("make", lambda state: {"lock": Lock()})
    builder.add_node("ask", lambda state: {"name": f"{interrupt('Who?')} {state['lock'].acquire(blocking=False)}"})
    builder.add_edge(START, "make")
    builder.add_edge("make", "ask")
    graph = with_memory(builder.compile())
    assert graph.invoke({"name": ""}, CONFIG)["__interrupt__"][0].value == "Who?"
    assert graph.invoke(Command(resume="Ann"), CONFIG)["name"] == "Ann True"
