"""A client of the real server that sends what bytes it likes."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any, NamedTuple

from tests.serving import PATIENCE, ServerProcess


class Answer(NamedTuple):
    status: int
    type: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(server: ServerProcess, *parts: bytes) -> Answer:
    """Send these bytes, all of them whatever is answered meanwhile, and read to the end."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as made:
        sender = threading.Thread(target=send, args=(made, parts), daemon=True)
        sender.start()
        answer = b""
        while not complete(answer) and (part := made.recv(65536)):
            answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        sender.join(PATIENCE)
    lines = head.decode("latin-1").lower().split("\r\n")
    types = [line.partition(": ")[2] for line in lines if line.startswith("content-type: ")]
    return Answer(int(head.split()[1]) if head else 0, types[0] if types else "", body)


def send(made: socket.socket, parts: tuple[bytes, ...]) -> None:
    for part in parts:
        try:
            made.sendall(part)
        except OSError:
            return


def complete(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    lengths = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(blank) and (b" 204 " in head[:13] or (bool(lengths) and len(body) >= lengths[0]))


def request(method: str, target: bytes | str, body: bytes = b"", *headers: bytes | str) -> bytes:
    """A request whose framing is right."""
    lines = [f"{method} ".encode() + encoded(target) + b" HTTP/1.1", b"host: localhost", *map(encoded, headers)]
    if body or method in ("POST", "PUT"):
        lines.append(f"content-length: {len(body)}".encode())
    return b"\r\n".join([*lines, b"", b""]) + body


def encoded(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
