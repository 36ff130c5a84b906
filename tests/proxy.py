"""A way to a server that misbehaves as networks do, in a process of its own: for pytest, for Node, for anything.

`python -m tests.proxy --to PORT` listens on a free port of loopback and prints that port as its first line. Every line
on its standard input is a command, and is answered by one line once it is in force: `ok`, a number, or `error: …`.
It goes when its standard input is closed. `Proxy` below is the same for Python.

    now BEHAVIOUR     for every request from now on, and none stand in line any more; with `now refuse`, what is open
                      is reset as well
    next BEHAVIOUR [for PATH]   for one request that has not begun, to a path that begins so; several stand in line,
                      and go before `now`
    cut [fin]         end every open connection: by RST, or by a FIN in the middle of the answer
    count             how many requests have come so far
    bytes             how many bytes of answers' bodies have been passed on so far
    events            how many events with an id have been passed on so far
    fresh             as it was when it started: what is open is reset, everything passes, no request has come

    pass              as if there were no proxy: how it starts
    cut N [fin]       end the connection after N bytes of the answer's body, as it is framed
    stall N           after N bytes of the answer's body nothing more comes, and nothing ends
    bytes             every byte of the answer in a write of its own
    html              answer 502 with a page of HTML, as a gateway whose server is gone
    swallow           take the request and never answer
    refuse            accept no connection: they are refused (only with `now`)
    silent            nothing comes through either way, on any connection, and none ends; when it is over, everything
                      comes that was sent meanwhile, also what was asked by one who has left (only with `now`)
    mute              as silent, but what is asked comes through: only nothing is heard (only with `now`)

A behaviour is one request's, also where several share a connection. Preflights always pass, and are not counted. The
body of a request has a Content-Length.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Self

PAGE = b"<!doctype html><title>502</title><h1>Bad gateway</h1>\n"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)
BEHAVIOUR = re.compile(r"pass|cut \d+( fin)?|stall \d+|bytes|html|swallow|refuse|silent|mute")
ALWAYS = {"refuse", "silent", "mute"}
"""Behaviours of the whole proxy, not of a single request."""


class Proxy:
    """The process, started by the constructor and ended with the context. Commands are in force when they return."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proxy", "--to", str(port)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.port = int(self._answer())

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def tell(self, command: str) -> str:
        """Send a command of the module's docstring and return its answer. Raises ValueError for an unknown command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        answer = self._answer()
        if answer.startswith("error: "):
            raise ValueError(answer.removeprefix("error: "))
        return answer

    def cut(self) -> None:
        """Reset every connection, and refuse new ones until `mend`."""
        self.tell("now refuse")

    def mend(self) -> None:
        """Pass everything on again."""
        self.tell("now pass")

    def fresh(self) -> None:
        """Begin anew: reset what is open, let everything pass, and count requests from 0."""
        self.tell("fresh")

    def count(self, path: str = "/") -> int:
        """The requests so far whose targets begin with `path`."""
        return int(self.tell(f"count {path}"))

    def bytes(self) -> int:
        """The bytes of answers' bodies that have been passed on so far."""
        return int(self.tell("bytes"))

    def events(self) -> int:
        """The events with an id that have been passed on so far."""
        return int(self.tell("events"))

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the proxy has gone"
        return line.strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # closes its standard input, and waits


