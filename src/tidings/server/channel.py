"""The messages between the parent and a worker: JSON lines over a pair of sockets.

The two may be of different versions during a deploy, so that messages have names and unknown names are ignored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal, TypeVar

import msgspec

from tidings.http.metrics import Figure

LINE = 1 << 20
"""Bytes of the longest message."""

Order = Literal["", "close", "leave", "drain", "hurry"]
"""An order to a worker. `close`: accept no more connections. `leave`: hand over the streams, then stay until the runs
have ended. `drain`: end, as at SIGTERM. `hurry`: end now."""


class ToWorker(msgspec.Struct, omit_defaults=True):
    """A message to a worker: an order, or the figures of the other workers by their numbers."""

    do: Order = ""
    others: dict[int, list[Figure]] | None = None


class FromWorker(msgspec.Struct, omit_defaults=True):
    """A message of a worker, each of which is a sign of life.

    `serving`: it accepts connections. `left`: all of its streams are handed over. `figures`: its metrics.
    """

    serving: bool = False
    left: bool = False
    figures: list[Figure] | None = None


Message = TypeVar("Message", ToWorker, FromWorker)

_encode = msgspec.json.Encoder().encode


def send(writer: asyncio.StreamWriter, message: ToWorker | FromWorker) -> None:
    """Send a message, without waiting. If the other process is gone, nothing happens."""
    if not writer.is_closing():
        writer.write(_encode(message) + b"\n")


async def receive(reader: asyncio.StreamReader, kind: type[Message]) -> AsyncIterator[Message]:
    """Iterate over the messages until the other process is gone."""
    decode = msgspec.json.Decoder(kind).decode
    try:
        while line := await reader.readline():
            yield decode(line)
    except ConnectionError:
        return
