"""Graphs that stop with a question: asked, answered, asked again; and never a run that looks finished."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel

from tests.runs.scripted import Said, Scripted, only, sound, story, text, told, tool_chunk
from tidings import Hub
from tidings.runs.sources.questions import is_invalid_answer

ASKED: Any = {"messages": [{"role": "user", "content": "1 + 2?"}]}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


def graph_of(work: Any, **options: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    graph.add_edge("work", END)
    return graph.compile(**{"checkpointer": InMemorySaver(), **options})


async def talked(hub: Hub, graph: Any, answer: Callable[[Said, int], Any], input: Any = ASKED) -> list[Said]:
    """The story of a run whose questions are answered by `answer`, which is given the question and its number."""
    run = await hub.runs.start(graph, input)
    asked = 0
    async for event in run.events():
        if event.type == "input.requested":
            asked += 1
            question = json.loads(event.data)
            await hub.runs.answer(run.id, question["request"], answer(question, asked))
    said = await story(run)
    sound(said)
    return said


async def test_two_questions_of_one_node_are_two(hub: Hub) -> None:
    async def ask(state: MessagesState) -> dict[str, Any]:
        name, age = interrupt("Your name?"), interrupt("Your age?")
        return {"messages": [AIMessage(f"{name} is {age}.")]}

    replies = {"Your name?": "Ada", "Your age?": "36"}
    said = await talked(hub, graph_of(ask), lambda question, _: replies[question["value"]])
    assert [event["value"] for event in only(said, "input.requested")] == ["Your name?", "Your age?"]
    assert len({event["request"] for event in only(said, "input.requested")}) == 2
    assert text(said) == "Ada is 36."


async def test_a_node_that_asks_until_the_answer_is_good(hub: Hub) -> None:
    async def ask(state: MessagesState) -> dict[str, Any]:
        question = "How old?"
        while not str(age := interrupt(question)).isdigit():
            question = f"{age} is no number."
        return {"messages": [AIMessage(f"You are {age}.")]}

    said = await talked(hub, graph_of(ask), lambda _, n: ["old", "very", "36"][n - 1])
    questions = [event["value"] for event in only(said, "input.requested")]
    assert questions == ["How old?", "old is no number.", "very is no number."]
    assert text(said) == "You are 36."


async def test_each_question_is_told_once_and_not_again_when_its_answer_did_not_fit(hub: Hub) -> None:
    asked: list[tuple[str, str]] = []

    async def on_request(run: str, request: str) -> None:
        asked.append((run, request))

    hub.runs.on_request = on_request
    graph = graph_of(lambda state: {"messages": [AIMessage(str(interrupt("Age?", response_schema=Age)))]})
    said = await talked(hub, graph, lambda _, n: ["old", {"years": 36}][n - 1])
    first, again = only(said, "input.requested")
    assert again["error"]
    assert asked == [(f"{run}", first["request"]) for run in {run for run, _ in asked}]


async def test_questions_of_nodes_side_by_side(hub: Hub) -> None:
    graph = StateGraph(MessagesState)
    for name in ("a", "b"):
        graph.add_node(name, lambda state, name=name: {"messages": [AIMessage(f"{name}{interrupt(name)} ")]})
        graph.add_edge(START, name)
    said = await talked(hub, graph.compile(checkpointer=InMemorySaver()), lambda question, _: question["value"] * 2)
    assert sorted(text(said).split()) == ["aaa", "bbb"]
    assert len(only(said, "input.requested")) == 2


async def test_a_question_of_a_subgraph_whose_answer_was_not_taken_is_asked_again(hub: Hub) -> None:
    """The answer that failed is saved with the subgraph's own state, and taken back there."""

    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"You are {int(interrupt('Age?'))}.")]}

    said = await talked(hub, graph_of(graph_of(ask, checkpointer=None)), lambda _, n: ["old", "36"][n - 1])
    assert [event.get("error") is None for event in only(said, "input.requested")] == [True, False]
    assert text(said) == "You are 36."


def test_no_answer_is_blamed_without_langgraph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langgraph.errors", None)
    assert not is_invalid_answer(ValueError("no"))


class Age(BaseModel):
    years: int


