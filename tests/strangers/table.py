"""The table of docs/clients/comparison.md: what each client made of each situation."""

from __future__ import annotations

from collections.abc import Mapping

from .situations import FIRST, SITUATIONS, THEN, Outcome

ALL = [*FIRST, *THEN]


def verdict(situation: str, outcome: Outcome) -> str:
    """Say in a few words what a client has made of a situation.

    `all`: each event once and in order. `raises`: each event up to the cut, then an error. `stops`: the same without an
    error. At the close of the topic, a client that has each event `ends`, `raises`, or `asks for ever`.
    """
    texts = list(outcome.texts)
    if set(texts) - set(ALL):
        return "garbled"
    lost = len(set(ALL) - set(texts))
    doubled = len(texts) - len(set(texts))
    if doubled:
        return f"{doubled} doubled"
    if list(dict.fromkeys(texts)) != ALL[: len(texts)]:
        return f"{lost} lost" if lost else "out of order"
    if situation != "close" and not lost:
        return "all"
    if not outcome.ended:
        return "asks for ever" if not lost else f"{lost} lost"
    return ("stops" if lost else "ends") if outcome.ended == "returned" else "raises"


def table(found: Mapping[str, Mapping[str, Outcome]]) -> str:
    """The table in Markdown. `found`: the outcomes of each situation by client."""
    lines = [f"| client | {' | '.join(SITUATIONS)} |", f"| --- {'| --- ' * len(SITUATIONS)}|"]
    for name in found["live"]:
        cells = [verdict(situation, found[situation][name]) for situation in SITUATIONS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)
