from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from tidings.assistants.answer import NOTHING
from tidings.assistants.corpus import docs_folder, read_docs
from tidings.assistants.docs import QuotingModel, docs_assistant, last_question, search_documentation
from tidings.assistants.search import Index

PAGES = docs_folder()

QUESTIONS = [
    "What is process mining?",
    "How does a client resume after a deploy?",
    "What does a publish promise on SQLite?",
    "Why does a closed topic answer 204?",
    "How do I put nginx in front?",
    "How do I publish by HTTP?",
]


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(read_docs)


async def ask(index: Index, given: Any) -> AIMessageChunk:
    pieces = [piece async for piece in docs_assistant(index, pace=0).astream(given)]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert isinstance(whole, AIMessageChunk)
    return whole


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_is_quotes_each_with_its_mark_and_citation(index: Index, question: str) -> None:
    message = await ask(index, question)
    (block,) = message.content_blocks
    assert block["type"] == "text"
    text, citations = block["text"], block["annotations"]
    assert [int(mark) for mark in re.findall(r"(?: |\n\n)\[(\d)\](?=\n|$)", text)] == list(range(1, len(citations) + 1))
    for number, cited in enumerate(citations, 1):
        assert cited["type"] == "citation"
        assert text[cited["start_index"] : cited["end_index"]] == cited["cited_text"]
        assert text[cited["end_index"] :].lstrip().startswith(f"[{number}]")
        assert cited["extras"]["n"] == number
        first, last = cited["extras"]["lines"]
        lines = (PAGES.parent / cited["extras"]["path"]).read_text("utf-8").splitlines()
        assert cited["cited_text"].split()[0].lstrip("*`") in lines[first - 1]
        assert last >= first
    assert all(first["end_index"] < second["start_index"] for first, second in pairwise(citations))


async def test_process_mining_is_explained_from_its_page(index: Index) -> None:
    message = await ask(index, [{"role": "user", "content": "What is process mining?"}])
    assert message.text.startswith("Process mining reconstructs how work really happens from the events")
    assert {c["extras"]["path"] for c in message.content_blocks[0]["annotations"]} == {"docs/process-mining.md"}


async def test_a_question_about_something_else_gets_no_quote(index: Index) -> None:
    message = await ask(index, "What is the capital of France?")
    assert message.text == f"{NOTHING}, and no AI model is connected."
    assert "annotations" not in message.content_blocks[0]


async def test_a_miss_beside_a_model_says_nothing_of_models(index: Index) -> None:
    message = await docs_assistant(index, pace=0, alone=False).ainvoke("What is the capital of France?")
    assert message.text == f"{NOTHING}."


async def test_words_arrive_one_by_one_and_code_keeps_its_lines(index: Index) -> None:
    pieces = [p.text async for p in docs_assistant(index, pace=0).astream("How do I publish by HTTP?")]
    assert len(pieces) > 40
    assert max(len(piece.split()) for piece in pieces) <= 2
    whole = "".join(pieces)
    assert "\n\n```sh\ncurl -X POST" in whole
    assert whole == (await docs_assistant(index, pace=0).ainvoke("How do I publish by HTTP?")).text


async def test_the_search_is_a_tool_that_others_can_see(index: Index) -> None:
    events = [e async for e in docs_assistant(index, pace=0).astream_events("What is a run?", version="v2")]
    kinds = [event["event"] for event in events]
    assert kinds.index("on_tool_start") < kinds.index("on_tool_end") < kinds.index("on_chat_model_stream")
    (end,) = [event for event in events if event["event"] == "on_tool_end"]
    assert end["name"] == "search_documentation"
    assert end["data"]["output"].content.startswith("concepts.md: What is a run?")


async def test_the_tool_says_when_it_finds_nothing(index: Index) -> None:
    call = {"name": "search_documentation", "args": {"query": "bread"}, "id": "1", "type": "tool_call"}
    found = await search_documentation(index).ainvoke(call)
    assert (found.content, found.artifact) == ("Nothing found.", [])


def test_only_the_last_question_counts() -> None:
    talk = [HumanMessage("What is a run?"), AIMessage("A run is …"), HumanMessage("And an offset?")]
    assert last_question(talk) == "And an offset?"
    assert last_question([AIMessage("Hello")]) == ""


def test_the_model_answers_without_streaming_too(index: Index) -> None:
    hits = index.search("What is a run?")
    found = ToolMessage("…", artifact=hits, tool_call_id="1")
    message = QuotingModel().invoke([HumanMessage("What is a run?"), found])
    assert message.text.startswith("A run is one generation")
    assert QuotingModel().invoke("Hi").text.startswith(NOTHING)