async def test_an_answer_against_the_schema_is_asked_for_again(hub: Hub) -> None:
    calls: list[int] = []

    async def ask(state: MessagesState) -> dict[str, Any]:
        calls.append(1)
        age = interrupt("How old?", response_schema=Age)
        return {"messages": [AIMessage(f"You are {age.years}.")]}

    said = await talked(hub, graph_of(ask), lambda _, n: {"years": "old"} if n == 1 else {"years": 36})
    first, second = only(said, "input.requested")
    assert first["schema"]["properties"]["years"]["type"] == "integer"
    assert (second["value"], "error" in first) == ("How old?", False)
    assert second["error"] == "The answer was not in the form that the question needs."
    assert text(said) == "You are 36."


async def test_a_malformed_decision_about_a_tool_is_asked_for_again(hub: Hub) -> None:
    done: list[str] = []

    @tool
    async def delete(name: str) -> str:
        """Delete."""
        done.append(name)
        return "deleted"

    model = Scripted(scripts=[["Let me.", tool_chunk('{"name": "x"}', "c1", "delete")], ["Done."]])
    agent = create_agent(
        model, [delete], middleware=[HumanInTheLoopMiddleware({"delete": True})], checkpointer=InMemorySaver()
    )
    good = {"decisions": [{"type": "approve"}]}
    replies = ["yes", {"decisions": []}, {"decisions": [{"type": "dance"}]}, None, good]
    said = await talked(hub, agent, lambda _, n: replies[n - 1])
    assert len(only(said, "input.requested")) == 5
    assert [event.get("error") is None for event in only(said, "input.requested")] == [True, *[False] * 4]
    assert done == ["x"]
    assert text(said) == "Let me.Done."
    assert model.calls == 2, "nothing is lost, and nothing is done twice"


async def test_a_tool_that_asks_for_a_form_is_one_tool(hub: Hub) -> None:
    @tool
    async def confirm(what: str) -> str:
        """Ask."""
        return f"{what}: {interrupt('How old?', response_schema=Age).years}"

    model = Scripted(scripts=[[tool_chunk('{"what": "it"}', "c1", "confirm")], ["Done."]])
    agent = create_agent(model, [confirm], checkpointer=InMemorySaver())
    said = await talked(hub, agent, lambda _, n: "old" if n == 1 else {"years": 36})
    assert [tool["output"] for tool in only(said, "tool.finished")] == ["it: 36"]
    assert len(only(said, "tool.started")) == 1


async def test_an_error_after_the_answer_that_is_no_fault_of_the_answer_fails_the_run(hub: Hub) -> None:
    async def ask(state: MessagesState) -> dict[str, Any]:
        interrupt("Really?")
        raise ConnectionError("secret")

    said = await talked(hub, graph_of(ask), lambda _, n: "yes")
    assert (said[-1]["type"], said[-1]["code"]) == ("run.failed", "connection")


@pytest.mark.parametrize("when", ["interrupt_before", "interrupt_after"])
async def test_a_breakpoint_asks_whether_to_go_on(hub: Hub, when: str) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("first", lambda state: {"messages": [AIMessage("One. ")]})
    graph.add_node("second", lambda state: {"messages": [AIMessage("Two.")]})
    graph.add_edge(START, "first")
    graph.add_edge("first", "second")
    options: Any = {when: ["second" if when == "interrupt_before" else "first"], "checkpointer": InMemorySaver()}
    said = await talked(hub, graph.compile(**options), lambda *_: True)
    assert [event["value"] for event in only(said, "input.requested")] == [{"next": ["second"]}]
    assert text(said) == "One. Two."
    assert said[-1]["outcome"] == "success"


def asking(**options: Any) -> Any:
    async def ask(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(f"You said {interrupt('Really?')}.")]}

    return graph_of(ask, **options)


@pytest.mark.parametrize(
    "chain",
    [
        lambda: asking() | RunnableLambda(lambda state: "parsed"),
        lambda: RunnableLambda(lambda given: given) | asking(),
        lambda: RunnableLambda(lambda given: given) | asking() | RunnableLambda(lambda state: "parsed"),
        lambda: asking(interrupt_before=["work"]) | RunnableLambda(lambda state: "parsed"),
    ],
    ids=["parsed", "prepared", "both", "breakpoint"],
)
async def test_a_graph_in_a_chain_that_asks_is_not_finished(hub: Hub, chain: Any) -> None:
    said = await told(hub, chain(), ASKED, config={"configurable": {"thread_id": "t"}})
    assert (said[-1]["type"], said[-1]["code"]) == ("run.failed", "invalid_request")
    assert "within a chain" in said[-1]["message"]
