"""Processes that judge, to be killed: `python -m tests.apps.alerts.processes STORE`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tidings import Hub
from tidings.access.access import Access
from tidings.access.tokens import Authenticator
from tidings.apps.alerts import turn
from tidings.apps.alerts.judging import Judging
from tidings.apps.alerts.rights import Rights
from tidings.apps.alerts.sender import Webhooks
from tidings.apps.alerts.service import Alerts
from tidings.apps.notifications.service import Notifications

ROOT = Path(__file__).parents[3]


async def eventually(holds: Callable[[], object]) -> None:
    """Wait until something holds of which no event tells."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.01)


def hurry() -> None:
    """Let a turn lapse after a second: a test kills many processes."""
    turn.BEAT, turn.LAPSE, turn.IDLE = 0.2, 1.0, 0.2


def judging_of(hub: Hub, alerts: Alerts | None = None) -> Judging:
    """Return what judges the rules of a hub whose topics have no guards."""
    bells = Notifications(hub)
    return Judging(hub, Rights(alerts or Alerts(hub), Access(Authenticator())), bells, Webhooks(hub, bells))


async def judge(store: str) -> None:
    """Take part in judging until the process is killed."""
    hurry()
    async with Hub(store) as hub:
        judging = judging_of(hub)
        judging.open()
        print("open", flush=True)
        await asyncio.Event().wait()


@contextmanager
def process(store: str) -> Iterator[subprocess.Popen[str]]:
    """A process that takes part in judging; killed at the end."""
    command = [sys.executable, "-m", "tests.apps.alerts.processes", store]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def ready(started: subprocess.Popen[str]) -> None:
    """Wait until the process takes part."""
    assert started.stdout is not None
    assert started.stdout.readline() == "open\n"


if __name__ == "__main__":
    asyncio.run(judge(sys.argv[1]))
