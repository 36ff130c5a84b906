"""The reason why a message ended, in every provider's words."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from tidings.runs.sources.reason import ending, told, usage_of

CALL = {"name": "add", "args": {}, "id": "c1", "type": "tool_call"}


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"finish_reason": "stop"}, "stop"),
        ({"finish_reason": "length"}, "length"),
        ({"finish_reason": "FinishReason.MAX_TOKENS"}, "length"),
        ({"finish_reason": "SAFETY"}, "content_filter"),
        ({"finish_reason": "MALFORMED_FUNCTION_CALL"}, "error"),
        ({"stop_reason": "end_turn"}, "stop"),
        ({"stop_reason": "pause_turn"}, "length"),
        ({"stop_reason": "refusal"}, "content_filter"),
        ({"stopReason": "max_tokens"}, "length"),
        ({"stopReason": "end_turn"}, "stop"),
        ({"stopReason": "guardrail_intervened"}, "content_filter"),
        ({"stopReason": "tool_use"}, "tool_calls"),
        ({"done_reason": "length"}, "length"),
        ({"finishReason": "RECITATION"}, "content_filter"),
        ({"status": "completed"}, "stop"),
        ({"status": "incomplete"}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "in_progress"}, "error"),
        ({"status": "failed"}, "error"),
        ({"finish_reason": "a word of tomorrow"}, "stop"),
        ({"finish_reason": None}, None),
        ({}, None),
    ],
)
def test_every_word(metadata: dict[str, Any], finish: str | None) -> None:
    assert told(metadata) == finish


@pytest.mark.parametrize(
    ("message", "reason", "provider", "finish"),
    [
        (AIMessage("a"), None, None, "stop"),
        (AIMessage("a"), None, "fake", "stop"),
        (AIMessage("a"), None, "openai", "error"),
        (AIMessage("a", response_metadata={"model_provider": "anthropic"}), None, None, "error"),
        (AIMessage("", tool_calls=[CALL]), None, None, "tool_calls"),
        (AIMessage("", tool_calls=[CALL]), "stop", "openai", "tool_calls"),
        (AIMessage("", tool_calls=[CALL]), "length", "openai", "length"),
        (AIMessage("", additional_kwargs={"refusal": "No."}), "stop", "openai", "content_filter"),
        (AIMessage([{"type": "refusal", "refusal": "No."}]), "stop", "openai", "content_filter"),
    ],
)
def test_the_ending_of_a_message(message: Any, reason: Any, provider: str | None, finish: str) -> None:
    assert ending(message, reason, provider) == finish


def test_usage_has_the_name_of_its_model() -> None:
    usage: Any = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert usage_of(AIMessage("a"), "m") is None
    assert usage_of(AIMessage("a", usage_metadata=usage), None) == usage
    assert usage_of(AIMessage("a", usage_metadata=usage), "m") == {"model": "m", **usage}
    named = AIMessage("a", usage_metadata=usage, response_metadata={"model_name": "n"})
    assert usage_of(named, "m") == {"model": "n", **usage}
