"""The input of a runnable for a conversation: its messages as the runnable takes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tidings.errors import InvalidRequest

Message = dict[str, str]
"""A turn of a conversation: `role` and `content`. The last turn is the question."""

MESSAGES = "messages"
"""The field of a graph's state that holds a conversation."""


def input_maker(name: str, runnable: Any) -> Callable[[list[Message]], Any]:
    """Return the function that makes a runnable's input of a conversation's messages.

    A runnable whose input is an object with the field `messages`, as that of agents is, gets `{"messages": …}`. An
    object with one text that must be given, and a text, are the question. Any other input is the list of messages.
    Blocks for as long as the runnable makes its schema. Raises InvalidRequest for an object that fits none of these.
    """
    schema = _schema_of(runnable)
    if schema.get("type") == "object":
        fields: Mapping[str, Any] = schema.get("properties") or {}
        if MESSAGES in fields:
            return lambda messages: {MESSAGES: messages}
        wanted = [field for field in schema.get("required") or fields if _is_text(fields.get(field))]
        if len(wanted) == 1 and set(schema.get("required") or ()) <= set(wanted):
            (only,) = wanted
            return lambda messages: {only: messages[-1]["content"]}
        if fields:
            raise InvalidRequest(
                f"The input of the assistant {name} is an object of {', '.join(list(fields)[:10])}. Say how to make it "
                'of the conversation: Assistant(…, input=lambda messages: {"…": messages[-1]["content"]}).'
            )
    if _is_text(schema):
        return lambda messages: messages[-1]["content"]
    return lambda messages: messages


def _schema_of(runnable: Any) -> Mapping[str, Any]:
    """Return the JSON Schema of a runnable's input; {} if there is none."""
    try:
        schema: Any = runnable.get_input_jsonschema()
    except Exception:  # whatever a runnable of others raises, it may still take messages
        return {}
    if not isinstance(schema, Mapping):
        return {}
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return schema["$defs"][name] if name in (schema.get("$defs") or {}) else schema


def _is_text(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "string"
