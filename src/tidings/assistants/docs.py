"""The documentation assistant, which has no model: it searches the bundled pages and answers in quotes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.content import Citation
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import BaseTool, tool

from .answer import NOTHING, Quote, compose
from .conversation import to_messages
from .search import Hit, Index

PACE = 0.012
"""Seconds between two words: people can follow 80 words a second, but not all words at once."""

ALONE = ", and no AI model is connected"
"""The reason why nothing but the docs can answer, where that is so."""

_WORD = re.compile(r"\s*\S+\s*")


def docs_assistant(index: Index, pace: float = PACE, *, alone: bool = True) -> Runnable[LanguageModelInput, AIMessage]:
    """Make a runnable over messages (or a question): it calls `search_documentation`, then streams an answer of quotes.

    `alone`: no AI model is configured beside it, which the answer says when the search finds nothing. Only the last
    question counts: quotes have no use for a history. Building this reads no file; the first search does.
    """
    search = search_documentation(index)

    async def look_up(given: LanguageModelInput, config: RunnableConfig) -> list[BaseMessage]:
        question = last_question(given)
        call = {"name": search.name, "args": {"query": question}, "id": "search-1", "type": "tool_call"}
        found = await search.ainvoke(call, config)
        return [HumanMessage(question), AIMessage("", tool_calls=[call]), found]

    return RunnableLambda(look_up, name="docs") | QuotingModel(pace=pace, alone=alone)


def search_documentation(index: Index) -> BaseTool:
    """Make the search a LangChain tool.

    The text of its result lists the sections, its artifact is the list of `Hit`s.
    """

    @tool(response_format="content_and_artifact")
    async def search_documentation(query: str) -> tuple[str, list[Hit]]:
        """Search the documentation of Tidings for a question or keywords."""
        hits = await asyncio.to_thread(index.search, query)
        sections = dict.fromkeys(f"{hit.passage.path}: {hit.passage.heading}" for hit in hits)
        return "\n".join(list(sections)[:5]) or "Nothing found.", hits

    return search_documentation


class QuotingModel(BaseChatModel):
    """A chat model that only quotes the passages of the last tool message, each with its mark and its citation.

    Streams word by word, as text blocks of LangChain's standard content; a citation comes with its mark.
    """

    pace: float = PACE
    alone: bool = True

    @property
    def _llm_type(self) -> str:
        return "tidings-quotes"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        whole, *rest = pieces(_found(messages), self.alone)
        for piece in rest:
            whole += piece
        return ChatResult(
            generations=[ChatGeneration(message=AIMessage(content=whole.content, response_metadata=_END))]
        )

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in pieces(_found(messages), self.alone):
            chunk = ChatGenerationChunk(message=piece)
            if run_manager:
                await run_manager.on_llm_new_token(piece.text, chunk=chunk)
            yield chunk
            await asyncio.sleep(self.pace)
        yield ChatGenerationChunk(message=AIMessageChunk(content=[], response_metadata=_END, chunk_position="last"))


_STANDARD = {"output_version": "v1"}
_END = {"output_version": "v1", "finish_reason": "stop"}


def pieces(hits: Sequence[Hit], alone: bool) -> Iterator[AIMessageChunk]:
    """Iterate over the answer, a word at a time. The joined texts are Markdown that reads well on its own."""
    quotes = compose(hits)
    if not quotes:
        yield from (_piece(word) for word in _WORD.findall(f"{NOTHING}{ALONE if alone else ''}."))
        return
    at = 0
    for quote in quotes:
        start = at + (2 if at else 0)
        body = quote.text if not at else f"\n\n{quote.text}"
        yield from (_piece(word) for word in _WORD.findall(body))
        yield _piece(quote.mark, citation(quote, start))
        at += len(body) + len(quote.mark)


def citation(quote: Quote, start: int) -> Citation:
    """Make the citation of a quote that begins at `start` of the answer. `extras` hold its place in the page."""
    passage = quote.passage
    return Citation(
        type="citation",
        title=passage.title if passage.heading == passage.title else f"{passage.title}: {passage.heading}",
        cited_text=quote.text,
        start_index=start,
        end_index=start + len(quote.text),
        extras={"n": quote.number, "path": f"docs/{passage.path}", "lines": list(passage.lines)},
    )


def last_question(given: LanguageModelInput) -> str:
    """Return the text of the last message of a user, or "" if there is none."""
    asked = [message.text for message in to_messages(given) if isinstance(message, HumanMessage)]
    return asked[-1] if asked else ""


def _piece(text: str, cited: Citation | None = None) -> AIMessageChunk:
    block: dict[str, Any] = {"type": "text", "text": text, "index": 0}
    if cited is not None:
        block["annotations"] = [cited]
    return AIMessageChunk(content=[block], response_metadata=_STANDARD)


def _found(messages: Sequence[BaseMessage]) -> list[Hit]:
    found = [message.artifact for message in messages if isinstance(message, ToolMessage)]
    return list(found[-1]) if found and found[-1] else []
