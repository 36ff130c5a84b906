"""LangChain's models and chains as run events, over scripted models and a real hub."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.callbacks import adispatch_custom_event
from langchain_core.language_models import LLM
from langchain_core.language_models.fake import FakeListLLM
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import GenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableGenerator, RunnableLambda, RunnableParallel
from pydantic import BaseModel

from tests.runs.scripted import Whole, only, says, sound, text, told, tool_chunk, types
from tidings import Hub

USAGE: Any = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


async def test_text(hub: Hub) -> None:
    said = await told(hub, says("Hel", "", "lo\n", "[DONE]\r\n€豆😀"))
    sound(said)
    assert types(said) == [
        "message.started", "block.started", "block.delta", "block.finished", "message.finished", "run.finished",
    ]  # fmt: skip
    assert said[0] == {"type": "message.started", "message": "m1", "role": "assistant"}
    assert said[1] == {"type": "block.started", "message": "m1", "block": "m1.0", "index": 0, "kind": "text"}
    assert said[-3] == {**said[1], "type": "block.finished", "content": "Hello\n[DONE]\r\n€豆😀", "status": "complete"}
    assert said[-2] == {"type": "message.finished", "message": "m1", "role": "assistant", "finish": "stop"}
    assert said[-1] == {"type": "run.finished", "outcome": "success", "finish": "stop", "usage": []}


async def test_an_empty_answer_is_a_message_without_blocks(hub: Hub) -> None:
    said = await told(hub, says(""))
    assert types(said) == ["message.started", "message.finished", "run.finished"]


async def test_halves_of_a_surrogate_pair_do_not_end_a_run(hub: Hub) -> None:
    said = await told(hub, says("a\ud83d\ude00", "b\ud83d"))
    assert only(said, "block.finished")[0]["content"] == "a😀b\ufffd"


async def test_content_may_be_a_list_of_text_and_blocks(hub: Hub) -> None:
    chunks = [
        AIMessageChunk(content=["a", {"type": "text", "text": "b", "index": 0}]),
        AIMessageChunk(content=[{"type": "text", "text": "c", "index": 0}], response_metadata={"output_version": "v1"}),
        AIMessageChunk(content=[{"type": "something_new", "v": 1}]),
    ]
    said = await told(hub, says(*chunks))
    sound(said)
    assert text(said) == "abc"


@pytest.mark.parametrize(
    "thought",
    [
        AIMessageChunk(content="", additional_kwargs={"reasoning_content": "hm"}),
        AIMessageChunk(content=[{"type": "reasoning", "reasoning": "hm", "index": 0}]),
        AIMessageChunk(content=[{"type": "thinking", "thinking": "hm", "index": 0}]),
        AIMessageChunk(
            content=[{"type": "thinking", "thinking": "hm", "index": 0}],
            response_metadata={"model_provider": "anthropic"},
        ),
    ],
)
async def test_reasoning_is_a_block_of_its_own_that_ends_where_the_text_begins(
    hub: Hub, thought: AIMessageChunk
) -> None:
    said = await told(hub, says(thought, thought, "So: 3"))
    sound(said)
    first, second = only(said, "block.finished")
    assert (first["kind"], first["content"]) == ("reasoning", "hmhm")
    assert (second["kind"], second["content"], second["index"]) == ("text", "So: 3", 1)
    assert said.index(first) < said.index(only(said, "block.started")[1])


async def test_a_model_that_cannot_stream_is_heard_whole(hub: Hub) -> None:
    call = {"name": "add", "args": {"a": 1}, "id": "c1", "type": "tool_call"}
    said = await told(hub, Whole(message=AIMessage("Hello", tool_calls=[call], usage_metadata=USAGE)))
    sound(said)
    assert [block["content"] for block in only(said, "block.finished")] == ["Hello", {"a": 1}]
    assert said[-1]["usage"] == [USAGE]


async def test_usage_and_the_reason_of_the_end(hub: Hub) -> None:
    end = AIMessageChunk(
        content="", usage_metadata=USAGE, response_metadata={"finish_reason": "length", "model_name": "tiny"}
    )
    said = await told(hub, says("Hel", end))
    assert only(said, "message.finished")[0]["usage"] == {"model": "tiny", **USAGE}
    assert said[-1] == {
        "type": "run.finished", "outcome": "success", "finish": "length", "usage": [{"model": "tiny", **USAGE}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"finish_reason": "stop"}, "stop"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": "SAFETY"}, "content_filter"),
        ({"stop_reason": "refusal"}, "content_filter"),
        ({"done_reason": "length"}, "length"),
        ({"stop_reason": "tool_use"}, "tool_calls"),
        ({}, "stop"),
    ],
)
async def test_every_providers_word_for_the_end(hub: Hub, metadata: dict[str, Any], finish: str) -> None:
    said = await told(hub, says("a", AIMessageChunk(content="", response_metadata=metadata)))
    assert said[-1]["finish"] == finish


async def test_citations_are_source_blocks_that_do_not_end_the_text(hub: Hub) -> None:
    cited = {
        "type": "citation", "title": "Topics", "url": "docs/topics.md", "cited_text": "A topic is a name.",
        "extras": {"n": 7, "path": "docs/topics.md", "lines": [3, 4]},
    }  # fmt: skip
    plain = {"type": "citation", "title": "Elsewhere"}
    v1 = {"output_version": "v1"}
    said = await told(
        hub,
        says(
            AIMessageChunk(content=[{"type": "text", "text": "A name ", "index": 0}], response_metadata=v1),
            AIMessageChunk(
                content=[{"type": "text", "text": "[1]", "index": 0, "annotations": [cited, plain]}],
                response_metadata=v1,
            ),
            AIMessageChunk(content=[{"type": "text", "text": ".", "index": 0}], response_metadata=v1),
        ),
    )
    sound(said)
    first, second, whole = only(said, "block.finished")
    assert first["kind"] == second["kind"] == "source"
    assert first["content"] == {
        "n": 7, "title": "Topics", "url": "docs/topics.md", "passage": "A topic is a name.", "path": "docs/topics.md",
        "lines": [3, 4],
    }  # fmt: skip
    assert second["content"] == {"n": 2, "title": "Elsewhere"}
    assert (whole["content"], whole["index"]) == ("A name [1].", 0), "it overlaps the sources"


async def test_a_file(hub: Hub) -> None:
    said = await told(
        hub, says(AIMessageChunk(content=[{"type": "image", "url": "https://x/y.png", "mime_type": "image/png"}]))
    )
    sound(said)
    content = {"type": "image", "mime_type": "image/png", "url": "https://x/y.png"}
    assert only(said, "block.finished")[0]["content"] == content


async def test_whole_tool_calls_without_an_index_are_told_apart_by_their_ids(hub: Hub) -> None:
    script = [
        tool_chunk('{"a": 1}', "c1", "x", None),
        tool_chunk('{"a": 2}', "c2", "x", None),
        tool_chunk("", "c3", "y"),
    ]
    said = await told(hub, says(*script))
    sound(said)
    assert [(block["call"], block["content"]) for block in only(said, "block.finished")] == [
        ("c1", {"a": 1}), ("c2", {"a": 2}), ("c3", {}),
    ]  # fmt: skip


async def test_tool_calls_within_standard_content(hub: Hub) -> None:
    def chunk(args: Any, kind: str = "tool_call_chunk", **more: Any) -> AIMessageChunk:
        block = {"type": kind, "args": args, "index": 1, **more}
        return AIMessageChunk(content=[block], response_metadata={"output_version": "v1"})

    said = await told(hub, says("So", chunk('{"a": ', id="c1", name="add"), chunk("1}")))
    sound(said)
    assert [(block["kind"], block["content"]) for block in only(said, "block.finished")] == [
        ("text", "So"), ("tool_call", {"a": 1}),
    ]  # fmt: skip
    said = await told(hub, says(chunk({"a": 1}, "tool_call", id="c1", name="add")))
    assert [block["content"] for block in only(said, "block.finished")] == [{"a": 1}]


async def test_tool_calls_beside_a_providers_own_are_said_once(hub: Hub) -> None:
    """OpenAI's chunks hold them twice, the second time where nobody should look."""
    chunk = tool_chunk('{"a": ', "c1", "add")
    chunk.additional_kwargs = {"tool_calls": [{"index": 0, "id": "c1", "function": {"arguments": '{"a": '}}]}
    rest = tool_chunk("1}")
    rest.additional_kwargs = {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}
    said = await told(hub, says(chunk, rest))
    sound(said)
    assert text(said, "tool_call") == '{"a": 1}'