class Server:
    """The proxy itself, in its own process."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.now = "pass"
        self.line: list[tuple[str, str]] = []
        self.open: set[asyncio.StreamWriter] = set()
        self.targets: list[str] = []
        self.bytes = 0
        self.events = 0
        self.up, self.down = asyncio.Event(), asyncio.Event()
        self.up.set()
        self.down.set()

    async def start(self, port: int = 0) -> int:
        self.listener = await asyncio.start_server(self.serve, "127.0.0.1", port)
        self.port = int(self.listener.sockets[0].getsockname()[1])
        return self.port

    async def command(self, line: str) -> str:
        verb, _, rest = line.partition(" ")
        if verb == "count":
            return str(sum(target.startswith(rest) for target in self.targets))
        if verb == "bytes" and not rest:
            return str(self.bytes)
        if verb == "events" and not rest:
            return str(self.events)
        if verb == "cut" and rest in ("", "fin"):
            self.cut(fin=rest == "fin")
        elif verb == "fresh" and not rest:
            self.cut()
            await self.become("pass")
            self.targets.clear()
            self.bytes = self.events = 0
        elif verb == "now" and BEHAVIOUR.fullmatch(rest):
            await self.become(rest)
        elif verb == "next" and BEHAVIOUR.fullmatch(rest.partition(" for ")[0]) and rest not in ALWAYS:
            behaviour, _, path = rest.partition(" for ")
            self.line.append((behaviour, path))
        else:
            return f"error: no such command: {line}"
        return "ok"

    async def become(self, behaviour: str) -> None:
        if behaviour == "refuse":
            self.listener.close()
            self.cut()
        elif self.now == "refuse":
            await self.start(self.port)
        for way, closed in ((self.up, behaviour == "silent"), (self.down, behaviour in ("silent", "mute"))):
            if closed:
                way.clear()
            else:
                way.set()
        self.now = behaviour
        self.line.clear()

    def cut(self, fin: bool = False) -> None:
        for one in self.open:
            end(one, fin)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection: request after request, as long as the answers end as they should."""
        if self.now == "refuse":  # accepted before that was in force, and begun after
            end(writer, fin=False)
            return
        self.open.add(writer)
        writer.transport.set_write_buffer_limits(0)  # what is drained is sent, so a cut is where it is told
        # A reset or a vanished peer is this module's trade.
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.read(1)
            while first:
                head = first + await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(int(field(head, b"content-length") or 0))
                # Nothing comes before the answer's end but the asker's leaving.
                after = asyncio.create_task(reader.read(1))
                reusable = await self.answer(self.behaviour(head), head, body, after, writer)
                first = await after if reusable else b""
                after.cancel()
        self.open.discard(writer)
        writer.close()

    def behaviour(self, head: bytes) -> str:
        if head.startswith(b"OPTIONS "):
            return "pass"
        target = head.split(b" ", 2)[1].decode("latin-1")
        self.targets.append(target)
        for one in self.line:
            if target.startswith(one[1]):
                self.line.remove(one)
                return one[0]
        return self.now

    async def answer(
        self, behaviour: str, head: bytes, body: bytes, after: asyncio.Task[bytes], writer: asyncio.StreamWriter
    ) -> bool:
        """Answer a request; return whether the connection may be used again."""
        lasting = field(head, b"connection") != b"close"
        if behaviour == "html":
            writer.write(BAD_GATEWAY)
            return lasting
        if behaviour == "swallow":
            await after
            return False
        await self.up.wait()
        back, forth = await asyncio.open_connection("127.0.0.1", self.target)
        self.open.add(forth)
        leaving = asyncio.create_task(self.leave(after, forth))
        try:
            # So the end of the answer is the end of the connection, and nobody has to count its bytes.
            forth.write(without_connection(head)[:-2] + b"Connection: close\r\n\r\n" + body)
            whole = await self.downward(behaviour, back, writer)
            if whole is None:
                await after
            return bool(whole) and lasting
        finally:
            leaving.cancel()
            self.open.discard(forth)
            forth.close()

    async def downward(self, behaviour: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool | None:
        """Pass the server's answer on until it has ended, whoever ended it.

        Return whether the answer is whole, or None for an answer that has stalled.
        """
        verb, *rest = behaviour.split()
        head = await reader.readuntil(b"\r\n\r\n")
        await self.down.wait()
        writer.write(without_connection(head))
        left = most = int(rest[0]) if rest else sys.maxsize
        tail = b""
        while left and (data := await reader.read(min(left, 65536))):
            await self.down.wait()
            left -= len(data)
            self.bytes += len(data)
            self.events += (tail[-3:] + data).count(b"\nid:")
            tail = (tail + data)[-5:]
            for piece in (data[n : n + 1] for n in range(len(data))) if verb == "bytes" else (data,):
                writer.write(piece)
                await writer.drain()
        if left == 0 and verb == "cut":
            end(writer, fin="fin" in rest)
        elif left == 0 and verb == "stall":
            return None
        if field(head, b"transfer-encoding") == b"chunked":
            return tail == b"0\r\n\r\n"
        length = field(head, b"content-length")
        return most - left == int(length) if length else re.match(rb"\S+ [23]04 ", head) is not None

    async def leave(self, after: asyncio.Task[bytes], forth: asyncio.StreamWriter) -> None:
        """Tell the server that the asker has left, which is not heard in silence either."""
        await asyncio.wait([after])
        await self.up.wait()
        if reader_left(after):
            forth.close()


def reader_left(after: asyncio.Task[bytes]) -> bool:
    return after.cancelled() or after.exception() is not None or after.result() == b""


def field(head: bytes, name: bytes) -> bytes:
    """A header's value in lower case; empty without one."""
    found = re.search(rb"(?i)\r\n" + name + rb": *([^\r]*)", head)
    return found[1].lower() if found else b""


def without_connection(head: bytes) -> bytes:
    # To be told that the connection closes, Node's fetch takes for leave to take any end for the answer's end.
    return re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)


def end(writer: asyncio.StreamWriter, fin: bool) -> None:
    if not fin:
        made: socket.socket = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main(target: int) -> None:
    server = Server(target)
    print(await server.start(), flush=True)
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        print(await server.command(line.decode().strip()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", type=int, required=True, metavar="PORT", help="where the server is, on loopback")
    asyncio.run(main(parser.parse_args().to))
