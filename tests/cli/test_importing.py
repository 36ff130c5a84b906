"""An import that is cut off, repeated, raced, or told to send less at once: each event is stored once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from tests.cli.command import start, tidings
from tests.serving import PATIENCE, ServerProcess

EVENTS = 6_000


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.csv"
    with path.open("w") as file:
        file.write("case,activity,timestamp\n")
        for n in range(EVENTS):
            file.write(f"c{n % 900},step {n % 7},2024-01-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}Z\n")
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path}/tidings.db", env={"TIDINGS_MAX_BATCH_EVENTS": "900"}) as made:
        yield made


def stored(server: ServerProcess) -> list[Any]:
    """All events of the topic, without the parts of the import."""
    events, after = list[Any](), "earliest"
    while True:
        page = httpx.get(f"{server.url}/topics/process.x/events", params={"after": after}).json()
        events += [event["data"] for event in page["events"] if event["type"] == "message"]
        if page["up_to_date"]:
            return events
        after = page["next"]


def assert_once(server: ServerProcess) -> None:
    events = stored(server)
    assert len(events) == len({json.dumps(event) for event in events}) == EVENTS
    found = httpx.get(f"{server.url}/processes/x").json()
    assert (found["events"], found["cases"]) == (EVENTS, 900)
    assert [of["done"] for of in found["imports"]] == [True]


def begun(server: ServerProcess) -> None:
    """Wait until some of the events are stored."""
    for _ in range(int(PATIENCE * 100)):
        if httpx.get(f"{server.url}/topics/process.x").status_code == 200:
            return
        signal.sigtimedwait([], 0.01)
    raise AssertionError("the import stores nothing")


def test_a_server_that_is_killed_and_an_import_that_is_repeated(server: ServerProcess, log: Path) -> None:
    """The batches of the server are smaller than those of the command, which sends less at once."""
    importing = start("process", "import", str(log), "--topic", "process.x", to=server.url)
    begun(server)
    server.kill()
    _, said = importing.communicate(timeout=PATIENCE)
    assert "Traceback" not in said
    server.start()
    before = len(stored(server))
    assert before % 900 < 900
    done = tidings("process", "import", str(log), "--topic", "process.x", to=server.url)
    assert done.returncode == 0, done.stderr
    assert_once(server)


def test_an_import_that_is_killed_beside_another(server: ServerProcess, log: Path) -> None:
    commands = [start("process", "import", str(log), "--topic", "process.x", to=server.url) for _ in range(2)]
    begun(server)
    os.kill(commands[0].pid, signal.SIGKILL)
    for command in commands:
        command.communicate(timeout=PATIENCE)
    assert commands[1].returncode == 0
    assert_once(server)


def test_an_import_beside_a_publisher(server: ServerProcess, log: Path) -> None:
    """The publisher's events come between the check of a part and its append, which is then checked again."""
    importing: list[subprocess.CompletedProcess[str]] = []
    args = ("process", "import", str(log), "--topic", "process.x")
    thread = Thread(target=lambda: importing.append(tidings(*args, to=server.url)))
    thread.start()
    published = 0
    with httpx.Client() as client:
        while thread.is_alive():
            event = {"case": f"live {published}", "activity": "live", "timestamp": 0}
            client.post(f"{server.url}/topics/process.x/events", json=event).raise_for_status()
            published += 1
    thread.join()
    assert importing[0].returncode == 0, importing[0].stderr
    assert len(stored(server)) == EVENTS + published
    assert httpx.get(f"{server.url}/processes/x").json()["events"] == EVENTS + published
