"""The commits that a process has heard of."""

from __future__ import annotations

import random

from tidings.stores.sqlite.heard import Heard


def test_a_process_that_has_heard_of_all_has_missed_none() -> None:
    heard = Heard(3)
    numbers = list(range(4, 40))
    random.Random(1).shuffle(numbers)
    for number in numbers:
        heard.add(number)
    heard.add(2)
    assert not heard.missed(39)
    assert not heard.missed(3)


def test_a_commit_that_nobody_told_of_is_missed_once() -> None:
    heard = Heard(0)
    heard.add(2)
    assert heard.missed(2)
    assert not heard.missed(2)
    heard.add(3)
    assert not heard.missed(3)


def test_commits_heard_ahead_of_a_missed_one_stay_heard() -> None:
    heard = Heard(0)
    for number in (3, 4, 5):
        heard.add(number)
    assert heard.missed(2)
    assert not heard.missed(5)
    assert heard.missed(6)
