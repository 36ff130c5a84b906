"""The commits of all processes that this one has heard of."""

from __future__ import annotations


class Heard:
    """The numbers of commits: all up to `upto`, and those `ahead`, which came out of order."""

    def __init__(self, upto: int) -> None:
        self._upto = upto
        self._ahead: set[int] = set()

    def add(self, number: int) -> None:
        if number > self._upto:
            self._ahead.add(number)
        while self._upto + 1 in self._ahead:
            self._upto += 1
            self._ahead.remove(self._upto)

    def missed(self, number: int) -> bool:
        """True if a commit up to `number` has not been heard of. All of them count as heard from now on."""
        missed = number > self._upto
        if missed:
            self._upto = number
            self._ahead = {each for each in self._ahead if each > number}
            self.add(number)
        return missed
