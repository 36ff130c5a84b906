"""The input of an assistant as LangChain's messages."""

from __future__ import annotations

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, convert_to_messages
from langchain_core.prompt_values import PromptValue

SYSTEM = "You are a helpful assistant. Answer briefly and correctly, in Markdown. If you do not know something, say so."


def to_messages(given: LanguageModelInput) -> list[BaseMessage]:
    """Return the messages of an input: a question, messages (or `{"role", "content"}`), or a prompt."""
    if isinstance(given, str):
        return [HumanMessage(given)]
    return given.to_messages() if isinstance(given, PromptValue) else convert_to_messages(given)


def with_system(given: LanguageModelInput) -> list[BaseMessage]:
    """Return the messages with a system message in front, unless they begin with one."""
    messages = to_messages(given)
    own = any(isinstance(message, SystemMessage) for message in messages)
    return messages if own else [SystemMessage(SYSTEM), *messages]


def recent(messages: list[BaseMessage], characters: int) -> list[BaseMessage]:
    """Return the system messages, and as many of the last others as fit into `characters`, at least one."""
    kept: list[BaseMessage] = []
    for message in reversed(messages):
        if isinstance(message, SystemMessage):
            kept.append(message)
            continue
        characters -= len(message.text)
        if characters >= 0 or not any(not isinstance(other, SystemMessage) for other in kept):
            kept.append(message)
    return kept[::-1]
