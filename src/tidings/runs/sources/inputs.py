"""The input of a runnable for a conversation: its messages as the runnable takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from tidings.errors import InvalidRequest

Message = dict[str, Any]
"""A turn of a conversation: `role`, and `content`, a text or LangChain's content blocks. The last turn is the
question."""

MESSAGES = "messages"
"""The field of a graph's state that holds a conversation."""

QUESTIONS = ("question", "query", "input")
"""Fields that hold the question, among several texts."""


def input_maker(name: str, runnable: Any) -> Callable[[list[Message]], Any]:
    """Return the function that makes a runnable's input of a conversation's messages.

    A runnable whose input is an object with the field `messages`, as that of agents is, gets `{"messages": …}`. Of
    another object the question fills its only text, or the text called `question`, `query` or `input`. An input that is
    a text is the question, and any other is the list of messages. Blocks for as long as the runnable makes its schema.
    Raises InvalidRequest for an object that fits none of these.
    """
    schema = _schema_of(runnable)
    fields = _fields_of(runnable, schema)
    if fields is None:
        if schema.get("type") == "string":
            return lambda messages: _text(messages[-1])
        return lambda messages: messages
    if MESSAGES in fields:
        return lambda messages: {MESSAGES: messages}
    texts = [field for field, is_text in fields.items() if is_text]
    chosen = texts if len(texts) == 1 else [field for field in QUESTIONS if field in texts][:1]
    if chosen and set(schema.get("required") or ()) <= set(chosen):
        (only,) = chosen
        return lambda messages: {only: _text(messages[-1])}
    raise InvalidRequest(
        f"The input of the assistant {name} is an object of {', '.join(list(fields)[:10])}. Say how to make it of the "
        'conversation: Assistant(…, input=lambda messages: {"…": messages[-1]["content"]}).'
    )


def _text(message: Message) -> str:
    """Return the text of a message. Its first content block is text."""
    content = message["content"]
    text: str = content if isinstance(content, str) else content[0]["text"]
    return text


def _schema_of(runnable: Any) -> Mapping[str, Any]:
    """Return the JSON Schema of a runnable's input. {}: it has none, or the runnable is a graph with a state."""
    if hasattr(runnable, "builder") or not hasattr(runnable, "get_input_jsonschema"):
        return {}
    try:
        schema: Any = runnable.get_input_jsonschema()
    except Exception:  # the code is the application's, and the runnable may still take messages
        return {}
    if not isinstance(schema, Mapping):
        return {}
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return schema["$defs"][name] if name in (schema.get("$defs") or {}) else schema


def _fields_of(runnable: Any, schema: Mapping[str, Any]) -> dict[str, bool] | None:
    """Return the fields of an input that is an object, and whether each is a text; None for another input.

    The state of a graph is read from its type, as pydantic makes no schema of some types of Python below 3.12.
    """
    state = getattr(getattr(runnable, "builder", None), "input_schema", None)
    if state is not None:
        return {field: kind is str for field, kind in get_type_hints(state).items()} or None
    fields = schema.get("properties")
    if schema.get("type") != "object" or not fields:
        return None
    return {field: isinstance(kind, Mapping) and kind.get("type") == "string" for field, kind in fields.items()}
