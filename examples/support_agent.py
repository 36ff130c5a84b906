"""An agent in the page: it shows an order as a card, and asks a person before it refunds.

    cd examples && tidings serve --assistant support_agent:support

It needs `tidings[server,langchain]`. The model is scripted, so that the example runs without a key. A real model is
init_chat_model("openai:gpt-5-mini").
"""

from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.config import get_stream_writer

from tidings import Assistant


@tool
def find_order(number: int) -> str:
    """Find an order."""
    get_stream_writer()({"title": f"Order {number}", "article": "Desk lamp", "price": "49 EUR", "state": "delivered"})
    return "a desk lamp for 49 EUR, delivered"


@tool
def refund(number: int, amount: float) -> str:
    """Refund an order."""
    return f"refunded {amount:.0f} EUR for order {number}"


class Script(BaseChatModel):
    """A model that always finds order 4711, wants to refund it, and says what came of it."""

    @property
    def _llm_type(self) -> str:
        return "script"

    def bind_tools(self, tools: Any, **options: Any) -> "Script":
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **options: Any) -> ChatResult:
        asked = max(n for n, message in enumerate(messages) if isinstance(message, HumanMessage))
        done = [message for message in messages[asked:] if message.type == "tool"]
        calls = [("find_order", {"number": 4711}), ("refund", {"number": 4711, "amount": 49.0})]
        says = ["I look the order up.", "It may be refunded.", f"The last step: {done[-1].text if done else ''}."]
        wanted = [{"name": name, "args": args, "id": f"{asked}.{name}"} for name, args in calls[len(done) :][:1]]
        return ChatResult(generations=[ChatGeneration(message=AIMessage(says[len(done)], tool_calls=wanted))])


review = HumanInTheLoopMiddleware({"refund": {"allowed_decisions": ["approve", "edit", "reject"]}})
agent = create_agent(Script(), [find_order, refund], middleware=[review], name="support")
prompts = ["Refund order 4711", "What did order 4711 cost?"]
support = Assistant(agent, "Support", "Finds orders, and refunds them if you agree.", prompts, icon="S")
