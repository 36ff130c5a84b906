from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage, SystemMessage
from pydantic import SecretStr

from tests.model_server import FINISH, USAGE, Write, delta, refuse, stand_in, stream
from tidings.assistants.endpoint import EndpointModel
from tidings.runs.failures import BrokenOff, explain

KEY = "sk-a-key-nobody-may-see"


async def answer(model: EndpointModel, given: Any = "Hi") -> AIMessageChunk:
    pieces = [piece async for piece in model.astream(given)]
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert isinstance(whole, AIMessageChunk)
    return whole


async def test_text_reasoning_usage_and_the_finish_reason_are_streamed() -> None:
    chunks = [
        delta(role="assistant", content=None),
        delta(reasoning_content="Hm. "),
        delta(content="Grüße, "),
        delta(content="\n\n世界"),
        FINISH,
        USAGE,
    ]
    async with stand_in(stream(*chunks)) as server:
        message = await answer(EndpointModel(url=server.url))
    assert [(block["type"], block.get("text", block.get("reasoning"))) for block in message.content_blocks] == [
        ("reasoning", "Hm. "),
        ("text", "Grüße, \n\n世界"),
    ]
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.usage_metadata == {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}


async def test_the_conversation_the_key_and_the_name_reach_the_server() -> None:
    async with stand_in(stream(delta(content="Yes."), FINISH)) as server:
        model = EndpointModel(url=server.url + "/", key=SecretStr(KEY), name_there="tiny")
        await model.ainvoke([SystemMessage("Be terse."), HumanMessage("Hi")], stop=["END"])
    ((line, headers, request),) = server.requests
    assert line == "POST /v1/chat/completions HTTP/1.1"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert request["messages"] == [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Hi"}]
    assert (request["model"], request["stream"], request["stop"]) == ("tiny", True, ["END"])


async def test_without_a_key_or_a_name_none_is_sent() -> None:
    async with stand_in(stream(delta(content="Yes."), FINISH)) as server:
        await answer(EndpointModel(url=server.url))
    ((_, headers, request),) = server.requests
    assert "authorization" not in headers
    assert "model" not in request


@pytest.mark.parametrize(
    ("status", "code"), [(401, "credentials"), (404, "unknown_model"), (429, "rate_limit"), (503, "provider")]
)
async def test_a_refusal_is_told_without_what_the_server_said(status: int, code: str) -> None:
    async with stand_in(refuse(status, f"Incorrect API key provided: {KEY}")) as server:
        with pytest.raises(httpx.HTTPStatusError) as caught:
            await answer(EndpointModel(url=server.url, key=SecretStr(KEY)))
    assert explain(caught.value).code == code
    assert KEY not in str(caught.value)
    assert KEY in caught.value.__notes__[0]


@pytest.mark.parametrize("status", [307, 308])
async def test_the_question_follows_the_server_to_another_address(status: int) -> None:
    moved = refuse(status, "", "location: /v2/chat/completions\r\n")
    async with stand_in(moved, stream(delta(content="Yes."), FINISH)) as server:
        assert (await answer(EndpointModel(url=server.url, key=SecretStr(KEY)))).text == "Yes."
    assert [line for line, _, _ in server.requests] == [
        "POST /v1/chat/completions HTTP/1.1",
        "POST /v2/chat/completions HTTP/1.1",
    ]
    assert server.requests[1][1]["authorization"] == f"Bearer {KEY}"
    assert server.requests[1][2] == server.requests[0][2]


async def test_a_connection_that_dies_is_told_as_one() -> None:
    async def die(write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:")

    async with stand_in(die) as server:
        with pytest.raises(httpx.RemoteProtocolError) as caught:
            await answer(EndpointModel(url=server.url))
    assert explain(caught.value).code == "connection"


HELLO = f"data: {json.dumps(delta(content='Hello'))}\n\n"
ENDED = f"data: {json.dumps(FINISH)}"


@pytest.mark.parametrize("end", ["data: [DONE]", "data: [DONE]\n", "data:[DONE]\r\n", ENDED, f"{ENDED}\n\ndata: [DO"])
async def test_an_answer_may_end_without_its_last_empty_line(end: str) -> None:
    async with stand_in(refuse(200, HELLO + end)) as server:
        assert (await answer(EndpointModel(url=server.url))).text == "Hello"


@pytest.mark.parametrize("end", ["data: [DON", ENDED[:-9], "", ": more"])
async def test_half_an_end_is_none(end: str) -> None:
    async with stand_in(refuse(200, HELLO + end)) as server:
        with pytest.raises(BrokenOff):
            await answer(EndpointModel(url=server.url))


async def test_nobody_at_the_address_is_told_as_one() -> None:
    async with stand_in(refuse(200, "")) as server:
        pass
    with pytest.raises(httpx.ConnectError) as caught:
        await answer(EndpointModel(url=server.url))
    assert explain(caught.value).code == "connection"


async def test_leaving_the_stream_hangs_up_so_that_the_server_can_stop() -> None:
    async def endless(write: Write) -> None:
        await stream(delta(content="More. "), done=False)(write_but_never_end(write))
        await asyncio.Event().wait()

    def write_but_never_end(write: Write) -> Write:
        async def guarded(data: bytes) -> None:
            if data != b"0\r\n\r\n":
                await write(data)

        return guarded

    async with stand_in(endless) as server:
        got = asyncio.Event()

        async def read() -> None:
            async for _ in EndpointModel(url=server.url).astream("Hi"):
                got.set()

        task = asyncio.create_task(read())
        await got.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.left.wait()
