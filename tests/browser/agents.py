"""Agents of LangChain and LangGraph that ask people in every shape, and show data. Their models are scripted."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import interrupt
from pydantic import BaseModel, Field

from tidings import Assistant

HTML = "<img src=x onerror=alert(1)><b>bold</b>"


@tool
def find_order(number: int) -> str:
    """Find an order."""
    get_stream_writer()({"title": f"Order {number}", "article": HTML, "page": "https://example.com/4711"})
    return "found"


@tool
def refund(number: int, amount: float) -> str:
    """Refund an order."""
    return f"refunded {amount:g} for {number}"


@tool
def send(to: str) -> str:
    """Send a message."""
    return f"sent to {to}"


class Script(BaseChatModel):
    """A model that asks for these tools, one turn after the other, and then says what came of the last."""

    turns: list[list[tuple[str, dict[str, Any]]]]

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        asked = max(n for n, message in enumerate(messages) if isinstance(message, HumanMessage))
        turn = sum(isinstance(message, AIMessage) for message in messages[asked:])
        last = [message.text for message in messages[asked:] if message.type == "tool"]
        calls = self.turns[turn] if turn < len(self.turns) else []
        wanted = [{"name": name, "args": args, "id": f"{asked}.{turn}.{n}"} for n, (name, args) in enumerate(calls)]
        says = "Let me see." if calls else f"Done: {'; '.join(last)}"
        return ChatResult(generations=[ChatGeneration(message=AIMessage(says, tool_calls=wanted))])


REFUND = ("refund", {"number": 4711, "amount": 49.5})


def support() -> Any:
    """Make an agent whose middleware asks before it refunds."""
    review = HumanInTheLoopMiddleware({"refund": {"allowed_decisions": ["approve", "edit", "reject"]}})
    model = Script(turns=[[("find_order", {"number": 4711})], [REFUND]])
    return create_agent(model, [find_order, refund], middleware=[review], name="support")


def both() -> Any:
    """Make an agent that asks about two calls at once."""
    review = HumanInTheLoopMiddleware({"refund": True, "send": True})
    model = Script(turns=[[REFUND, ("send", {"to": "ann"})]])
    return create_agent(model, [refund, send], middleware=[review])


def each() -> Any:
    """Make an agent that asks about each of two calls by itself, with the schema of the tool."""
    review = HumanInTheLoopMiddleware({"refund": True, "send": True}, interrupt_mode="per_call")
    model = Script(turns=[[REFUND, ("send", {"to": "ann"})]])
    return create_agent(model, [refund, send], middleware=[review])


class Trip(BaseModel):
    city: str = Field(title="City", description=HTML, min_length=3)
    nights: int = Field(ge=1, le=14)
    window: bool = False


def trip() -> Any:
    """Make a graph that asks for a model of pydantic, in a subgraph, and then for anything."""

    def ask(state: MessagesState) -> Any:
        found = interrupt({"question": "Where to?", "budget": 100}, response_schema=Trip)
        sure = interrupt(f"{found.city} for {found.nights} nights?")
        if sure is not True and sure is not False:
            raise ValueError("yes or no")
        return {"messages": [AIMessage(f"Booked: {found.city}" if sure else "Not booked")]}

    planner = StateGraph(MessagesState)
    planner.add_node("ask", ask)
    planner.add_edge(START, "ask")
    desk = StateGraph(MessagesState)
    desk.add_node("planner", planner.compile())
    desk.add_edge(START, "planner")
    return desk.compile()


def hostile() -> Any:
    """Make a graph whose questions and data are made to harm a page."""
    deep: Any = {"type": "string"}
    for _ in range(40):
        deep = {"type": "object", "title": HTML, "properties": {"__proto__": deep}}
    fields = {f"f{n}": {"type": "string"} for n in range(1000)}
    schema = {
        "type": "object",
        "title": HTML,
        "properties": {
            "many": {"type": "object", "title": HTML, "properties": fields},
            "deep": deep,
            "choice": {"enum": [f"option {n}" for n in range(3000)]},
            "pattern": {"type": "string", "pattern": "^(a+)+$", "default": "a" * 40 + "!"},
        },
    }

    def ask(state: MessagesState) -> Any:
        write = get_stream_writer()
        write({"title": HTML, "link": "javascript:alert(1)", "html": HTML, **{f"k{n}": n for n in range(1000)}})
        for n in range(300):
            write(f"step {n} {HTML}")
        write([{"a": HTML, "b": "x" * 5000}] * 1000)
        answer = interrupt({"question": f"[link](javascript:alert(1)) {HTML}"}, response_schema=schema)
        return {"messages": [AIMessage(f"Got {answer['pattern']}")]}

    builder = StateGraph(MessagesState)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    return builder.compile()


def team() -> dict[str, Any]:
    """The assistants of the test server, the default first."""
    return {
        "support": Assistant(support(), "Support", "Refunds what you want.", ["Refund 4711", "And 4712?"], icon="S"),
        "both": both(),
        "each": each(),
        "trip": trip(),
        "hostile": hostile(),
    }
