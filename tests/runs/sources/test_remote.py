"""A graph on another server: LangGraph's own client over real HTTP, whose server sends what a real graph streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import SummarizationMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from tests.model_server import Answer, named, refuse, stand_in
from tests.runs.scripted import Scripted, only, says, sound, story, text, told, tool_chunk
from tidings import Hub

ASKED: Any = {"messages": [{"role": "user", "content": "?"}]}
CONFIG: Any = {"configurable": {"thread_id": "t"}}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


async def served(graph: Any, input: Any = ASKED) -> Answer:
    """The answer of LangGraph's server for one stream of this graph."""
    stream = graph.astream(input, CONFIG, stream_mode=["messages", "updates", "custom"], subgraphs=True)
    found: list[tuple[str, Any]] = [("metadata", {"run_id": "r"})]
    async for namespace, mode, data in stream:
        found.append(("|".join([mode, *namespace]), json.loads(json.dumps(data, default=plain))))
    return named(*found)


def plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    return {"value": value.value, "id": value.id} if hasattr(value, "value") else str(value)


def remote(url: str) -> RemoteGraph:
    return RemoteGraph("agent", url=url.removesuffix("/v1"))


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    get_stream_writer()({"adding": a})
    return a + b


async def test_an_agent_with_a_tool_data_and_fixed_words(hub: Hub) -> None:
    model = Scripted(scripts=[["Let me. ", tool_chunk('{"a": 1, "b": 2}', "c1", "add")], ["It is", " 3."]])
    graph = StateGraph(MessagesState)
    graph.add_node("adder", create_agent(model, [add]))
    graph.add_node("closing", lambda state: {"messages": [AIMessage("Bye.")]})
    graph.add_edge(START, "adder")
    graph.add_edge("adder", "closing")
    graph.add_edge("closing", END)
    async with stand_in(await served(graph.compile())) as server:
        said = await told(hub, remote(server.url), ASKED)
    sound(said)
    assert [block["content"] for block in only(said, "block.finished")] == [
        "Let me. ", {"a": 1, "b": 2}, "It is 3.", "Bye.",
    ]  # fmt: skip
    assert [(tool["call"], tool["tool"], tool["input"]) for tool in only(said, "tool.started")] == [
        ("c1", "add", {"a": 1, "b": 2})
    ]
    assert only(said, "tool.finished")[0]["output"] == "3"
    assert [event["value"] for event in only(said, "data")] == [{"adding": 1}]
    assert [message.get("name") for message in only(said, "message.started")] == ["adder", "adder", None]
    assert said[-1]["outcome"] == "success"
    ((line, _, request),) = server.requests
    assert line.startswith("POST /threads/")
    assert request["input"] == ASKED


async def test_a_tool_that_fails_and_an_answer_with_a_structure(hub: Hub) -> None:
    class State(MessagesState):
        structured_response: dict[str, int]

    calls = [{"name": "add", "args": {"a": 1}, "id": "c1"}]
    graph = StateGraph(State)
    graph.add_node("ask", lambda state: {"messages": [AIMessage("", tool_calls=calls)]})
    graph.add_node("tool", lambda state: {"messages": [ToolMessage("secret", tool_call_id="c1", status="error")]})
    graph.add_node("end", lambda state: {"messages": [AIMessage("3")], "structured_response": {"sum": 3}})
    for before, after in ((START, "ask"), ("ask", "tool"), ("tool", "end"), ("end", END)):
        graph.add_edge(before, after)
    async with stand_in(await served(graph.compile())) as server:
        said = await told(hub, remote(server.url), ASKED)
    sound(said)
    (failed,) = only(said, "tool.failed")
    assert failed["call"] == "c1"
    assert "secret" not in str(said)
    assert said[-1]["result"] == {"sum": 3}


async def test_model_calls_of_remote_middleware_are_not_part_of_the_answer(hub: Hub) -> None:
    agent = create_agent(
        says("It is 3."),
        [],
        middleware=[SummarizationMiddleware(says("A summary."), trigger=("messages", 3), keep=("messages", 1))],
    )
    past = {"messages": [("user", "Hello"), ("ai", "Hello to you"), ("user", "1 + 2?")]}
    async with stand_in(await served(agent, past)) as server:
        said = await told(hub, remote(server.url), ASKED)
    sound(said)
    assert text(said) == "It is 3."


async def test_a_remote_graph_that_asks_goes_on_with_the_answer(hub: Hub) -> None:
    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"You said {interrupt('Really?')}.")]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    compiled = graph.compile(checkpointer=InMemorySaver())
    first = await served(compiled)
    second = await served(compiled, Command(resume="yes"))
    async with stand_in(first, second) as server:
        run = await hub.runs.start(remote(server.url), ASKED)
        async for event in run.events():
            if event.type == "input.requested":
                asked = json.loads(event.data)
                await hub.runs.answer(run.id, asked["request"], "yes")
    said = await story(run)
    sound(said)
    assert asked["value"] == "Really?"
    assert text(said) == "You said yes."
    assert list(server.requests[1][2]["command"]["resume"].values()) == ["yes"]
    assert server.requests[0][0] == server.requests[1][0], "both in the thread of the run"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (named(("metadata", {}), ("error", {"error": "RateLimitError", "message": "secret"})), "rate_limit"),
        (refuse(503, "{}"), "provider"),
    ],
)
async def test_a_remote_graph_that_fails(hub: Hub, answer: Answer, code: str) -> None:
    async with stand_in(answer) as server:
        said = await told(hub, remote(server.url), ASKED)
    assert (said[-1]["type"], said[-1]["code"]) == ("run.failed", code)
    assert "secret" not in json.dumps(said)


@pytest.mark.parametrize("direct", [True, False])
async def test_a_remote_graph_as_a_node_is_heard_when_it_is_through(hub: Hub, direct: bool) -> None:
    said_there = {"messages": [{"type": "ai", "content": "From afar.", "id": "run-1"}]}
    values = {"messages": [*ASKED["messages"], *said_there["messages"]]}
    async with stand_in(named(("metadata", {}), ("updates", {"speak": said_there}), ("values", values))) as server:
        far = remote(server.url)

        async def call(state: MessagesState) -> Any:
            return await far.ainvoke(state)

        graph = StateGraph(MessagesState)
        graph.add_node("far", far if direct else call)
        graph.add_edge(START, "far")
        said = await told(hub, graph.compile(), ASKED)
    sound(said)
    assert text(said) == "From afar."
