"""PURE: what an assistant is given when it is asked in a room: the room's recent messages, and the question."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from tidings.errors import InvalidRequest
from tidings.events import Event

from . import facts
from .facts import AnswerPosted, MessageDeleted, MessageEdited, MessagePosted

EVENTS = 100
"""Events before the question that are looked at."""

CHARACTERS = 12_000
"""Characters of the messages before the question that an assistant is given, the last ones: about 3,000 tokens."""

Message = dict[str, Any]
"""A turn of a conversation: `role`, `content`, and the ids of the `files` of the question."""


def conversation(before: Iterable[Event], asked: MessagePosted, question: str) -> list[Message]:
    """The turns up to the question. What people say is the user's part, each line with its author's name, and what
    assistants have answered the assistant's."""
    said = _said(before)
    if asked.quote and not any(asked.quote.text in text for _, text in said):
        said.insert(0, ("user", f"{asked.quote.by or 'Assistant'}: {asked.quote.text}"))
    turns: list[Message] = []
    for role, text in _last(said):
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += f"\n{text}"
        elif turns or role == "user":
            turns.append({"role": role, "content": text})
    files = {"files": [file.id for file in asked.attached]} if asked.attached else {}
    return [*turns, {"role": "user", "content": question, **files}]


def question_of(text: str, names: Sequence[str]) -> str:
    """The text without the `@NAME` that calls an assistant; all of it if nothing else is said.

    The words after the call are a paragraph by themselves, since they are the question: what stands before them may be
    said to others.
    """
    calls = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    before, *after = re.split(rf"(?i)(?<!\w)@(?:{calls})(?!\w)[,:]?[ \t]*", text)
    asked = "".join(after).strip()
    if not re.search(r"\w", before) or not re.search(r"\w", asked):
        return f"{before}{asked}".strip() or text.strip()
    return f"{before.rstrip()}\n\n{asked}"


def _said(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Roles and texts, as edited, without what was deleted."""
    found: dict[str, MessagePosted | AnswerPosted] = {}
    for event in events:
        if event.redacted:
            found[str(event.offset)] = AnswerPosted(run="")  # until the edit that says all of it
            continue
        try:
            fact = facts.read(event.type, event.data)
        except InvalidRequest:
            continue
        match fact:
            case MessagePosted() | AnswerPosted():
                found[str(event.offset)] = fact
            case MessageEdited() if fact.message in found:
                found[fact.message] = facts.restated(fact)
            case MessageDeleted():
                found.pop(fact.message, None)
    return [
        ("user", f"{fact.by}: {fact.words}") if isinstance(fact, MessagePosted) else ("assistant", fact.text)
        for fact in found.values()
        if not isinstance(fact, AnswerPosted) or fact.text
    ]


def _last(said: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the last texts that have at most CHARACTERS together."""
    left, kept = CHARACTERS, []
    for role, text in reversed(said):
        left -= len(text)
        if left < 0:
            break
        kept.append((role, text))
    return kept[::-1]
