"""A chat model behind an OpenAI-compatible URL.

It streams text, reasoning, usage and the finish reason, and no tools.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import cache
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import msgspec
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import SecretStr

from tidings.runs.failures import BrokenOff
from tidings.wire.sse import Decoder

TIMEOUT = httpx.Timeout(10.0, read=120.0)
"""Seconds: 10 to connect, and 120 between two parts of an answer, since a big model reads a long prompt first."""

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that the environment's proxy cannot reach."""


class _Delta(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


class EndpointModel(BaseChatModel):
    """A model that answers by `POST {url}/chat/completions`, streamed.

    `name_there` is the server's name of the model; None leaves the choice to the server. Leaving the stream closes the
    connection, which tells such servers to stop. Raises httpx.HTTPError when the server cannot be reached or refuses,
    and BrokenOff when the server ends in the middle of an answer. The server's own words go into the exception's notes,
    which are for the log, since they may hold a part of the key.
    """

    url: str
    key: SecretStr | None = None
    name_there: str | None = None

    @property
    def _llm_type(self) -> str:
        return "tidings-endpoint"

    async def where(self) -> tuple[str, SecretStr | None]:
        """Return the base URL and the key for a call that begins."""
        return self.url, self.key

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        finished = False
        async for chunk in self._chunks(self._request(messages, stop)):
            for message in _messages(chunk):
                finished = finished or "finish_reason" in message.response_metadata
                piece = ChatGenerationChunk(message=message)
                if run_manager:
                    await run_manager.on_llm_new_token(message.text, chunk=piece)
                yield piece
        if not finished:
            raise BrokenOff("The model server closed the connection.")

    def _request(self, messages: list[BaseMessage], stop: list[str] | None) -> dict[str, Any]:
        request: dict[str, Any] = {
            "messages": convert_to_openai_messages(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self.name_there:
            request["model"] = self.name_there
        if stop:
            request["stop"] = stop
        return request

    async def _chunks(self, request: dict[str, Any]) -> AsyncIterator[_Chunk]:
        url, key = await self.where()
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        local = urlsplit(url).hostname in _HERE
        verify = await asyncio.to_thread(_certificates)
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, verify=verify, trust_env=not local) as client,
            client.stream("POST", f"{url.rstrip('/')}/chat/completions", json=request, headers=headers) as response,
        ):
            if response.status_code != 200:
                await _refuse(response)
            decoder = Decoder()
            async for data in response.aiter_bytes():
                for event in decoder.feed(data):
                    if event.data == "[DONE]":
                        return
                    yield _decoded(event.data)


@cache
def _certificates() -> ssl.SSLContext:
    """The TLS context of all calls, made in a thread: reading the certificates blocks for 20 ms."""
    return httpx.create_ssl_context()


def _decoded(data: str) -> _Chunk:
    try:
        chunk = msgspec.json.decode(data, type=_Chunk)
    except msgspec.MsgspecError as error:
        raise BrokenOff("The model server sent something that is no chat completion.") from error
    if chunk.error is not None:
        broken = BrokenOff("The model server failed.")
        broken.add_note(f"It said: {chunk.error}")
        raise broken
    return chunk


def _messages(chunk: _Chunk) -> list[AIMessageChunk]:
    """Convert a chunk to message chunks: block 0 is reasoning, block 1 is text.

    Usage and finish reason have no text.
    """
    found: list[AIMessageChunk] = []
    for choice in chunk.choices[:1]:
        delta = choice.delta
        if thought := delta.reasoning_content or delta.reasoning:
            found.append(_message([{"type": "reasoning", "reasoning": thought, "index": 0}]))
        if delta.content:
            found.append(_message([{"type": "text", "text": delta.content, "index": 1}]))
        if choice.finish_reason:
            found.append(_message([], finish_reason=choice.finish_reason))
    if usage := chunk.usage:
        total = usage.prompt_tokens + usage.completion_tokens
        message = _message([])
        message.usage_metadata = UsageMetadata(
            input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens, total_tokens=total
        )
        found.append(message)
    return found


def _message(blocks: list[str | dict[str, Any]], **metadata: str) -> AIMessageChunk:
    return AIMessageChunk(content=blocks, response_metadata={"output_version": "v1", **metadata})


async def _refuse(response: httpx.Response) -> NoReturn:
    body = await response.aread()
    error = httpx.HTTPStatusError(
        f"The model server answered {response.status_code}.", request=response.request, response=response
    )
    error.add_note(f"It said: {body[:500].decode('utf-8', 'replace')}")
    raise error
