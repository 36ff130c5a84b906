"""Limits: the amounts that a person may use up in a time, and the runs that a person may have under way.

People are the guests of a server without a key, senders who are known by a cookie, and tokens with the claim
`"limits": "person"`. The token of a program is limited only by a claim of its own, such as `"limits": {"runs": 5}`.
The store knows the bytes of files. Each process counts all else, and is told what other processes have counted
(`spend_elsewhere`, `hold_elsewhere`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from tidings.errors import InvalidRequest, TooLarge, TooManyRequests

from .subject import PERSON, Subject


class Kind(NamedTuple):
    """An amount that is limited. `text` names the act, and `seconds` the period; 0 limits the amount at one time."""

    text: str
    seconds: int


KINDS: Mapping[str, Kind] = {
    "publishes": Kind("publish {:,} events", 10),
    "topics": Kind("create {:,} topics", 86400),
    "rooms": Kind("create {:,} rooms", 86400),
    "members": Kind("add {:,} members to rooms", 86400),
    "uploads": Kind("upload {:,} files", 3600),
    "upload_bytes": Kind("upload {:,} bytes", 86400),
    "kept_bytes": Kind("keep {:,} bytes of files", 0),
    "runs_an_hour": Kind("start {:,} runs", 3600),
    "runs": Kind("have {:,} runs under way", 0),
}
"""The limits by name, as claims and settings name them."""

PERIODS = {10: "10 seconds", 3600: "an hour", 86400: "a day"}

LONGEST_RUN = 86400.0
"""Seconds after which a run that was never seen to end does not count any more."""

PROMISED = 30.0
"""Seconds for which a place is held for a run that starts once its question is stored."""

PROMISE = "promised"

REMEMBERED = 50_000
"""Amounts that are remembered. Beyond that, those that have been unused for longest are forgotten."""


class Amount(NamedTuple):
    """The amount of a kind that a person may use up."""

    name: str
    kind: str
    most: int


class Limits:
    """The limits of a server for people, by the names of KINDS; 0 or a missing name is no limit."""

    def __init__(self, people: Mapping[str, int] | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._people = valid_limits(people or {})
        self._clock = clock
        self.spent: dict[Amount, float] = {}
        """Amounts that were counted here and are not told to other processes yet: the teller takes them out."""
        self.creating: set[tuple[str, str]] = set()
        """The topics that requests under way may create, each with the name of its person."""
        self._left: dict[tuple[str, str], tuple[float, float]] = {}
        self._runs: dict[str, dict[str, float]] = {}
        self._elsewhere: dict[str, Mapping[str, int]] = {}
        self._owners: dict[str, str] = {}
        self._places = 0

    def most(self, subject: Subject, kind: str) -> int:
        """Return the subject's limit; 0 is no limit."""
        limits = self._people if subject.limits == PERSON else subject.limits
        return limits.get(kind, 0) if isinstance(limits, Mapping) else 0

    def spend(self, subject: Subject, kind: str, count: int = 1) -> None:
        """Count `count` of the subject's amount.

        Raises TooManyRequests with the seconds to wait, or TooLarge for more than the whole amount; neither counts.
        """
        if count and (most := self.most(subject, kind)):
            self.check(subject, kind, count)
            self._take(Amount(subject.name or "", kind, most), count)

    @contextmanager
    def up_to(self, subject: Subject, kind: str, count: int) -> Iterator[Callable[[int], None]]:
        """Count `count` while the block runs. At its end only what the yielded function was told stays counted.

        Raises TooManyRequests or TooLarge as `spend` does.
        """
        self.spend(subject, kind, count)
        left = count

        def came(part: int) -> None:
            nonlocal left
            left -= part

        try:
            yield came
        finally:
            if most := self.most(subject, kind):
                self._take(Amount(subject.name or "", kind, most), -max(left, 0))

    def count(self, subject: Subject, kind: str) -> None:
        """Count something that has happened, even if nothing is left of the amount."""
        if most := self.most(subject, kind):
            self._take(Amount(subject.name or "", kind, most), 1)

    def check(self, subject: Subject, kind: str, count: int = 1) -> None:
        """Raise TooManyRequests if the subject has less than `count` left of an amount.

        Raises TooLarge if `count` is more than the whole limit.
        """
        most = self.most(subject, kind)
        if most and count > most:
            raise TooLarge(rule(kind, most), limit=most)
        if most and (left := self._refill(Amount(subject.name or "", kind, most))) < count:
            raise too_many(rule(kind, most), (count - left) * KINDS[kind].seconds / most)

    def spend_elsewhere(self, amount: Amount, count: float) -> None:
        """Take over an amount that another process has counted, or, if negative, has given back."""
        self._left[amount.name, amount.kind] = self._rest(amount, count), self._clock()

    def _take(self, amount: Amount, count: float) -> None:
        self.spend_elsewhere(amount, count)
        untold = self.spent.pop(amount, 0) + count
        if untold and len(self.spent) < REMEMBERED:
            self.spent[amount] = untold

    def _rest(self, amount: Amount, count: float) -> float:
        return min(max(self._refill(amount) - count, 0.0), amount.most)

    def _refill(self, amount: Amount) -> float:
        """Return what is left of an amount by now: it fills again evenly over its time."""
        (name, kind, most), now = amount, self._clock()
        key = name, kind
        left, at = self._left.pop(key, (float(most), now))
        left = min(left + (now - at) * most / KINDS[kind].seconds, most)
        self._left[key] = left, now  # at the end of the order: the first has been unused for longest
        if len(self._left) > REMEMBERED:
            del self._left[next(iter(self._left))]
        return left

    @contextmanager
    def run(self, subject: Subject) -> Iterator[Callable[[str], None]]:
        """Hold a place for a run that is being started; the function that this yields gives the place to a run's id.

        The place is free again when the run has ended (`ended`), or at the end of the block if no run took it. Raises
        TooManyRequests.
        """
        self._check_places(subject, 1)
        owner, limited = subject.name or "", bool(self.most(subject, "runs"))
        with self.up_to(subject, "runs_an_hour", 1) as came:
            place = self._place()
            if limited:
                self._hold(place, owner)

            def begun(run: str) -> None:
                came(1)
                if limited:
                    self._hold(run, owner)

            try:
                yield begun
            finally:
                self._free(place)

    def held(self) -> dict[str, int]:
        """Return the places that people hold here for runs, by their names."""
        return {owner: len(held) for owner, held in self._runs.items()}

    def hold_elsewhere(self, process: str, held: Mapping[str, int]) -> None:
        """Count the places that people hold in another process. Empty: it holds none, or is gone."""
        if held:
            self._elsewhere[process] = held
        else:
            self._elsewhere.pop(process, None)

    def promise(self, subject: Subject, count: int) -> None:
        """Hold places for runs that start once an event is stored, which takes them with `keep`.

        A place that no run takes is free again after PROMISED seconds. Raises TooManyRequests or TooLarge.
        """
        if not count:
            return
        self._check_places(subject, count)
        self.spend(subject, "runs_an_hour", count)
        if self.most(subject, "runs"):
            for _ in range(count):
                self._hold(f"{PROMISE}{self._place()}", subject.name or "", self._clock() - LONGEST_RUN + PROMISED)

    def keep(self, subject: Subject, run: str) -> None:
        """Give a promised place to a run that has started."""
        if self.most(subject, "runs"):
            held = self._runs.get(subject.name or "", {})
            promised = next((place for place in held if place.startswith(PROMISE)), None)
            if promised is not None:
                self._free(promised)
            self._hold(run, subject.name or "")

    def _check_places(self, subject: Subject, count: int) -> None:
        """Raise TooManyRequests if there is no room for `count` more runs."""
        most, held = self.most(subject, "runs"), self._runs.get(subject.name or "", {})
        for run, since in list(held.items()):
            if self._clock() - since > LONGEST_RUN:
                self._free(run)
        elsewhere = sum(others.get(subject.name or "", 0) for others in self._elsewhere.values())
        if most and len(held) + elsewhere + count > most:
            raise too_many(rule("runs", most), 5)

    def _place(self) -> str:
        """Return a name for a place that no run has yet."""
        self._places += 1
        return f" {self._places}"

    async def ended(self, run: str) -> None:
        """Free the place of a run that has ended: for `hub.runs.on_end`."""
        self._free(run)

    def _hold(self, run: str, owner: str, since: float | None = None) -> None:
        self._owners[run] = owner
        self._runs.setdefault(owner, {})[run] = self._clock() if since is None else since

    def _free(self, run: str) -> None:
        owner = self._owners.pop(run, None)
        if owner is not None:
            held = self._runs[owner]
            del held[run]
            if not held:
                del self._runs[owner]


def rule(kind: str, most: int) -> str:
    """Return the sentence that states a limit."""
    text, seconds = KINDS[kind]
    return f"You may {text.format(most)}{f' in {PERIODS[seconds]}' if seconds else ' at a time'}."


def too_many(rule: str, seconds: float) -> TooManyRequests:
    """Return the error of a limit that is reached, for `seconds` more."""
    wait = max(math.ceil(seconds), 1)
    text = f"{wait} second{'s' * (wait > 1)}" if wait < 120 else f"{math.ceil(wait / 60)} minutes"
    return TooManyRequests(f"{rule} Wait {text}.", retry_after=wait)


def valid_limits(limits: object) -> dict[str, int]:
    """Return the limits, if they are numbers by the names of KINDS. Raises InvalidRequest."""
    if not isinstance(limits, Mapping):
        raise InvalidRequest(f'limits are "{PERSON}", or numbers by their names')
    for kind, most in limits.items():
        if kind not in KINDS:
            raise InvalidRequest(f"there is no limit named {str(kind)[:40]!r}, but {', '.join(KINDS)}")
        if isinstance(most, bool) or not isinstance(most, int) or most < 0:
            raise InvalidRequest(f"the limit {kind} is a whole number, 0 for none")
    return dict(limits)
