"""PURE: what events change in the index of what was said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tidings.apps.file import File


class Said(NamedTuple):
    """A text of a topic. `n`: its place in the topic. `by`: its author, empty for an assistant, for a person without a
    name, and for a text that is not there yet. `run`: the run of a question, or of an answer in a conversation."""

    n: int
    text: str
    by: str
    time: float
    assistant: str | None = None
    run: str | None = None
    files: Sequence[File] = ()

    @property
    def words(self) -> str:
        """The text, and on a last line the names of the files."""
        return "\n".join(filter(None, [self.text, ", ".join(file.name for file in self.files)]))


class Edited(NamedTuple):
    """The text that is in the place of another. Only its author's text takes a text's place."""

    n: int
    said: Said


class Taken(NamedTuple):
    """The end of a text."""

    n: int


Change = Said | Edited | Taken
