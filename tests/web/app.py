"""A server for the tests of the JavaScript clients: Tidings, OpenAI's format, and files of ours.

`python -m tests.web.app` listens on a free port of loopback and prints its address.

- `/events`, `/topics`, `/stream` …: Tidings over an empty store in memory
- `POST /v1/chat/completions`: a streamed chat completion, one run of its model for each `Idempotency-Key`; a request
  with a `Last-Event-ID` goes on there. The whole of it is at `GET /answer`. The model `broken` ends without `[DONE]`
- `GET /models`: how many runs of that model were started
- `GET /echo`, `POST /echo`: an event stream of one event, which is what was asked, as JSON
- `/files/client/…`, `/files/tests/…`, `/files/node_modules/…`: modules, and blank.html, a page without anything
"""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path

import uvicorn
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from tidings import EventStreamResponse, Format, Hub
from tidings.server.app import create_app
from tidings.server.settings import Settings

ROOT = Path(__file__).parents[2]
ANSWER = "".join(f"{n}: €豆腐 😀, a line\r\n\r\nand a `data: [DONE]` or two.\n" for n in range(40))

# A reconnection time of next to nothing: what is tested is that clients come back, not that they wait.
hub = Hub("memory:", retry=(0.0, 0.01))
app = create_app(Settings(store="memory:"), hub)
models: dict[str, asyncio.Task[None]] = {}


def words() -> list[str]:
    """The answer in pieces of three characters."""
    return [ANSWER[at : at + 3] for at in range(0, len(ANSWER), 3)]


def chunk(delta: dict[str, str], finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]})


async def generate(topic: str, *, broken: bool) -> None:
    """The model."""
    for word in words():
        await hub.publish(topic, chunk({"content": word}))
    if broken:
        await hub.close_topic(topic)
        return
    await hub.publish(topic, chunk({}, "stop"))
    await hub.publish(topic, "[DONE]", close=True)


@app.post("/v1/chat/completions")
async def complete(request: Request) -> EventStreamResponse:
    key = request.headers["idempotency-key"]
    topic = f"chats.{sha256(key.encode()).hexdigest()[:20]}"
    if topic not in models:
        models[topic] = asyncio.create_task(asyncio.sleep(0))  # the place is taken before anything is awaited
        await hub.publish(topic, chunk({"role": "assistant", "content": ""}))
        models[topic] = asyncio.create_task(generate(topic, broken=b'"broken"' in await request.body()))
    return EventStreamResponse(hub, topic, after="earliest", format=Format(notices=False))


@app.get("/answer")
async def answer() -> str:
    return ANSWER


@app.get("/models")
async def count() -> int:
    return len(models)


@app.api_route("/echo", methods=["GET", "POST"])
async def echo(request: Request) -> Response:
    asked = {
        "method": request.method,
        "headers": {name.decode(): value.decode("latin-1") for name, value in request.headers.raw},
        "body": (await request.body()).decode(),
    }
    return Response(f"id: é豆\nretry: 1\ndata: {json.dumps(asked)}\n\n", media_type="text/event-stream")


@app.get("/files/blank.html")
async def blank() -> HTMLResponse:
    return HTMLResponse("<!doctype html><title>blank</title>")


for name, folder in {"client": "src/tidings/web/client", "tests": "tests/web", "node_modules": "node_modules"}.items():
    app.mount(f"/files/{name}", StaticFiles(directory=ROOT / folder, check_dir=False))


class Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(sockets)
        [listener] = self.servers[0].sockets
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)


if __name__ == "__main__":
    Server(uvicorn.Config(app, port=0, log_level="warning")).run()
