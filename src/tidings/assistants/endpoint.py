"""A chat model behind an OpenAI-compatible URL, whatever such servers make of OpenAI's format.

`ChatOpenAI` and `ChatDeepSeek` were tried with the cases of tests/assistants/test_completion.py. They take an answer
that is cut for a whole one, add up the usage that a server repeats in every chunk, drop refusals and answers that are
not streamed, and leave `<think>` in the text; `ChatOpenAI` also drops `reasoning_content`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from functools import cache
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import SecretStr

from tidings.wire.sse import Decoder, ServerSentEvent

from .completion import Completion, is_done, is_whole

TIMEOUT = httpx.Timeout(10.0, read=120.0)
"""Seconds: 10 to connect, and 120 between two parts of an answer, since a big model reads a long prompt first."""

_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that the environment's proxy cannot reach."""

_PASSED = frozenset({"tools", "tool_choice", "parallel_tool_calls", "response_format", "temperature", "max_tokens"})
"""Options of a call that are passed to the server. LangChain adds others, which are for LangChain."""


class EndpointModel(BaseChatModel):
    """A model that answers by `POST {url}/chat/completions`, streamed.

    `name_there` is the server's name of the model; None leaves the choice to the server. Leaving the stream closes the
    connection, which tells such servers to stop. Raises httpx.HTTPError when the server cannot be reached or refuses,
    and BrokenOff when the server ends or fails in the middle of an answer. The server's own words go into the
    exception's notes, which are for the log, since they may hold a part of the key.
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

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model with tools that it may call."""
        choice = {"tool_choice": "required" if tool_choice == "any" else tool_choice} if tool_choice else {}
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **choice, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop, **kwargs))

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
        completion = Completion()
        async for message in self._messages(completion, self._request(messages, stop, **kwargs)):
            piece = ChatGenerationChunk(message=message)
            if run_manager:
                await run_manager.on_llm_new_token(message.text, chunk=piece)
            yield piece

    async def _messages(self, completion: Completion, request: dict[str, Any]) -> AsyncIterator[AIMessageChunk]:
        async for event in self._events(request):
            for message in completion.read(event.data, event.type):
                yield message
        for message in completion.end():
            yield message

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, **options: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "messages": convert_to_openai_messages(messages),
            "stream": True,
            "stream_options": {"include_usage": True},
            **{name: value for name, value in options.items() if name in _PASSED},
        }
        if self.name_there:
            request["model"] = self.name_there
        if stop:
            request["stop"] = stop
        return request

    async def _events(self, request: dict[str, Any]) -> AsyncIterator[ServerSentEvent]:
        """The answer's events, to `[DONE]` or the end of the connection. An answer that is not streamed is one event.

        Servers mix up the content types of the two, so the answer's first byte tells them apart.
        """
        url, key = await self.where()
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        local = urlsplit(url).hostname in _HERE
        verify = await asyncio.to_thread(_certificates)
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, verify=verify, trust_env=not local, follow_redirects=True) as client,
            client.stream("POST", f"{url.rstrip('/')}/chat/completions", json=request, headers=headers) as response,
        ):
            if not response.is_success:
                await _refuse(response)
            decoder, first, whole = Decoder(), b"", b""
            async for data in response.aiter_bytes():
                first = first or data.lstrip()[:1]
                if first == b"{":
                    whole += data
                    continue
                for event in decoder.feed(data):
                    yield event
                    if is_done(event.data):
                        return
            if whole:
                yield ServerSentEvent("message", whole.decode("utf-8", "replace"), "", None)
            # Some servers end the stream without the empty line that ends its last event.
            for event in decoder.feed(b"\n\n"):
                if is_whole(event.data):
                    yield event


@cache
def _certificates() -> ssl.SSLContext:
    """The TLS context of all calls, made in a thread: reading the certificates blocks for 20 ms."""
    return httpx.create_ssl_context()


async def _refuse(response: httpx.Response) -> NoReturn:
    body = await response.aread()
    error = httpx.HTTPStatusError(
        f"The model server answered {response.status_code}.", request=response.request, response=response
    )
    error.add_note(f"It said: {body[:500].decode('utf-8', 'replace')}")
    raise error
