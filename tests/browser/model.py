"""A model server whose answers are scripts, and which waits where a test wants it to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Refuse(NamedTuple):
    """Answer with an HTTP error instead, and perhaps ask to wait for some seconds."""

    status: int
    wait: int | None = None


class End(NamedTuple):
    """End the answer here, for a reason of its own."""

    reason: str


class Think(NamedTuple):
    """Reasoning, where a real model sends it."""

    text: str


class Hold:
    """Wait here until the test calls `go()`."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def go(self) -> None:
        self._event.set()

    def wait(self) -> None:
        self._event.wait()


class Break:
    """Close the connection in the middle of the answer."""


Piece = str | Refuse | Think | Hold | Break | End


class ScriptedModel:
    """An OpenAI-compatible server on a free port of loopback. A context manager.

    `answers` maps a part of the question (the longest that fits) to what is said; each call takes the next script of a
    list of them, and stays at the last. `calls` holds the messages of every request, in order of arrival.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Sequence[Piece]]] = {}
        self.calls: list[list[dict[str, Any]]] = []
        self._lock = threading.Lock()
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                model._answer(self, request["messages"])

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def script(self, question: str, *pieces: Piece) -> None:
        """Say `pieces` when the last message holds `question`. Called again, it adds what is said the next time."""
        self.answers.setdefault(question, []).append(pieces)

    def _answer(self, handler: BaseHTTPRequestHandler, messages: list[dict[str, Any]]) -> None:
        with self._lock:
            self.calls.append(messages)
            content = messages[-1]["content"]
            question = content if isinstance(content, str) else content[0]["text"]
            known = max((part for part in self.answers if part in question), key=len, default="")
            scripts = self.answers.get(known, [[f"You asked: {question}"]])
            pieces = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        if isinstance(pieces[0], Refuse):
            handler.send_response(pieces[0].status)
            if pieces[0].wait is not None:
                handler.send_header("Retry-After", str(pieces[0].wait))
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        with suppress(OSError):  # nobody listens any more: that is how a model is stopped
            self._say(handler, pieces)

    def _say(self, handler: BaseHTTPRequestHandler, pieces: Sequence[Piece]) -> None:
        def send(delta: dict[str, str], **more: Any) -> None:
            chunk = {"choices": [{"index": 0, "delta": delta, **more}]}
            handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
            handler.wfile.flush()

        tokens, reason = 0, "stop"
        for piece in pieces:
            if isinstance(piece, Hold):
                piece.wait()
            elif isinstance(piece, Break):
                return
            elif isinstance(piece, End):
                reason = piece.reason
            elif isinstance(piece, Think):
                send({"reasoning_content": piece.text})
            elif isinstance(piece, str):
                for token in re.findall(r"\s*\S+|\s+$", piece):
                    send({"content": token})
                    tokens += 1
        send({}, finish_reason=reason)
        usage = {"prompt_tokens": 10, "completion_tokens": tokens}
        handler.wfile.write(f"data: {json.dumps({'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for hold in (piece for scripts in self.answers.values() for pieces in scripts for piece in pieces):
            if isinstance(hold, Hold):
                hold.go()
        self._server.shutdown()
        self._server.server_close()
