"""The tool that reads process maps, called by an agent whose model is scripted: ten questions with known answers."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool

import tidings
from tidings.assistants.processes import process_map_tool
from tidings.server.app import create_app
from tidings.server.settings import Settings

HOUR = 3600
LOG = [  # case, activity, hours since the first of May 2024
    ("o1", "ordered", 0),
    ("o1", "paid", 1),
    ("o1", "sent", 49),
    ("o2", "ordered", 2),
    ("o2", "paid", 5),
    ("o2", "sent", 29),
    ("o3", "ordered", 3),
    ("o3", "checked", 4),
    ("o3", "paid", 6),
    ("o4", "ordered", 10),
    ("o4", "paid", 11),
    ("o5", "ordered", 20),
]
FIRST = 1714521600
ROWS = [{"case": case, "activity": activity, "timestamp": FIRST + hours * HOUR} for case, activity, hours in LOG]

Asked = tuple[str, dict[str, str], str, str]
QUESTIONS: list[Asked] = [
    # the question, the call of the model, what it takes from the result, the answer
    ("Which processes are there?", {"view": "processes"}, r'"processes":\["(\w+)"', "orders"),
    ("How many orders are there?", {"view": "overview"}, r'"cases":(\d+),"variants"', "5"),
    ("How many ways do orders take?", {"view": "variants"}, r'"variants":(\d+)', "4"),
    ("Where do orders wait longest?", {"view": "waiting"}, r'"waiting":\[\{"activity":"(\w+)"', "paid"),
    ("How many orders wait there?", {"view": "waiting"}, r'"activity":"paid","open_cases":(\d+)', "2"),
    ("Which step takes longest?", {"view": "slowest"}, r'"steps":\[\{"from":"(\w+)","to":"sent"', "paid"),
    ("How long does sending take on average?", {"view": "slowest"}, r'"to":"sent",[^}]*"mean":([\d.]+)', "129600.0"),
    ("How often is an order paid at once?", {"view": "frequent"}, r'"from":"ordered","to":"paid","events":(\d+)', "3"),
    (
        "Which order was sent slowest?",
        {"view": "cases", "from_activity": "paid", "to_activity": "sent"},
        r'"cases":\[\{"case":"(\w+)"',
        "o1",
    ),
    ("What came last in order o3?", {"view": "case", "case": "o3"}, r'.*"activity":"(\w+)"', "paid"),
]


class Asking(BaseChatModel):
    """A model that calls the tool as the script says, and answers with what it takes from the tool's result."""

    call: dict[str, str]
    takes: str

    @property
    def _llm_type(self) -> str:
        return "asking"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            found = re.search(self.takes, str(last.content))
            answer = AIMessage(found[1] if found else f"The map does not say: {last.content}")
        else:
            args = {"process": "orders", **self.call}
            call = {"name": "read_process_map", "args": args, "id": "1", "type": "tool_call"}
            answer = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=answer)])


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(store="memory:", metrics=False))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            lines = "\n".join(json.dumps({"data": row}) for row in ROWS)
            headers = {"content-type": "application/x-ndjson"}
            (await client.post("/topics/process.orders/events", content=lines, headers=headers)).raise_for_status()
            yield client


@pytest.fixture(scope="module")
def reader(server: httpx.AsyncClient) -> BaseTool:
    return process_map_tool(client=server)


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("question", "call", "takes", "answer"), QUESTIONS, ids=[asked[0] for asked in QUESTIONS])
async def test_a_question_has_the_answer_of_the_map(
    reader: BaseTool, question: str, call: dict[str, str], takes: str, answer: str
) -> None:
    agent: Any = create_agent(Asking(call=call, takes=takes), [reader])
    said = (await agent.ainvoke({"messages": [HumanMessage(question)]}))["messages"]
    assert said[-1].text == answer


async def test_every_figure_of_the_tool_is_one_of_the_map(reader: BaseTool, server: httpx.AsyncClient) -> None:
    whole = (await server.get("/processes/orders")).json()
    edges = {(edge["from"], edge["to"]): edge for edge in whole["edges"]}
    for view in ("slowest", "frequent"):
        found = json.loads(await reader.ainvoke({"view": view, "process": "process.orders"}))
        assert {(step["from"], step["to"]): step for step in found["steps"]} == edges
        assert (found["events"], found["cases"], found["of"]) == (12, 5, 4)
    overview = json.loads(await reader.ainvoke({"view": "overview", "process": "orders"}))
    assert {one["activity"]: one["events"] for one in overview["activities"]} == {
        one["activity"]: one["events"] for one in whole["activities"]
    }
    assert (overview["start"], overview["end"]) == (whole["start"], whole["end"])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ({"view": "overview", "process": "nothing"}, "There is no process nothing."),
        ({"view": "overview"}, "Name a process."),
        ({"view": "overview", "process": "../topics"}, "Name a process."),
        ({"view": "cases", "process": "orders"}, "Name the activity"),
        ({"view": "cases", "process": "orders", "to_activity": "x"}, "no such activity"),
        ({"view": "case", "process": "orders"}, "Name the case."),
        ({"view": "case", "process": "orders", "case": "a/b?"}, "no such case"),
    ],
)
async def test_unreadable_figures_are_told_in_a_sentence(reader: BaseTool, call: dict[str, str], says: str) -> None:
    found = await reader.ainvoke(call)
    assert says in found
    assert "{" not in found


async def test_conformance_and_waiting_cases_can_be_read(reader: BaseTool, server: httpx.AsyncClient) -> None:
    (await server.put("/processes/orders/reference", json={"above": 0.3})).raise_for_status()
    found = json.loads(await reader.ainvoke({"view": "conformance", "process": "orders"}))
    assert (found["cases"], found["conforming"]) == (5, 4)
    assert [(one["kind"], one["to"]) for one in found["deviations"]] == [("activity", "checked")]
    waiting = json.loads(await reader.ainvoke({"view": "cases", "process": "orders", "to_activity": "paid"}))
    assert [one["case"] for one in waiting["cases"]] == ["o3", "o4"]


async def test_a_server_that_does_not_answer_is_said() -> None:
    assert await tidings.process_map_tool("http://127.0.0.1:9", "t").ainvoke({"view": "processes"}) == (
        "The server does not answer."
    )
