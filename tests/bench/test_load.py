"""The benchmark's load client sees what a server does wrong: a checker that cannot fail would prove nothing."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.client import Load, build

pytestmark = pytest.mark.skipif(not (shutil.which("gcc") or shutil.which("cc")), reason="there is no C compiler")

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
REPLY = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"
WORDS = """grace=0.3 limit=20 sub name=hot topic=hot path=/events count=3
           pub topic=hot path=/topics/hot/events rate=500 count=20"""

Fault = Callable[[int, int, bytes], bytes]
"""A function of (reader, event's number, event's bytes) that returns the bytes to send for it."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("load"))


class Bad:
    """A server of event streams that treats each event of each reader as `fault` says; `cut`: bytes of a chunk."""

    def __init__(self, fault: Fault, cut: int = 1 << 20) -> None:
        self.fault, self.cut = fault, cut
        self.readers: list[asyncio.StreamWriter] = []
        self.events = 0
        self.serving: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.serving.append(task)
        while head := await read_head(reader):
            if head.startswith(b"GET"):
                self.welcome(writer, head)
                continue
            size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            self.tell(b"id: %d\ndata: %b\n\n" % (self.events, await reader.readexactly(size)))
            writer.write(REPLY)
        writer.close()

    def welcome(self, writer: asyncio.StreamWriter, head: bytes) -> None:
        self.readers.append(writer)
        writer.write(HEAD)

    def tell(self, event: bytes) -> None:
        for i, subscriber in enumerate(self.readers):
            body = self.fault(i, self.events, event)
            for start in range(0, len(body), self.cut):
                part = body[start : start + self.cut]
                subscriber.write(b"%x\r\n%b\r\n" % (len(part), part))
        self.events += 1


async def read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@asynccontextmanager
async def serving(bad: Bad) -> AsyncIterator[int]:
    server = await asyncio.start_server(bad.serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.wait_for(asyncio.gather(*bad.serving), 10)  # the client is gone, so all of them end


def play(program: Path, port: int, words: str = WORDS) -> dict[str, Any]:
    with Load(program, port, words.split()) as load:
        assert load.ready()["open"] == 3
        return load.go()


async def seen(program: Path, bad: Bad, words: str = WORDS) -> dict[str, Any]:
    """Return the report of three readers of 20 events."""
    async with serving(bad) as port:
        result = await asyncio.to_thread(play, program, port, words)
    assert result["pubs"][0]["sent"] == 20
    assert result["pubs"][0]["errors"] == 0
    found: dict[str, Any] = result["subs"][0]
    return found


FLAWS = ("missing", "gaps", "duplicates", "foreign", "dropped", "refused", "orders")


@pytest.mark.parametrize("cut", [1 << 20, 1, 7, 100], ids="{} bytes a chunk".format)
async def test_a_stream_without_fault_has_none(program: Path, cut: int) -> None:
    sub = await seen(program, Bad(lambda reader, number, event: event, cut))
    assert {key: sub[key] for key in FLAWS} == dict.fromkeys(FLAWS, 0)
    assert sub["got"] == sub["latency"]["n"] == 60


async def test_crlf_comments_and_other_fields_are_no_fault(program: Path) -> None:
    def fault(reader: int, number: int, event: bytes) -> bytes:
        return b": hello\r\n\r\nretry: 5\r\n" + event.replace(b"\n", b"\r\n")

    sub = await seen(program, Bad(fault))
    assert {key: sub[key] for key in FLAWS} == dict.fromkeys(FLAWS, 0)


async def test_a_lost_event_is_a_gap_and_is_missing(program: Path) -> None:
    sub = await seen(program, Bad(lambda reader, number, event: b"" if (reader, number) == (1, 5) else event))
    assert (sub["missing"], sub["gaps"], sub["duplicates"]) == (1, 1, 0)


async def test_the_last_event_lost_is_missing(program: Path) -> None:
    sub = await seen(program, Bad(lambda reader, number, event: b"" if (reader, number) == (2, 19) else event))
    assert (sub["missing"], sub["got"]) == (1, 59)


async def test_a_doubled_event_is_seen(program: Path) -> None:
    sub = await seen(program, Bad(lambda reader, number, event: event * 2 if (reader, number) == (0, 7) else event))
    assert (sub["missing"], sub["duplicates"], sub["got"]) == (0, 1, 60)


async def test_two_events_in_the_wrong_order_are_seen(program: Path) -> None:
    held: list[bytes] = []

    def fault(reader: int, number: int, event: bytes) -> bytes:
        if (reader, number) == (1, 3):
            held.append(event)
            return b""
        return event + held.pop() if (reader, number) == (1, 4) else event

    sub = await seen(program, Bad(fault))
    assert (sub["gaps"], sub["duplicates"]) == (1, 1)


async def test_a_changed_byte_is_seen(program: Path) -> None:
    sub = await seen(
        program, Bad(lambda reader, number, event: event.replace(b'0"}', b'1"}') if reader == number == 2 else event)
    )
    assert (sub["foreign"], sub["missing"]) == (1, 1)


async def test_an_event_that_is_not_ended_is_not_counted(program: Path) -> None:
    sub = await seen(program, Bad(lambda reader, number, event: event[:-1] if (reader, number) == (0, 19) else event))
    assert sub["missing"] == 1


async def test_an_event_of_another_type_is_seen(program: Path) -> None:
    reset = b'event: tidings.reset\ndata: {"topic":"hot"}\n\n'
    sub = await seen(program, Bad(lambda reader, number, event: reset + event if reader == number == 1 else event))
    assert sub["foreign"] == 2
    assert sub["missing"] == 0


class Restarting(Bad):
    """A server that cuts all its readers after the tenth event, and gives those who return what they have missed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.told: list[bytes] = []

    def welcome(self, writer: asyncio.StreamWriter, head: bytes) -> None:
        super().welcome(writer, head)
        _, _, last = head.partition(b"\r\nLast-Event-ID: ")
        missed = self.told[int(last.split(b"\r\n")[0]) + 1 :] if last else []
        body = b"retry: 300\n\n" + b"".join(missed)
        writer.write(b"%x\r\n%b\r\n" % (len(body), body))

    def tell(self, event: bytes) -> None:
        self.told.append(self.fault(0, self.events, event))
        super().tell(event)
        if self.events == 10:
            for writer in self.readers:
                writer.close()
            self.readers.clear()


@pytest.mark.parametrize("lost", [0, 1])
async def test_readers_that_return_go_on_where_they_were(program: Path, lost: int) -> None:
    words = WORDS.replace("count=3", "count=3 again=1").replace("rate=500", "rate=50")
    bad = Restarting(lambda reader, number, event: b"" if lost and number == 15 else event)
    sub = await seen(program, bad, words)
    assert {key: sub[key] for key in FLAWS} == dict.fromkeys(FLAWS, 0) | {"missing": 3 * lost, "gaps": 3 * lost}
    assert (sub["open"], sub["returned"]) == (3, 3)
    assert 1 <= sub["peak"] <= 3
    assert sub["returned_after"] > 0.3
    assert sub["latency"]["n"] + sub["catch_up"]["n"] == sub["got"]
    assert sub["catch_up"]["n"] > 0