async def test_a_tool_call_that_is_no_json_is_invalid(hub: Hub) -> None:
    said = await told(hub, says(tool_chunk('{"a": ', "c1", "add")))
    [block] = only(said, "block.finished")
    assert (block["status"], block["content"]) == ("invalid", '{"a": ')


async def test_a_chain_says_its_models_words_once(hub: Hub) -> None:
    chain = ChatPromptTemplate.from_messages([("user", "{question}")]) | says("Hel", "lo") | StrOutputParser()
    said = await told(hub, chain, {"question": "?"})
    sound(said)
    assert len(only(said, "message.started")) == 1
    assert text(said) == "Hello"


async def test_models_side_by_side_have_messages_of_their_own(hub: Hub) -> None:
    gate, other = asyncio.Event(), asyncio.Event()

    async def open_gate() -> None:
        gate.set()

    async def open_other() -> None:
        other.set()

    chain = RunnableParallel(a=says("a1", open_gate, other, "a2"), b=says(gate, "b1", open_other, "b2"))
    said = await told(hub, chain)
    sound(said)
    assert sorted(block["content"] for block in only(said, "block.finished")) == ["a1a2", "b1b2"]
    assert len({block["block"] for block in only(said, "block.started")}) == 2


async def test_a_hidden_model_is_not_heard(hub: Hub) -> None:
    said = await told(hub, says("secret").with_config(tags=["nostream"]) | RunnableLambda(lambda _: "shown"))
    assert text(said) == "shown"


