"""Assistants by name, and their runnables, which are made once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import Field

from tests.runs.scripted import Scripted
from tidings import Assistant
from tidings.errors import InvalidRequest, NotFound
from tidings.runs.assistant import NamedAssistant, choose, is_runnable, named

MODEL = FakeListChatModel(responses=["Yes."])
QUESTION = [{"role": "user", "content": "1?"}]


async def words(_: Any) -> AsyncIterator[str]:
    yield "words"


class Talker:
    async def __call__(self, _: Any) -> AsyncIterator[str]:
        yield "words"


class Ready(FakeListChatModel):
    responses: list[str] = Field(default_factory=list)


def assistant(name: str, runnable: Any = MODEL) -> NamedAssistant:
    return NamedAssistant(name, Assistant(runnable))


async def runnable_of(one: NamedAssistant) -> Any:
    return (await one.ask(QUESTION))[0]


async def test_a_runnable_is_made_once_in_a_thread_however_many_ask() -> None:
    threads: list[int] = []

    def make() -> object:
        threads.append(threading.get_ident())
        return FakeListChatModel(responses=[])

    made = assistant("echo", make)
    runnables = await asyncio.gather(*(runnable_of(made) for _ in range(5)))
    assert len(set(map(id, runnables))) == 1
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_a_runnable_that_could_not_be_made_is_tried_again() -> None:
    results: list[Any] = [MODEL, OSError("no model")]

    def make() -> Any:
        if isinstance(result := results.pop(), OSError):
            raise result
        return result

    made = assistant("echo", make)
    with pytest.raises(OSError, match="no model"):
        await made.load()
    assert await runnable_of(made) is MODEL


async def test_an_assistant_that_cannot_be_made_fails_in_the_run() -> None:
    def make() -> Any:
        raise OSError("no model")

    failing, given = await assistant("echo", make).ask(QUESTION)
    with pytest.raises(OSError, match="no model"):
        await anext(failing(given))


async def test_a_runnable_is_made_by_functions_of_both_kinds() -> None:
    async def make() -> Any:
        return MODEL

    assert await runnable_of(assistant("one", make)) is MODEL
    assert await runnable_of(assistant("two", lambda: MODEL)) is MODEL
    assert await runnable_of(assistant("three", lambda: words)) is words
    assert type(await runnable_of(assistant("four", partial(FakeListChatModel, responses=[])))) is FakeListChatModel
    with pytest.raises(InvalidRequest, match=r"The assistant five is made as a value of the type int"):
        await assistant("five", lambda: 5).load()


@pytest.mark.parametrize("runnable", [MODEL, words, Talker(), partial(words), lambda: MODEL, Ready])
def test_every_kind_of_runnable_is_accepted(runnable: Any) -> None:
    assert is_runnable(runnable)


@pytest.mark.parametrize(
    ("runnable", "says"),
    [
        (5, "a value of the type int"),
        ("openai:gpt-5", "a value of the type str"),
        (None, "a value of the type NoneType"),
        (lambda messages: "x", "the function <lambda>"),
        ([MODEL], "a value of the type list"),
        (Scripted, "the class Scripted"),
    ],
)
def test_an_invalid_runnable_is_refused_with_the_valid_kinds(runnable: Any, says: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^{says} is no assistant. The runnable is a LangChain runnable or graph"):
        Assistant(runnable)


async def test_a_graph_that_has_no_memory_gets_one_for_each_run() -> None:
    builder = StateGraph(MessagesState)
    builder.add_node("one", lambda state: {})
    builder.add_edge(START, "one")
    graph = builder.compile()
    made = assistant("graph", graph)
    first, second = [await runnable_of(made) for _ in range(2)]
    assert graph.checkpointer is None
    assert first.checkpointer is not second.checkpointer
    assert await made.ask(QUESTION) != (graph, QUESTION)
    assert (await made.ask(QUESTION))[1] == {"messages": QUESTION}
    for other in (False, first.checkpointer):
        kept = builder.compile(checkpointer=other)
        assert await runnable_of(assistant("kept", kept)) is kept


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"title": 5}, "The title is text"),
        ({"title": "x" * 61}, "The title has at most 60"),
        ({"description": "x" * 501}, "The description has at most 500"),
        ({"prompts": "What?"}, "`prompts` is a list of texts"),
        ({"prompts": 5}, "`prompts` is a list of texts"),
        ({"prompts": [5]}, "The prompt is text"),
        ({"prompts": [" "]}, "A prompt is not empty"),
        ({"prompts": ["x" * 201]}, "The prompt has at most 200"),
        ({"prompts": ["x"] * 7}, "at most 6 prompts"),
        ({"model": 5}, "The model is text"),
        ({"input": "messages"}, "`input` is a function"),
        ({"files": "pictures"}, '`files` is "none", "text" or "images"'),
        ({"icon": 5}, "`icon` is a letter, an emoji, or the path"),
        ({"icon": "robot"}, "is no icon"),
    ],
)
def test_invalid_fields_are_refused(fields: Any, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        Assistant(MODEL, **fields)


@pytest.mark.parametrize(
    ("assistants", "says"),
    [
        ([("two words", MODEL)], "'two words' is no name of an assistant"),
        ([("", MODEL)], "'' is no name"),
        ([("../up", MODEL)], "is no name"),
        ([(5, MODEL)], "'5' is no name"),
        ([("Assistant", MODEL)], "@assistant calls the first of them"),
        ([("one", MODEL), ("One", MODEL)], "Two assistants are called One"),
        ([("one", 5)], "The assistant one: a value of the type int"),
    ],
)
def test_a_name_that_nobody_could_write_is_refused(assistants: Any, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        named(assistants)


def test_an_assistant_has_a_title_even_if_nobody_gave_one() -> None:
    found = named([("order_desk-2", MODEL), ("x", Assistant(MODEL, "Legal", prompts=("?",), icon="§"))])
    assert [one.title for one in found.values()] == ["Order desk 2", "Legal"]
    assert (found["x"].prompts, found["x"].sign) == (("?",), "§")


def test_an_assistant_is_chosen_by_name_and_the_first_is_the_default() -> None:
    known = named([("one", MODEL), ("two", MODEL)])
    assert choose(known, "two").name == "two"
    assert choose(known, None).name == "one"
    assert choose(known, "").name == "one"
    with pytest.raises(NotFound, match=r"^There is no assistant three\.$"):
        choose(known, "three")
    with pytest.raises(NotFound, match=r"^There is no assistant\.$"):
        choose({}, None)
