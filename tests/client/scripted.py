"""A server of scripted answers, which keeps what it was asked: for clients of any event stream."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.serving import PATIENCE

STREAM = {"Content-Type": "text/event-stream"}
PIECE = 7
"""The bytes of a body in one HTTP chunk, so that chunks end anywhere in lines and characters."""


class Answer(NamedTuple):
    """An answer. `end`: `clean`, `cut` (without the final chunk), `dirty` (after the size line of a chunk that never
    comes), or `hold` (nothing more, and no end)."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = STREAM
    end: str = "clean"


GOODBYE = Answer(b"", 204, {})


class Asked(NamedTuple):
    """A request. The names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Script(ThreadingHTTPServer):
    """The server. It gives `answers` in turn, then 204, whatever it is asked. `asked`: the requests so far."""

    daemon_threads = True

    def __init__(self, *answers: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.asked: list[Asked] = []
        self.came = threading.Semaphore(0)
        """Released once for each request."""
        self.over = threading.Event()
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has left is no error of a test."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Script

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(self.command, self.path, headers, body))
        answer = self.server.answers.pop(0) if self.server.answers else GOODBYE
        self.server.came.release()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status == 204:
            self.end_headers()
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(answer.body), PIECE):
            piece = answer.body[start : start + PIECE]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if answer.end == "clean":
            self.wfile.write(b"0\r\n\r\n")
            return
        if answer.end == "dirty":
            self.wfile.write(b"7\r\n")
        if answer.end == "hold":
            self.server.over.wait(PATIENCE)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_REPORT = do_any

    def log_message(self, *_: object) -> None: ...


@contextmanager
def script(*answers: Answer, tls: Path | None = None) -> Iterator[Script]:
    """Serve these answers, over TLS with the key and the certificate in a file."""
    with Script(*answers) as server:
        if tls is not None:
            server.scheme, context = "https", ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join(PATIENCE)
