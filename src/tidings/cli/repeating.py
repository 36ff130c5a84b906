"""Commands that repeat their work with `--every`."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from time import monotonic, sleep
from typing import NoReturn

from tidings.errors import InvalidRequest, TooManyRequests, Unavailable

from .json_lines import WRONG, Failure
from .terminal import say

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

SHORTEST, LONGEST = 1, 86_400
"""Seconds between two repetitions: one second to one day."""

PASSING = (Unavailable, TooManyRequests, InvalidRequest, Failure)
"""Errors of one repetition, after which the next one may succeed. Others, such as a token that is not valid, stay."""


def seconds_of(text: str) -> int:
    """Return the seconds of a length of time such as 90s, 30m, 12h or 7d. Raises Failure."""
    length = re.fullmatch(r"([0-9]{1,9})([smhd]?)", text)
    if length is None:
        raise Failure(f"{text!r} is not a length of time. Write 90s, 30m, 12h or 7d.", WRONG)
    return int(length[1]) * _UNITS[length[2]]


def period_of(text: str) -> int:
    """Return the seconds of `--every`. Raises Failure."""
    seconds = seconds_of(text)
    if not SHORTEST <= seconds <= LONGEST:
        raise Failure("--every is a time from 1s to 1d.", WRONG)
    return seconds


def repeat(work: Callable[[], object], period: float) -> NoReturn:
    """Do the work now and then once each period, for ever. A time that passes during the work is left out.

    A mistake is seen at once: the first failure of the first time is raised. Later ones that may pass are written to
    standard error. Raises TidingsError and Failure.
    """
    due = monotonic()
    work()
    while True:
        due += period * max(1, math.ceil((monotonic() - due) / period))
        sleep(max(0.0, due - monotonic()))
        try:
            work()
        except PASSING as error:
            say(str(error))
