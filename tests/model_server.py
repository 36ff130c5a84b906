"""A stand-in for the server of a model: real HTTP over a real socket, with answers that a test writes in the shape of
OpenAI's chat completions, OpenAI's responses, or Anthropic's messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Write = Callable[[bytes], Awaitable[None]]
Answer = Callable[[Write], Awaitable[None]]


@dataclass
class StandIn:
    """`requests` are what came: (request line, headers, JSON). `left` is set when a client has hung up."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)


def delta(**fields: Any) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


FINISH = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
TOOLS = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
USAGE = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}


def stream(*chunks: dict[str, Any], done: bool = True, size: int = 11) -> Answer:
    """An answer that streams `chunks` as server-sent events, `size` bytes a write, so that events come in pieces."""
    body = b"".join(b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n" for chunk in chunks)
    return _streamed(body + (b"data: [DONE]\n\n" if done else b""), size)


def typed(*events: dict[str, Any], size: int = 4096) -> Answer:
    """An answer that streams events with their types as names, as Anthropic and OpenAI's responses do."""
    return named(*[(event["type"], event) for event in events], size=size)


def named(*events: tuple[str, Any], size: int = 4096) -> Answer:
    """An answer that streams pairs of a name and data."""
    parts = [f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events]
    return _streamed("".join(parts).encode(), size)


def _streamed(body: bytes, size: int) -> Answer:
    async def answer(write: Write) -> None:
        await write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(0, len(body), size):
            part = body[at : at + size]
            await write(b"%x\r\n%s\r\n" % (len(part), part))
        await write(b"0\r\n\r\n")

    return answer


def refuse(status: int, body: str, headers: str = "") -> Answer:
    """An answer in one piece. `headers`: further lines of the head, each with its line end."""

    async def answer(write: Write) -> None:
        await write(f"HTTP/1.1 {status} No\r\n{headers}content-length: {len(body)}\r\n\r\n{body}".encode())

    return answer


@asynccontextmanager
async def stand_in(*answers: Answer) -> AsyncIterator[StandIn]:
    """Answers each request with the next of `answers`, and further ones with the last; then closes the connection."""
    state = StandIn()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
        body = await reader.readexactly(int(headers["content-length"]))
        answer = answers[min(len(state.requests), len(answers) - 1)]
        state.requests.append((head[0], headers, json.loads(body)))

        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        async def until_closed() -> None:
            await reader.read()
            state.left.set()

        watching = asyncio.create_task(until_closed())
        try:
            await answer(write)
        except (ConnectionError, asyncio.CancelledError):
            pass  # asyncio writes a traceback for each handler that is cancelled, as all are at the end of its loop
        finally:
            writer.close()
            await asyncio.gather(watching, return_exceptions=True)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield state
    finally:
        server.close()
