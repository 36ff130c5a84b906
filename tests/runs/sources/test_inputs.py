"""The input that a runnable gets for a conversation, by what it says that it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph

from tidings.errors import InvalidRequest
from tidings.runs.sources.inputs import input_maker

MESSAGES = [
    {"role": "user", "content": "1?"},
    {"role": "assistant", "content": "1."},
    {"role": "user", "content": "2?"},
]
MODEL = FakeListChatModel(responses=["Yes."])


class Asking(TypedDict):
    question: str
    context: list[str]
    answer: str


class Topic(TypedDict):
    subject: str
    count: int


class Two(TypedDict):
    left: str
    right: str


@dataclass
class Talk:
    messages: list[Any]


def graph(state: Any, **options: Any) -> Any:
    builder = StateGraph(state, **options)
    builder.add_node("one", lambda state: {})
    builder.add_edge(START, "one")
    return builder.compile()


@entrypoint()
def of_messages(messages: list[Any]) -> str:
    return ""


@entrypoint()
def of_text(question: str) -> str:
    return ""


@pytest.mark.parametrize(
    ("runnable", "given"),
    [
        (graph(MessagesState), {"messages": MESSAGES}),
        (graph(Talk), {"messages": MESSAGES}),
        (graph(Asking), {"question": "2?"}),
        (graph(Asking, input_schema=Topic), {"subject": "2?"}),
        (of_messages, MESSAGES),
        (of_text, "2?"),
        (MODEL, MESSAGES),
        (ChatPromptTemplate.from_template("About {topic}") | MODEL, {"topic": "2?"}),
        (RunnableLambda(lambda given: given), MESSAGES),
        (lambda given: given, MESSAGES),
    ],
)
def test_a_runnable_gets_the_question_as_it_takes_it(runnable: Any, given: Any) -> None:
    assert input_maker("x", runnable)(MESSAGES) == given


@pytest.mark.parametrize(
    "runnable",
    [
        graph(Two),
        ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("user", "{question}")]) | MODEL,
        ChatPromptTemplate.from_template("{left} {right}") | MODEL,
    ],
)
def test_an_input_that_cannot_be_guessed_is_asked_for(runnable: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"The input of the assistant x is an object of .* input=lambda messages"):
        input_maker("x", runnable)


def test_a_schema_that_cannot_be_made_is_none() -> None:
    class Broken:
        def get_input_jsonschema(self) -> Any:
            raise TypeError("no schema")

    class Strange:
        def get_input_jsonschema(self) -> Any:
            return True

    for runnable in (Broken(), Strange()):
        assert input_maker("x", runnable)(MESSAGES) == MESSAGES
