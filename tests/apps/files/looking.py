"""Assistants for a server that is told where they are: an assistant that takes pictures, and another without files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from tidings import Assistant

GIVEN: list[Any] = []
"""The messages of each question to the first assistant."""


async def look(messages: Any) -> AsyncIterator[str]:
    GIVEN.append(messages)
    yield "I see."


async def hear(_: Any) -> AsyncIterator[str]:
    yield "I hear."


assistants = {"looking": Assistant(look, files="images"), "hearing": Assistant(hear, files="none")}