async def test_text_that_no_model_made(hub: Hub) -> None:
    async def words(given: AsyncIterator[str]) -> AsyncIterator[str]:
        async for _ in given:
            for word in ("one ", "two"):
                yield word

    for runnable in (
        RunnableGenerator(words),
        RunnableLambda(lambda _: "one two"),
        RunnableLambda(lambda _: AIMessage("one two")),
    ):
        said = await told(hub, runnable)
        sound(said)
        assert text(said) == "one two"


class Completion(LLM):
    @property
    def _llm_type(self) -> str:
        return "completion"

    def _call(self, prompt: str, *args: Any, **kwargs: Any) -> str:
        raise NotImplementedError

    async def _astream(self, prompt: str, *args: Any, **kwargs: Any) -> AsyncIterator[GenerationChunk]:
        for word in ("Hel", "lo"):
            yield GenerationChunk(text=word)


@pytest.mark.parametrize("model", [Completion(), FakeListLLM(responses=["Hello"])])
async def test_a_completion_model(hub: Hub, model: Any) -> None:
    for runnable in (model, model | RunnableLambda(lambda text: text)):
        said = await told(hub, runnable)
        sound(said)
        assert text(said) == "Hello"


async def test_results_are_what_a_runnable_returned_besides_words(hub: Hub) -> None:
    class Answer(BaseModel):
        sum: int

    said = await told(hub, says("3") | RunnableLambda(lambda message: Answer(sum=int(message.content))))
    assert said[-1]["result"] == {"sum": 3}
    assert "result" not in (await told(hub, says("3") | StrOutputParser()))[-1]


async def test_custom_events_are_data(hub: Hub) -> None:
    async def work(given: str) -> str:
        await adispatch_custom_event("progress", {"done": 1, "of": 2, "what": object})
        return "ok"

    said = await told(hub, RunnableLambda(work))
    [data] = only(said, "data")
    assert data["name"] == "progress"
    assert data["value"]["done"] == 1


async def test_a_fallback_leaves_the_first_try_incomplete(hub: Hub) -> None:
    said = await told(hub, says(RuntimeError("down")).with_fallbacks([says("Hello")]))
    sound(said)
    assert text(said) == "Hello"
    assert said[-1]["outcome"] == "success"
    assert sorted(message["finish"] for message in only(said, "message.finished")) == ["error", "stop"]


def test_importing_tidings_imports_no_langchain() -> None:
    code = "import sys, tidings, tidings.runs; print([name for name in sys.modules if name.startswith('lang')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_first_run_of_a_process_imports_nothing_on_its_loop() -> None:
    """LangChain puts imports off until it streams; each is a blocking read. Only a fresh process shows them."""
    code = """
import asyncio, sys, threading
from tests.runs.scripted import says, told
from tidings import Hub

class Watch:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            print("imported on the loop:", name)

async def main():
    async with Hub("memory:") as hub:
        hub.runs.open()
        sys.meta_path.insert(0, Watch())
        print((await told(hub, says("Hello")))[-1]["outcome"])

asyncio.run(main())
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "success\n"
