"""Files and refusals in the content of messages. Text, thoughts, tools and sources are in test_langchain.py."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk

from tests.runs.scripted import Said, only, says, sound, text, told
from tidings import Hub
from tidings.runs.sources import message as messages
from tidings.runs.sources.content import refusal_of

PICTURE = base64.b64encode(os.urandom(700_000)).decode()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    async with Hub("memory:") as hub:
        yield hub


async def shown(hub: Hub, **block: Any) -> list[Said]:
    said = await told(hub, says("Here: ", AIMessageChunk(content=[{"type": "image", **block}])))
    sound(said)
    return said


async def test_a_large_picture_is_stored_whole(hub: Hub) -> None:
    said = await shown(hub, base64=PICTURE, mime_type="image/png")
    assert text(said, "file") == PICTURE
    file = only(said, "block.finished")[0]
    assert file["content"] == {"type": "image", "mime_type": "image/png", "characters": len(PICTURE)}
    assert file["status"] == "complete"
    assert said[-1]["outcome"] == "success"


async def test_a_small_picture_is_in_one_event(hub: Hub) -> None:
    said = await shown(hub, base64="aGk=", mime_type="image/png")
    file = only(said, "block.finished")[0]
    assert file["content"] == {"type": "image", "mime_type": "image/png", "base64": "aGk="}
    assert text(said, "file") == ""


async def test_a_picture_in_a_data_url_is_base64(hub: Hub) -> None:
    said = await shown(hub, url="data:image/webp;base64," + PICTURE)
    assert text(said, "file") == PICTURE
    assert only(said, "block.finished")[0]["content"]["mime_type"] == "image/webp"
    said = await shown(hub, url="data:;base64,aGk=")
    assert only(said, "block.finished")[0]["content"] == {"type": "image", "base64": "aGk="}


async def test_content_that_cannot_be_stored_whole_is_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LARGEST", 500_000)
    for block in ({"base64": PICTURE}, {"url": "https://x/" + "y" * 300_000}):
        said = await shown(hub, **block)
        assert (said[-1]["type"], said[-1]["code"]) == ("run.failed", "too_large")
        assert not any(isinstance(e.get("content"), dict) and "truncated" in e["content"] for e in said)
        assert text(said) == "Here: "


async def test_a_run_that_is_stopped_after_a_large_picture_ends(hub: Hub) -> None:
    picture = AIMessageChunk(content=[{"type": "image", "base64": PICTURE, "mime_type": "image/png"}])
    said = await told(hub, says(picture, RuntimeError("late")))
    sound(said)
    assert text(said, "file") == PICTURE
    assert said[-1]["code"] == "internal"


def test_the_words_of_a_refusal() -> None:
    assert refusal_of(AIMessage("a")) is None
    assert refusal_of(AIMessage("", additional_kwargs={"refusal": "No."})) == "No."
    assert refusal_of(AIMessage([{"type": "refusal", "refusal": "No."}, {"type": "text", "text": "a"}])) == "No."


async def test_the_refusal_of_a_completion_is_said(hub: Hub) -> None:
    chunk = AIMessageChunk(
        content="", additional_kwargs={"refusal": "No."}, response_metadata={"finish_reason": "stop"}
    )
    said = await told(hub, says(chunk))
    sound(said)
    assert text(said) == "No."
    assert said[-1]["finish"] == "content_filter"
