"""`tidings backup` and `tidings restore`, as their user meets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.serving import PATIENCE, ServerProcess


def tidings(*args: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tidings", *args],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **env},
    )


def publish(server: ServerProcess, count: int) -> str:
    """Publish events and return the offset of the last."""
    for _ in range(count):
        body = urllib.request.Request(
            f"{server.url}/topics/a/events", b'{"data": "x"}', {"content-type": "application/json"}
        )
        with urllib.request.urlopen(body, timeout=PATIENCE) as answer:
            offset: str = json.load(answer)["last"]
    return offset


def events_after(server: ServerProcess, offset: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{server.url}/topics/a/events?after={offset}", timeout=PATIENCE) as answer:
        page: dict[str, object] = json.load(answer)
        return page


def test_a_backup_under_a_running_server_is_restored_when_it_has_stopped(tmp_path: Path) -> None:
    store, backup = f"sqlite:///{tmp_path}/tidings.db", str(tmp_path / "backup.db")
    with ServerProcess(store) as server:
        fifth = publish(server, 5)
        done = tidings("backup", backup, "--store", store)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"{backup}: {Path(backup).stat().st_size / 1e6:,.1f} MB\n"
        tenth = publish(server, 5)
        done = tidings("restore", backup, "--store", store)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "tidings: The store is in use. Stop every server on it first.\n"
        server.terminate()
        done = tidings("restore", backup, TIDINGS_STORE=store)
        assert (done.returncode, done.stderr) == (0, "")
        first, second = done.stdout.splitlines()
        assert first == f"{tmp_path}/tidings.db: restored from {backup}"
        kept, _, meaning = second.partition(": ")
        assert Path(kept).is_file()
        assert meaning == "the earlier store, which you may delete"
        server.start()
        publish(server, 10)
        assert len(events_after(server, fifth)["events"]) == 10  # type: ignore[arg-type]
        with pytest.raises(urllib.error.HTTPError, match="410") as refused:
            events_after(server, tenth)
        refused.value.close()
        server.terminate()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["backup", "b.db"], "There is no file tidings.db."),
        (["restore", "b.db"], "There is no file b.db."),
        (["restore", os.devnull], f"{os.devnull} is not a file."),
        (["backup", "b.db", "--store", "memory:"], "A store in memory has no file. Name the store's file by --store"),
        (["restore", "b.db", "--store", "redis://x"], "This is not the URL of a store. Known are memory:, sqlite:///"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, args: list[str], sentence: str) -> None:
    done = tidings(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2 if "--store" in args else 1, "")
    assert done.stderr.startswith(f"tidings: {sentence}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_help_shows_examples(command: str) -> None:
    done = tidings(command, "--help")
    assert done.returncode == 0
    assert f"tidings {command} /var/backups/tidings.db" in done.stdout
    assert "--store" in done.stdout
