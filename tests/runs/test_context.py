"""Runs that are started inside an outer run of LangChain, LangGraph or LangSmith, and end on their own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextvars import ContextVar
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from unittest.mock import Mock

import httpx
import langsmith
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langsmith.middleware import TracingMiddleware
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.runs.scripted import Said, says, sound, story, text
from tidings import Hub

ANSWER = "an inner answer"
TENANT: ContextVar[str] = ContextVar("tenant", default="nobody")


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


async def inner(hub: Hub, **options: Any) -> list[Said]:
    """The story of a run of a graph that answers, started here."""

    async def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await says("an inner", " answer").ainvoke(state["messages"])]}

    return await story(await hub.runs.start(one_node(speak), {"messages": [HumanMessage("?")]}, **options))


def one_node(work: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("work", work)
    graph.add_edge(START, "work")
    graph.add_edge("work", END)
    return graph.compile()


def check(said: list[Said]) -> None:
    sound(said)
    assert text(said) == ANSWER
    assert said[-1]["outcome"] == "success"


@pytest.mark.parametrize("pass_config", [False, True], ids=["inherited", "passed on"])
async def test_a_run_started_in_a_node_of_a_graph(hub: Hub, pass_config: bool) -> None:
    found: list[list[Said]] = []

    async def work(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        found.append(await inner(hub, **({"config": config} if pass_config else {})))
        return {"messages": [AIMessage("outer")]}

    asked: Any = {"messages": [HumanMessage("?")]}
    streamed = [chunk async for chunk in one_node(work).astream(asked, stream_mode="messages")]
    assert [message.content for message, _ in streamed] == ["outer"], "the outer run has its own words only"
    check(found[0])
    outer = await story(await hub.runs.start(one_node(work), asked))
    assert text(outer) == "outer"
    check(found[1])


async def test_a_run_started_in_a_lambda_or_in_a_tool(hub: Hub) -> None:
    found: list[list[Said]] = []

    @tool
    async def look(what: str) -> str:
        """Look."""
        found.append(await inner(hub))
        return "seen"

    async def work(given: Any) -> str:
        found.append(await inner(hub))
        return str(await look.ainvoke({"what": "it"}))

    events = [event async for event in RunnableLambda(work).astream_events("?", version="v2")]
    assert not [event for event in events if "chat_model" in event["event"]]
    assert len(found) == 2
    for said in found:
        check(said)


async def test_a_generator_that_calls_a_model_keeps_its_text_to_itself(hub: Hub) -> None:
    async def answer(question: str) -> AsyncIterator[str]:
        async for chunk in says("an inner", " answer").astream(question):
            yield chunk.text

    async def work(given: Any) -> str:
        check(await story(await hub.runs.start(answer, "?")))
        return "done"

    events = [event async for event in RunnableLambda(work).astream_events("?", version="v2")]
    assert not [event for event in events if "chat_model" in event["event"]]


async def test_a_run_started_in_a_traced_function(hub: Hub) -> None:
    client = Mock(spec=langsmith.Client)

    @langsmith.traceable(client=client)
    async def endpoint() -> list[Said]:
        said = await inner(hub)
        tree = langsmith.get_current_run_tree()
        assert tree is not None
        assert tree.child_runs == []
        return said

    with langsmith.tracing_context(enabled=True, client=client):
        check(await endpoint())
    created = [call.kwargs for call in client.create_run.call_args_list]
    assert "endpoint" in [run["name"] for run in created]
    graphs = [run for run in created if run["name"] == "LangGraph"]
    assert [run.get("parent_run_id") for run in graphs] == [None], "a trace of its own"


async def test_a_run_started_behind_langsmiths_middleware(hub: Hub) -> None:
    found: list[list[Said]] = []

    async def endpoint(request: Request) -> JSONResponse:
        assert langsmith.get_current_run_tree() is not None
        found.append(await inner(hub))
        return JSONResponse({})

    app = TracingMiddleware(Starlette(routes=[Route("/", endpoint)]))
    trace = "20240101T000000000000Z0d6e0f8c-6b2a-4f3c-9d7e-1a2b3c4d5e6f"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app") as client:
        assert (await client.get("/", headers={"langsmith-trace": trace})).status_code == 200
    check(found[0])


async def test_the_apps_own_context_reaches_the_model(hub: Hub) -> None:
    async def work(given: Any) -> str:
        async def whose(_: Any) -> str:
            return TENANT.get()

        TENANT.set("ann")
        said = await story(await hub.runs.start(RunnableLambda(whose), "?"))
        return text(said)

    assert await RunnableLambda(work).ainvoke("?") == "ann"


async def test_the_config_of_a_caller_keeps_what_is_the_callers_own(hub: Hub) -> None:
    async def thread(_: Any, config: RunnableConfig) -> str:
        return f"{config['configurable']['thread_id']} {config['tags']}"

    config = {"configurable": {"thread_id": "mine"}, "tags": ["a"]}
    said = await story(await hub.runs.start(RunnableLambda(thread), "?", config=config))
    assert text(said) == "mine ['a']"


async def test_a_run_that_starts_while_a_thread_imports_langsmith(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first answer of a server may begin while another thread loads the model's library."""
    half = ModuleType("langsmith.run_helpers")
    half.__spec__ = ModuleSpec("langsmith.run_helpers", None)
    half.__spec__._initializing = True  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "langsmith.run_helpers", half)

    async def speak(question: str) -> AsyncIterator[str]:
        yield ANSWER

    check(await story(await hub.runs.start(speak, "?")))
