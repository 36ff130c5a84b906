"""A trial: a fresh server, the load client against it, and the CPU and memory of both."""

from __future__ import annotations

import time
from pathlib import Path

from bench.client import BenchError, Load
from bench.machine import busy
from bench.scenarios import Scenario, Trial
from bench.servers.launch import Kind, Server

WARM = "sub name=warm topic=warm path=/events?topic=warm count=50 pub topic=warm path=/topics/warm/events count=20"
GRACE = "grace=5"  # seconds after the last reply in which what is on its way may still arrive


def able(kind: Kind, scenario: Scenario) -> bool:
    """Return whether a server offers all that a scenario needs."""
    return all(getattr(kind, need) for need in scenario.needs)


def run(program: Path, work: Path, kind: Kind, scenario: Scenario, quick: bool) -> Trial:
    """Start a server, warm it with 50 readers and 20 events, and run the scenario on it once."""
    auth = kind.auth if "auth" in scenario.needs else None
    with Server(kind, work, auth.environment if auth else None) as server:
        header = [f"header=Authorization: Bearer {auth.token()}"] if auth else []
        with Load(program, server.port, _with(header, WARM)) as load:
            load.ready()
            if load.go()["subs"][0]["missing"]:
                raise BenchError(f"{kind.label} lost events while it was warmed up.")
        time.sleep(0.5)
        memory = server.memory()
        with Load(program, server.port, _with(header, scenario.words(quick))) as load:
            ready = load.ready()
            time.sleep(scenario.settle)
            after, began, all_before, before = server.memory(), time.monotonic(), busy(), server.cpu()
            result = load.go()
            used, all_used, elapsed = server.cpu() - before, busy() - all_before, time.monotonic() - began
        others = max(0.0, all_used - used - result["client_cpu"])
        return Trial(result, ready["open"], used, result["client_cpu"], elapsed, others, memory, after)


def _with(header: list[str], words: str) -> list[str]:
    """The arguments for load.c, with the header in every group."""
    arguments = [GRACE]
    for word in words.split():
        arguments += [word, *(header if word in {"sub", "pub"} else [])]
    return arguments
