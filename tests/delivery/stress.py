"""Check one world after another, each of another kind: `python -m tests.delivery.stress --seconds 300 --seed 7`.

The counts of each world are printed, and the seed of a world that broke: `--only 'SEED/3'` runs that one again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.delivery.target import Setup
from tests.delivery.truth import Broken
from tests.delivery.world import check


def setup(rng: Random, folder: Path) -> Setup:
    """A setup of any kind."""
    sqlite = rng.random() < 0.6
    window = rng.choice([8, 16, 64, 256, 1024])
    page_bytes = rng.choice([1000, 4096, 16384, 65536])
    return Setup(
        store=f"sqlite:///{folder}/tidings.db" if sqlite else "memory:",
        loop=rng.choice(["uvloop", "uvloop", "asyncio"]),
        http=rng.choice(["httptools", "httptools", "h11"]),
        sink=rng.choice(["drive", "served", "served", "task", "mounted"]),
        processes=rng.choice([1, 2]) if sqlite else 1,
        window=window,
        page=rng.choice([window // 2, window, 3 * window]),
        page_bytes=page_bytes,
        quantum=rng.choice([1, 3, 32]),
        sndbuf=rng.choice([4096, 16384, 65536]),
        keep_alive=rng.choice([0.05, 1.0, 15.0]),
    )


async def world(seed: str, budget: int) -> Counter[str]:
    """The world of a seed. Raises Broken."""
    rng = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        made = setup(rng, Path(folder))
        print(f"{seed}: {made}", flush=True)
        return await check(made, seed, budget=budget, readers=rng.choice([12, 24, 48]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.delivery.stress", description="Check that nothing is ever lost.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", default=str(time.time_ns()))
    parser.add_argument("--budget", type=int, default=30_000, help="events published to each world")
    parser.add_argument("--only", help="the seed of one world, to see it again")
    given = parser.parse_args()
    began, number, total = time.monotonic(), 0, Counter[str]()
    while time.monotonic() - began < given.seconds:
        number += 1
        try:
            tally = asyncio.run(world(given.only or f"{given.seed}/{number}", given.budget))
        except Broken as error:
            print(f"BROKEN after {number} worlds and {total}: {error}", flush=True)
            return 1
        total += tally
        print(f"  {dict(tally)}; {total['events']:,} events in all", flush=True)
    print(f"{number} worlds, {time.monotonic() - began:.0f} s: {dict(total)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
