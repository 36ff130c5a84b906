"""The messages between the parent and a worker, which may be of different versions."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from tidings.server.channel import FromWorker, ToWorker, receive, send

Pair = tuple[tuple[asyncio.StreamReader, asyncio.StreamWriter], tuple[asyncio.StreamReader, asyncio.StreamWriter]]


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    ours, theirs = socket.socketpair()
    both = await asyncio.open_connection(sock=ours), await asyncio.open_connection(sock=theirs)
    yield both
    for _, writer in both:
        writer.close()


async def test_messages_arrive_in_order_until_the_other_is_gone(pair: Pair) -> None:
    (_, parent), (reader, _) = pair
    sent = [ToWorker(do="close"), ToWorker(others={1: [("x", {"a": "b"}, 1.5)]}), ToWorker(do="leave")]
    for message in sent:
        send(parent, message)
    parent.close()
    send(parent, ToWorker(do="hurry"))
    assert [message async for message in receive(reader, ToWorker)] == sent


async def test_names_of_another_version_are_ignored(pair: Pair) -> None:
    (_, worker), (reader, _) = pair
    worker.write(b'{"serving":true,"mood":"good"}\n')
    worker.close()
    assert [message async for message in receive(reader, FromWorker)] == [FromWorker(serving=True)]


async def test_a_connection_that_is_reset_has_ended(pair: Pair) -> None:
    (_, worker), (reader, _) = pair
    send(worker, FromWorker(left=True))
    found = receive(reader, FromWorker)
    assert await anext(found) == FromWorker(left=True)
    reader.set_exception(ConnectionResetError())
    assert [message async for message in found] == []
