"""`tidings publish --every`: figures of other programs, from the output of a command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import close, rows, start, tidings
from tests.serving import PATIENCE, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('cli')}/tidings.db") as server:
        yield server


def test_the_output_of_a_command_is_published_each_period_until_the_topic_is_closed(server: ServerProcess) -> None:
    # An unmodified program of the system, which writes a number.
    running = start(
        "publish", "every.disk", "--every", "1s", "--type", "used", "--", "expr", "40", "+", "2", to=server.url
    )
    assert running.stdout is not None
    offsets = [rows(running.stdout.readline())[0]["offset"] for _ in range(2)]
    close(server, "every.disk")
    _, errors = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "closed" in errors
    events = rows(tidings("read", "every.disk", to=server.url).stdout)[:2]
    assert [(event["offset"], event["type"], event["data"]) for event in events] == [(o, "used", 42) for o in offsets]


def test_a_run_that_fails_is_told_and_left_out(server: ServerProcess, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = f"echo >> {runs}; test $(wc -l < {runs}) -ne 2 || exit 3; wc -l < {runs}"
    running = start("publish", "every.gap", "--every", "1s", "--lines", "--", "sh", "-c", script, to=server.url)
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.readline()
    assert running.stderr.readline() == "tidings: sh ended with exit code 3: its output is not published.\n"
    running.stdout.readline()
    running.terminate()
    running.communicate(timeout=PATIENCE)
    assert [event["data"] for event in rows(tidings("read", "every.gap", to=server.url).stdout)][:2] == [1, 3]


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["--every", "0s", "--", "date"], 2, "a time from 1s to 1d"),
        (["--every", "2d", "--", "date"], 2, "a time from 1s to 1d"),
        (["--every", "soon", "--", "date"], 2, "not a length of time"),
        (["--every", "5s"], 2, "needs a command"),
        (["--every", "5s", "--key", "k", "--", "date"], 2, "--key is for DATA"),
        (["one", "two"], 2, "A command needs --every"),
        (["--every", "5s", "--", "/no/such/program"], 2, "cannot be run: No such file"),
        (["--every", "5s", "--", "false"], 1, "false ended with exit code 1"),
        (["--every", "5s", "--type", "tidings.x", "--", "date"], 2, "reserved"),
    ],
)
def test_a_mistake_is_a_sentence_at_the_first_run(
    server: ServerProcess, args: list[str], code: int, sentence: str
) -> None:
    done = tidings("publish", "every.wrong", *args, to=server.url)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert tidings("read", "every.wrong", to=server.url).returncode == 1


def test_no_server_ends_the_first_run() -> None:
    done = tidings("publish", "a", "--every", "1s", "--", sys.executable, "-c", "print(1)", to="http://127.0.0.1:9")
    assert done.returncode == 3
    assert "No server answers" in done.stderr
