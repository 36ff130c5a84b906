"""Events in a temporary file, from any of them on."""

from __future__ import annotations

import random

from tidings.cli.spool import Spool


def test_events_are_read_from_any_number_on() -> None:
    with Spool() as spool:
        for n in range(2_500):
            spool.add(b"event %d" % n, n)
        for first in (0, 1, 999, 1_000, 1_001, 2_499):
            assert next(spool.read(first)) == b"event %d" % first
            assert len(list(spool.read(first))) == 2_500 - first
        assert list(spool.read(2_500)) == []


def test_events_are_read_by_their_time() -> None:
    chance = random.Random(1)
    times = [chance.randrange(50) for _ in range(300)]
    with Spool() as spool:
        spool.sort()
        for n, time in enumerate(times):
            spool.add(b"event %d" % n, time)
        wanted = sorted(enumerate(times), key=lambda pair: pair[1])
        assert list(spool.read_by_time(0)) == [(time, b"event %d" % n) for n, time in wanted]
        assert next(spool.read_by_time(298))[0] == wanted[298][1]
