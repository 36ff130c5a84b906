"""PURE: the changes that events make in the index of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tidings.apps.file import File


class Said(NamedTuple):
    """A text of a topic. `n`: its place in the topic. `by`: its author, empty for an assistant, for a person without a
    name, and for the place of a text that a later edit brings. `run`: the run of a question or an answer."""

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
    """A text that replaces the text at place `n`, if both have the same author."""

    n: int
    said: Said


class Taken(NamedTuple):
    """The deletion of the text at place `n`."""

    n: int


Change = Said | Edited | Taken
