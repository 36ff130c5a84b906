"""Every answer that the user of a graph would see is in the run's log, once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    LLMToolEmulator,
    LLMToolSelectorMiddleware,
    ModelCallLimitMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    ToolRetryMiddleware,
    wrap_tool_call,
)
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import InjectedToolCallId, ToolException, tool
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command

from tests.runs.scripted import RateLimitError, Said, Scripted, only, says, sound, told, tool_chunk
from tidings import Hub

ASKED: Any = {"messages": [{"role": "user", "content": "1 + 2?"}]}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


def graph_of(**nodes: Any) -> Any:
    """A graph of these nodes, in this order."""
    graph, last = StateGraph(MessagesState), START
    for name, work in nodes.items():
        graph.add_node(name, work)
        graph.add_edge(last, name)
        last = name
    graph.add_edge(last, END)
    return graph.compile()


def answers(said: list[Said]) -> list[str]:
    """The texts of the messages, in order."""
    texts: dict[str, str] = {event["message"]: "" for event in only(said, "message.started")}
    for event in only(said, "block.delta"):
        texts[event["message"]] += event["delta"] if event["kind"] == "text" else ""
    return list(texts.values())


async def test_a_router_with_structured_output_and_then_a_fixed_answer(hub: Hub) -> None:
    async def route(state: MessagesState) -> Any:
        chosen = await (says('{"to": "refund"}') | JsonOutputParser()).ainvoke(state["messages"])
        return Command(goto=chosen["to"])

    graph = StateGraph(MessagesState)
    graph.add_node("route", route, destinations=("refund",))
    graph.add_node("refund", lambda state: {"messages": [AIMessage("Your money is on its way.")]})
    graph.add_edge(START, "route")
    said = await told(hub, graph.compile(), ASKED)
    sound(said)
    assert answers(said) == ['{"to": "refund"}', "Your money is on its way."]


async def test_a_model_and_then_fixed_messages(hub: Hub) -> None:
    async def model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await says("It is", " 3.").ainvoke(state["messages"])]}

    said = await told(
        hub,
        graph_of(
            model=model,
            note=lambda state: {"messages": [AIMessage("Was this helpful?"), HumanMessage("Not an answer.")]},
            pair=lambda state: {"messages": [("ai", "Bye.")]},
            again=lambda state: {"messages": [*state["messages"], {"role": "assistant", "content": "Bye."}]},
        ),
        ASKED,
    )
    sound(said)
    assert answers(said) == ["It is 3.", "Was this helpful?", "Bye.", "Bye."]


async def test_text_that_a_model_streamed_is_not_said_again(hub: Hub) -> None:
    chain = says("It is", " 3.") | StrOutputParser()

    async def parsed(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage((await chain.ainvoke(state["messages"])) + "\n")]}

    async def whole(state: MessagesState) -> dict[str, Any]:
        return {"messages": [*state["messages"], await says("Really.").ainvoke(state["messages"])]}

    said = await told(hub, graph_of(parsed=parsed, whole=whole), ASKED)
    sound(said)
    assert answers(said) == ["It is 3.", "Really."]


async def test_the_message_of_a_model_call_limit(hub: Hub) -> None:
    @tool
    async def add(a: int) -> int:
        """Add."""
        return a

    model = Scripted(scripts=[[tool_chunk('{"a": 1}', "c1", "add")], ["never"]])
    limit = ModelCallLimitMiddleware(run_limit=1, exit_behavior="end")
    said = await told(hub, create_agent(model, [add], middleware=[limit]), ASKED)
    sound(said)
    assert "limit" in answers(said)[-1]
    assert said[-1]["outcome"] == "success"


async def test_the_message_of_exhausted_retries(hub: Hub) -> None:
    model = Scripted(scripts=[["Hal", RateLimitError("key 1234")], [RateLimitError("key 1234")]])
    retry = ModelRetryMiddleware(max_retries=1, initial_delay=0, jitter=False, on_failure=lambda _: "No luck today.")
    said = await told(hub, create_agent(model, [], middleware=[retry]), ASKED)
    sound(said)
    assert answers(said)[-1] == "No luck today."
    assert said[-1]["outcome"] == "success"


@pytest.mark.parametrize("times", [1, 2, 9])
async def test_a_tool_that_is_tried_again_is_the_same_call(hub: Hub, times: int) -> None:
    failures = iter(range(times))

    @tool
    async def look(what: str) -> str:
        """Look."""
        if what == "it" and next(failures, None) is not None:
            raise ConnectionError("key 1234")
        return f"seen {what}"

    calls = [tool_chunk('{"what": "it"}', "c1", "look", 0), tool_chunk('{"what": "that"}', "c2", "look", 1)]
    model = Scripted(scripts=[calls, [tool_chunk('{"what": "it"}', "c3", "look")], ["Done."]])
    retry = ToolRetryMiddleware(max_retries=2, initial_delay=0, jitter=False)
    said = await told(hub, create_agent(model, [look], middleware=[retry]), ASKED)
    sound(said)

    def story(call: str) -> list[str]:
        return [
            event["type"].removeprefix("tool.")
            for event in said
            if event["type"].startswith("tool.") and event["call"] == call
        ]

    failed = ["started", "failed"]
    assert story("c1") == (failed * 3 if times == 9 else [*failed * times, "started", "finished"])
    assert story("c2") == ["started", "finished"]
    assert story("c3") == (failed * 3 if times == 9 else ["started", "finished"])
    assert {event["call"] for event in said if event["type"].startswith("tool.")} == {"c1", "c2", "c3"}


async def test_a_tool_whose_error_is_handed_to_a_middleware_is_tried_again_as_the_same_call(hub: Hub) -> None:
    @tool
    async def look(what: str) -> str:
        """Look."""
        if (tries := next(count)) == 0:
            raise ToolException("Not yet.")
        return f"seen at try {tries}"

    @wrap_tool_call
    async def twice(request: Any, handler: Any) -> Any:
        answer = await handler(request)
        return await handler(request) if answer.status == "error" else answer

    count = itertools.count()
    look.handle_tool_error = True
    model = Scripted(scripts=[[tool_chunk('{"what": "it"}', "c1", "look")], ["Done."]])
    said = await told(hub, create_agent(model, [look], middleware=[twice]), ASKED)
    sound(said)
    tools = [(event["type"], event["call"]) for event in said if event["type"].startswith("tool.")]
    assert tools == [("tool.started", "c1"), ("tool.failed", "c1"), ("tool.started", "c1"), ("tool.finished", "c1")]


async def test_data_of_a_stream_writer_also_of_a_subgraph_and_a_tool(hub: Hub) -> None:
    @tool
    async def look(what: str) -> str:
        """Look."""
        get_stream_writer()({"looked": what})
        return "seen"

    async def inner(state: MessagesState) -> dict[str, Any]:
        get_stream_writer()({"at": "inner"})
        return {"messages": []}

    async def outer(state: MessagesState) -> dict[str, Any]:
        get_stream_writer()("half")
        return {"messages": []}

    model = Scripted(scripts=[[tool_chunk('{"what": "it"}', "c1", "look")], ["Done."]])
    said = await told(hub, graph_of(outer=outer, inner=graph_of(inner=inner), agent=create_agent(model, [look])), ASKED)
    sound(said)
    found = [(event["name"], event["value"]) for event in only(said, "data")]
    assert found == [("custom", "half"), ("custom", {"at": "inner"}), ("custom", {"looked": "it"})]
    assert "data" not in [step["name"] for step in only(said, "step.started")]


async def test_data_with_an_id_says_which_data_it_replaces(hub: Hub) -> None:
    async def work(state: MessagesState) -> dict[str, Any]:
        for value in ({"id": 7, "n": 1}, {"id": "x" * 200}, {"id": None}, {"id": [7]}, "text"):
            get_stream_writer()(value)
        return {"messages": []}

    said = await told(hub, graph_of(work=work), ASKED)
    assert [event.get("id") for event in only(said, "data")] == ["7", "x" * 100, None, None, None]


async def test_a_tool_that_hands_over_says_what_its_message_says(hub: Hub) -> None:
    @tool
    async def hand_over(tool_call_id: Annotated[str, InjectedToolCallId]) -> Command[str]:
        """Hand over."""
        return Command(update={"messages": [ToolMessage("Handed over.", tool_call_id=tool_call_id)]})

    model = Scripted(scripts=[[tool_chunk("{}", "c1", "hand_over")], ["Done."]])
    said = await told(hub, create_agent(model, [hand_over]), ASKED)
    assert [event["output"] for event in only(said, "tool.finished")] == ["Handed over."]


async def test_messages_carry_the_name_of_their_agent(hub: Hub) -> None:
    async def work(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await says("found").ainvoke(state["messages"]), AIMessage("fixed")]}

    named = create_agent(says("written"), [], name="writer")

    @tool
    async def ask_expert(question: str) -> str:
        """Ask."""
        return str((await says("advised").ainvoke(question)).text)

    boss = create_agent(Scripted(scripts=[[tool_chunk('{"question": "?"}', "c1", "ask_expert")], ["so"]]), [ask_expert])
    said = await told(hub, graph_of(plain=work, researcher=graph_of(work=work), writing=named, boss=boss), ASKED)
    sound(said)
    names = [message.get("name") for message in only(said, "message.started")]
    assert list(zip(names, answers(said), strict=True)) == [
        (None, "found"), (None, "fixed"), ("researcher", "found"), ("researcher", "fixed"), ("writer", "written"),
        ("boss", ""), ("ask_expert", "advised"), ("boss", "so"),
    ]  # fmt: skip


async def test_the_result_of_an_entrypoint_is_the_answer(hub: Hub) -> None:
    @task
    async def work(question: str) -> str:
        return f"About {question}"

    @entrypoint()
    async def flow(question: str) -> str:
        return await work(question)

    said = await told(hub, flow, "rain")
    sound(said)
    assert answers(said) == ["About rain"]


async def test_a_chain_that_answers_otherwise_than_its_model(hub: Hub) -> None:
    said = await told(hub, says('{"to": "refund"}') | JsonOutputParser() | RunnableLambda(lambda _: "On its way."))
    sound(said)
    assert answers(said) == ['{"to": "refund"}', "On its way."]


async def test_a_hidden_model_is_heard_when_its_message_is_in_the_state(hub: Hub) -> None:
    quiet = says("It is 3.").with_config(tags=["nostream"])

    async def model(state: MessagesState) -> dict[str, Any]:
        await says("secret").with_config(tags=["nostream"]).ainvoke("?")
        return {"messages": [await quiet.ainvoke(state["messages"])]}

    said = await told(hub, graph_of(model=model), ASKED)
    assert answers(said) == ["It is 3."]


@tool
def add(a: int) -> str:
    """Add."""
    return f"{a}"


@tool
def subtract(a: int) -> str:
    """Subtract."""
    return f"{-a}"


async def test_model_calls_of_middleware_are_not_part_of_the_answer(hub: Hub) -> None:
    selects = [[tool_chunk('{"tools": ["add"]}', "c0", "ToolSelectionResponse")]] * 2
    agent = create_agent(
        Scripted(scripts=[[tool_chunk('{"a": 1}', "c1", "add")], ["It is 3."]]),
        [add, subtract],
        middleware=[
            SummarizationMiddleware(
                Scripted(scripts=[["A summary."]] * 2), trigger=("messages", 3), keep=("messages", 1)
            ),
            LLMToolSelectorMiddleware(model=Scripted(scripts=selects), max_tools=1),
            LLMToolEmulator(model=says("Emulated.")),
        ],
    )
    past = [HumanMessage("Hello"), AIMessage("Hello to you"), HumanMessage("1 + 2?")]
    said = await told(hub, agent, {"messages": past})
    sound(said)
    assert answers(said) == ["", "It is 3."]
    assert [event["tool"] for event in only(said, "block.finished") if event["kind"] == "tool_call"] == ["add"]
