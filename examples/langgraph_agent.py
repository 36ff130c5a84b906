"""An agent with a tool as a run: every step, tool call and word is a durable event that anybody may follow.

    python examples/langgraph_agent.py

It needs `tidings[langchain]`. The model is scripted, so that the example runs without a key. A real model is
init_chat_model("openai:gpt-5-mini").
"""

import asyncio
import os
from typing import Any

from langchain_core.language_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from tidings import Hub


@tool
def stock(article: str) -> int:
    """Return the number of an article's pieces in stock."""
    return {"lamp": 3}.get(article, 0)


SCRIPT = [
    AIMessage("", tool_calls=[{"name": "stock", "args": {"article": "lamp"}, "id": "call-1"}]),
    AIMessage("There are three lamps left."),
]


def agent() -> Any:
    model = FakeMessagesListChatModel(responses=SCRIPT)

    async def think(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("think", think)
    graph.add_node("tools", ToolNode([stock]))
    graph.add_edge(START, "think")
    graph.add_conditional_edges("think", tools_condition)
    graph.add_edge("tools", "think")
    return graph.compile()


async def main() -> None:
    async with Hub(os.environ.get("STORE", "memory:")) as hub:
        run = await hub.runs.start(agent(), {"messages": [{"role": "user", "content": "How many lamps are left?"}]})
        async for event in run.events():
            print(event.offset, event.type, event.data)


if __name__ == "__main__":
    asyncio.run(main())
