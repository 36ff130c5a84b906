"""A million events reach readers that pause, are cut and come back: none lost, doubled or out of order."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec
import pytest

from tests.delivery.target import Setup
from tests.delivery.world import check

BUDGET = 20_000
"""Events published to each world. 24 readers of one and of three topics get ten times as many, in all a million."""

SETUPS = {
    "drive": Setup(window=16, page=8, page_bytes=4096, quantum=1, sndbuf=16384),
    "drive-asyncio-h11": Setup(loop="asyncio", http="h11", window=64, page=32, page_bytes=16384, sndbuf=32768),
    "task": Setup(sink="task", window=64, page=32, page_bytes=16384, sndbuf=16384),
    "served": Setup(sink="served", window=16, page=8, page_bytes=4096, quantum=1, sndbuf=16384, keep_alive=0.05),
    "drive-sqlite": Setup(
        store="sqlite", window=64, page=100, quantum=3, page_bytes=16384, sndbuf=16384, keep_alive=0.05
    ),
    "mounted-sqlite-asyncio": Setup(store="sqlite", sink="mounted", loop="asyncio", window=128, page=64, sndbuf=65536),
    "two-processes": Setup(
        store="sqlite", sink="served", processes=2, window=64, page=32, page_bytes=16384, sndbuf=32768
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETUPS)
async def test_every_event_reaches_every_reader_once_in_order(name: str, tmp_path: Path) -> None:
    setup = SETUPS[name]
    if setup.store == "sqlite":
        setup = msgspec.structs.replace(setup, store=f"sqlite:///{tmp_path}/tidings.db")
    # TIDINGS_SEED repeats what a failure has printed.
    seed = os.environ.get("TIDINGS_SEED") or secrets.token_hex(8)
    tally = await check(setup, seed, budget=BUDGET)
    assert tally["events"] >= 7 * BUDGET, (seed, tally)
    assert all(tally[what] for what in ("cuts", "ends", "resets", "casts", "connections")), (seed, tally)
