"""Agents, their tools and LangGraph's graphs as run events, over scripted models and a real hub."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import InjectedToolCallId, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from tests.runs.scripted import Scripted, only, sound, story, text, told, tool_chunk, types
from tidings import Hub

ASKED = {"messages": [{"role": "user", "content": "1 + 2?"}]}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@tool
async def fail(a: int) -> int:
    """Always fails."""
    raise RuntimeError("the password is 1234")


async def test_an_agent_calls_its_tool(hub: Hub) -> None:
    model = Scripted(
        scripts=[["Let me add.", tool_chunk('{"a": 1,', "c1", "add"), tool_chunk('"b": 2}')], ["It is", " 3."]]
    )
    said = await told(hub, create_agent(model, [add]), ASKED)
    sound(said)
    assert types(said) == [
        "step.started", "message.started", "block.started", "block.delta", "block.finished",
        "block.started", "block.delta", "block.finished", "message.finished", "step.finished",
        "step.started", "tool.started", "tool.finished", "step.finished",
        "step.started", "message.started", "block.started", "block.delta", "block.finished", "message.finished",
        "step.finished", "run.finished",
    ]  # fmt: skip
    assert [step["name"] for step in only(said, "step.started")] == ["model", "tools", "model"]
    call = only(said, "block.finished")[1]
    assert (call["kind"], call["call"], call["tool"], call["content"]) == ("tool_call", "c1", "add", {"a": 1, "b": 2})
    assert text(said, "tool_call") == '{"a": 1,"b": 2}'
    assert only(said, "tool.started") == [
        {"type": "tool.started", "call": "c1", "tool": "add", "input": {"a": 1, "b": 2}}
    ]
    assert only(said, "tool.finished") == [{"type": "tool.finished", "call": "c1", "tool": "add", "output": "3"}]
    assert [message["finish"] for message in only(said, "message.finished")] == ["tool_calls", "stop"]


async def test_interleaved_tool_calls_of_one_tool_are_told_apart(hub: Hub) -> None:
    script = [
        tool_chunk('{"a": 1,', "c1", "add", 0),
        tool_chunk('{"a": 10,', "c2", "add", 1),
        tool_chunk('"b": 2}', index=0),
        tool_chunk('"b": 20}', index=1),
    ]
    said = await told(hub, create_agent(Scripted(scripts=[script, ["3 and 30"]]), [add]), ASKED)
    sound(said)
    blocks = {block["call"]: block["content"] for block in only(said, "block.finished") if block["kind"] == "tool_call"}
    assert blocks == {"c1": {"a": 1, "b": 2}, "c2": {"a": 10, "b": 20}}
    assert {(tool["call"], tool["output"]) for tool in only(said, "tool.finished")} == {("c1", "3"), ("c2", "30")}


async def test_a_failing_tool_says_so_and_not_why(hub: Hub) -> None:
    model = Scripted(scripts=[[tool_chunk('{"a": 1}', "c1", "fail")]])
    said = await told(hub, create_agent(model, [fail]), ASKED)
    sound(said)
    assert only(said, "tool.failed") == [
        {"type": "tool.failed", "call": "c1", "tool": "fail", "error": "The tool failed."}
    ]
    assert said[-1]["type"] == "run.failed"
    assert "1234" not in json.dumps(said)


async def test_a_tool_that_handles_its_error_has_failed_all_the_same(hub: Hub) -> None:
    @tool
    async def picky() -> str:
        """Refuse."""
        raise ToolException("the password is 1234")

    picky.handle_tool_error = True
    model = Scripted(scripts=[[tool_chunk("{}", "c1", "picky")], ["Sorry."]])
    said = await told(hub, create_agent(model, [picky]), ASKED)
    sound(said)
    assert len(only(said, "tool.failed")) == 1
    assert said[-1]["outcome"] == "success"
    assert "1234" not in json.dumps(said)


async def test_a_tool_that_no_message_asked_for(hub: Hub) -> None:
    async def look_up(_: Any) -> str:
        await add.ainvoke({"a": 1, "b": 2})
        return str(await add.ainvoke({"name": "add", "args": {"a": 1, "b": 2}, "id": "x", "type": "tool_call"}))

    said = await told(hub, RunnableLambda(look_up))
    sound(said)
    assert [(tool["call"], tool["output"]) for tool in only(said, "tool.finished")] == [("t1", 3), ("t2", "3")]


async def test_a_huge_tool_output_is_cut_and_says_so(hub: Hub) -> None:
    @tool
    async def much() -> str:
        """Say much."""
        return "x" * 2_000_000

    model = Scripted(scripts=[[tool_chunk("{}", "c1", "much")], ["Much."]])
    said = await told(hub, create_agent(model, [much]), ASKED)
    sound(said)
    [tool_finished] = only(said, "tool.finished")
    assert tool_finished["output"]["truncated"] is True
    assert said[-1]["outcome"] == "success"


async def test_a_graph_with_an_answer_that_no_model_made(hub: Hub) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("canned", lambda state: {"messages": [AIMessage("We are closed.")]})
    graph.add_edge(START, "canned")
    graph.add_edge("canned", END)
    said = await told(hub, graph.compile(), ASKED)
    sound(said)
    assert text(said) == "We are closed."
    assert [step["name"] for step in only(said, "step.started")] == ["canned"]


def asking() -> Any:
    async def ask(state: MessagesState) -> dict[str, Any]:
        answer = interrupt({"question": "Really?"})
        return {"messages": [AIMessage(f"You said {answer}.")]}

    graph = StateGraph(MessagesState)
    graph.add_node("ask", ask)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", END)
    return graph


async def test_a_graph_that_interrupts_itself_asks_and_goes_on_with_the_answer(hub: Hub) -> None:
    run = await hub.runs.start(asking().compile(checkpointer=InMemorySaver()), ASKED)
    async for event in run.events():
        if event.type == "input.requested":
            asked = json.loads(event.data)
            await hub.runs.answer(run.id, asked["request"], "yes", by="ann")
            await hub.runs.answer(run.id, asked["request"], "no, this is too late")
    said = await story(run)
    sound(said)
    assert asked["value"] == {"question": "Really?"}
    assert [event["value"] for event in only(said, "input.resolved")] == ["yes"]
    assert text(said) == "You said yes."
    assert said[-1]["outcome"] == "success"


async def test_a_tool_that_asks_is_one_tool(hub: Hub) -> None:
    @tool
    async def confirm(what: str) -> str:
        """Ask."""
        return f"{what}: {interrupt('sure?')}"

    model = Scripted(scripts=[[tool_chunk('{"what": "it"}', "c1", "confirm")], ["Done."]])
    agent = create_agent(model, [confirm], checkpointer=InMemorySaver())
    run = await hub.runs.start(agent, ASKED)
    async for event in run.events():
        if event.type == "input.requested":
            await hub.runs.answer(run.id, json.loads(event.data)["request"], "yes")
    said = await story(run)
    sound(said)
    assert [(tool["call"], tool["output"]) for tool in only(said, "tool.finished")] == [("c1", "it: yes")]
    assert len(only(said, "tool.started")) == 1
    assert not only(said, "tool.failed")


async def test_a_graph_that_asks_and_cannot_go_on_fails_in_words(hub: Hub) -> None:
    said = await told(hub, asking().compile(), ASKED)
    assert said[-1]["code"] == "invalid_request"
    assert "checkpointer" in said[-1]["message"]


@pytest.mark.parametrize(("status", "became"), [("success", "tool.finished"), ("error", "tool.failed")])
async def test_a_tool_that_commands_the_graph_says_its_message(
    hub: Hub, status: Literal["success", "error"], became: str
) -> None:
    @tool
    async def hand_over(id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Hand over."""
        return Command(
            update={
                "messages": [
                    ToolMessage("Of another call.", tool_call_id="c0"),
                    ToolMessage("Handed over.", tool_call_id=id, status=status),
                ]
            }
        )

    model = Scripted(scripts=[[tool_chunk("{}", "c1", "hand_over")], ["Done."]])
    said = await told(hub, create_agent(model, [hand_over]), ASKED)
    sound(said)
    (tool_ended,) = only(said, became)
    assert tool_ended["call"] == "c1"
    assert tool_ended.get("output") == ("Handed over." if status == "success" else None)


async def test_a_tool_that_commands_the_graph_without_a_message(hub: Hub) -> None:
    @tool
    async def go_away() -> Command[Any]:
        """Go away."""
        return Command(goto="elsewhere")

    said = await told(hub, go_away, {})
    assert only(said, "tool.finished")[0]["output"]["goto"] == "elsewhere"
