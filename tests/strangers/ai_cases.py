"""The answers that Vercel's AI SDK is asked to read, and what it shall make of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WAIT, FAIL = object(), object()
PICTURE = "data:image/png;base64,iVBORw0KGgo="
LONG = [f"{n} " for n in range(1000)]

CASES: dict[str, Sequence[Any]] = {
    "complete": ["Hello", ", ", "world"],
    "empty": [],
    "long": LONG,
    "hard": ["€豆腐\n\n", "data: [DONE]\n\n", "\r\n", "id: 3", "[DONE]"],
    "failed": ["some ", FAIL],
    "stopped": ["some ", WAIT],
    "interrupted": ["some ", WAIT],
    "resumed": ["some ", WAIT, "more"],
    "again": ["Hello", ", ", "world"],
    "second-tab": ["some ", WAIT, "more"],
    "two-topics": ["Hello", ", ", "world"],
    "redacted": ["some ", "secret ", "words"],
    "tools": [],
    "reasoning": [],
    "files": [],
}
"""The pieces of each answer, with `WAIT` for a request `go`, and `FAIL` for a model that fails. Answers that are not
text alone are made by the apps themselves."""

PARTS: dict[str, list[list[Any]]] = {
    "complete": [["text", "Hello, world"]],
    "empty": [],
    "long": [["text", "".join(LONG)]],
    "hard": [["text", "€豆腐\n\ndata: [DONE]\n\n\r\nid: 3[DONE]"]],
    "failed": [["text", "some "]],
    "stopped": [["text", "some "]],
    "interrupted": [["text", "some "]],
    "resumed": [["text", "some more"]],
    "again": [["text", "Hello, world"]],
    "second-tab": [["text", "some more"]],
    "two-topics": [["text", "Hello, world"], ["data-note", 1]],
    "redacted": [["text", "some words"]],
    "tools": [["tool-count", "output-available", {"of": "lamps"}, "three"], ["text", "Three lamps."]],
    "reasoning": [["reasoning", "Let me see."], ["text", "42"]],
    "files": [["text", "Here: "], ["file", "image/png", PICTURE]],
}
"""The parts of the SDK's message, as ai_client.mjs prints them."""

ERRORS: dict[str, dict[str, str]] = {
    "published": {"failed": "the model failed", "interrupted": "interrupted"},
    "translated": {"failed": "Something went wrong on this server.", "interrupted": "interrupted"},
}
"""The text of the SDK's error, for the answers that have one. A run does not show what a bug said."""
