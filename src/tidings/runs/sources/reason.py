"""The end of a message: the reason in the words of many providers, and the usage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidings.wire.run_events import Finish

from .content import refusal_of

_WORDS: dict[Finish, str] = {
    "length": "length max_tokens model_length max_output_tokens model_context_window_exceeded pause_turn",
    "tool_calls": "tool_calls tool_use tool_call function_call",
    "content_filter": (
        "content_filter content_filtered guardrail_intervened safety image_safety refusal recitation blocklist "
        "prohibited_content spii error_toxic sensitive"
    ),
    "error": (
        "error failed cancelled abort aborted in_progress queued network_error insufficient_system_resource "
        "unexpected_tool_call malformed_function_call malformed_model_output malformed_tool_use"
    ),
}
_FINISH: dict[str, Finish] = {word: finish for finish, words in _WORDS.items() for word in words.split()}
"""The words of OpenAI, Anthropic, Google, Amazon, Cohere, Mistral, DeepSeek, Zhipu and Ollama. What else they say is a
`stop`."""
_KEYS = ("finish_reason", "stop_reason", "done_reason", "finishReason", "stopReason")

_ALWAYS_TELL = frozenset({"openai", "azure", "azure_openai", "anthropic", "deepseek", "xai"})
"""Providers whose every whole answer has a reason. Their clients end in silence when the connection ends early."""


def told(metadata: Mapping[str, Any]) -> Finish | None:
    """The reason in a message's or a chunk's `response_metadata`, or None if there is none."""
    for key in _KEYS:
        if isinstance(reason := metadata.get(key), str) and reason:
            return _FINISH.get(reason.rpartition(".")[2].lower(), "stop")
    status = metadata.get("status")  # of the Responses API
    if status == "incomplete":
        details = metadata.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else None
        return _FINISH.get(str(reason), "length")
    if isinstance(status, str):
        return _FINISH.get(status, "stop")
    return None


def ending(message: Any, reason: Finish | None, provider: Any) -> Finish:
    """The reason why a message of LangChain ended. `reason`: the provider's, if there is one.

    A message without a reason has the ending `error` if its `provider` always tells a reason.
    """
    if reason is None and (message.response_metadata.get("model_provider") or provider) in _ALWAYS_TELL:
        return "error"
    if reason in (None, "stop"):
        if getattr(message, "tool_calls", None):
            return "tool_calls"
        return "content_filter" if refusal_of(message) else "stop"
    return reason


def usage_of(message: Any, model: Any) -> dict[str, Any] | None:
    """The usage that a message of LangChain reports, with the name of its model, or else `model`."""
    usage = dict(message.usage_metadata or {})
    if not usage:
        return None
    name = message.response_metadata.get("model_name") or message.response_metadata.get("model") or model
    return {"model": name, **usage} if name else usage
