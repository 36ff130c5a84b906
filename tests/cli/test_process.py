"""`tidings process`, as its user meets it: files of every kind, imported and exported on a real server."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.command import tidings
from tests.serving import ServerProcess

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('processes')}/tidings.db") as made:
        yield made


@pytest.fixture
def topic() -> str:
    return f"process.p{next(NUMBERS)}"


def figures(server: ServerProcess, topic: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/processes/{topic.partition('.')[2]}")
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def edges(server: ServerProcess, topic: str) -> dict[str, int]:
    return {f"{edge['from']}>{edge['to']}": edge["events"] for edge in figures(server, topic)["edges"]}


CSV = "case,activity,timestamp\n" + "".join(
    f"c{case},{activity},2024-01-0{day}{zone}\n"
    for case in "12"
    for day, activity in enumerate("ABC", 1)
    for zone in [""]
)


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_imported_once(server: ServerProcess, topic: str, tmp_path: Path, packed: bool) -> None:
    file = tmp_path / "log.txt"
    file.write_bytes(gzip.compress(CSV.encode()) if packed else CSV.encode())
    done = tidings("process", "import", str(file), "--topic", topic, to=server.url)
    assert (done.returncode, done.stdout) == (0, f"{topic}: 6 events of log.txt\n")
    assert "taken as UTC" in done.stderr
    again = tidings("process", "import", str(file), "--topic", topic, to=server.url)
    assert again.stdout == f"{topic}: 6 events of log.txt, 6 of which the topic held before\n"
    assert edges(server, topic) == {"A>B": 2, "B>C": 2}
    other = tidings("process", "import", str(file), "--topic", topic, "--skip-invalid", to=server.url)
    assert other.returncode == 1
    assert "read with other options" in other.stderr


def test_equal_times_are_said(server: ServerProcess, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text("case,activity,timestamp\nc,A,2024-01-01\nc,B,2024-01-01\nc,C,2024-01-01\n")
    done = tidings("process", "import", str(file), "--topic", topic, to=server.url)
    assert "2 events have the same time as the one before" in done.stderr
    assert edges(server, topic) == {"A>B": 1, "B>C": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CSV + "c3,A,2024-01-01T00:00:00Z\n", "Line 8: .*zone.*Nothing is stored"),
        (CSV.replace("2024-01-01", "01/02/2024", 1), "Line 2: .*--timestamp-format"),
        (CSV + ",A,2024-01-01\n", "Line 8: the event has no case.*--skip-invalid"),
        ("<!DOCTYPE html><html>", "Line 1: the file is HTML"),
        ("", "The file is empty"),
        ("case,activity,timestamp\n", "no event"),
    ],
)
def test_a_broken_file_stores_nothing(server: ServerProcess, topic: str, tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "log.csv"
    file.write_text(text)
    done = tidings("process", "import", str(file), "--topic", topic, to=server.url)
    assert done.returncode == 2
    assert re.search(words, done.stderr), done.stderr
    assert httpx.get(f"{server.url}/topics/{topic}").status_code == 404


def test_wrong_events_are_left_out_when_asked(server: ServerProcess, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_text(CSV + ",A,2024-01-01\n" * 7)
    done = tidings("process", "import", str(file), "--topic", topic, "--skip-invalid", to=server.url)
    assert done.returncode == 0
    assert "Left out: line 8: the event has no case." in done.stderr
    assert "7 events are left out in all." in done.stderr
    found = figures(server, topic)
    assert (found["events"], found["refused"], found["imports"][0]["skipped"]) == (6, 7, 7)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["import", "no-such-file.csv", "--topic", "process.x"], "no-such-file.csv cannot be read"),
        (["import", "/", "--topic", "process.x"], "/ cannot be read"),
        (["import", __file__, "--topic", "rooms.x"], "process.NAME"),
        (["import", __file__, "--topic", "process.x.y"], "process.NAME"),
        (["import", __file__, "--topic", "process.x", "--speed", "fast"], "'fast' is not a speed"),
        (["import", __file__, "--topic", "process.x", "--speed", "0x"], "'0x' is not a speed"),
        (["export", "rooms.x"], "process.NAME"),
        (["export", "process.x", "/no/such/folder/x.xes"], "cannot be written"),
    ],
)
def test_wrong_arguments_are_named(server: ServerProcess, args: list[str], words: str) -> None:
    done = tidings("process", *args, to=server.url)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_answers(tmp_path: Path) -> None:
    (file := tmp_path / "log.csv").write_text(CSV)
    assert tidings("process", "import", str(file), "--topic", "process.x", to="http://127.0.0.1:1").returncode == 3


def test_a_replay_keeps_the_order_of_time_and_shortens_gaps(
    server: ServerProcess, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidings.cli.importing.PAUSE", 0.1)
    rows = [
        ("c1", "A", "2014-01-01T00:00:00Z"),
        ("c1", "B", "2024-01-01T00:00:01Z"),
        ("c2", "A", "2014-01-01T00:00:02Z"),
    ]
    file = tmp_path / "log.csv"
    file.write_text("case,activity,timestamp\n" + "".join(",".join(row) + "\n" for row in rows))
    done = tidings("process", "import", str(file), "--topic", topic, "--speed", "100x", to=server.url)
    assert done.returncode == 0, done.stderr
    assert "1 gaps of the log were shortened" in done.stderr
    page = httpx.get(f"{server.url}/topics/{topic}/events").json()["events"]
    said = [event["data"]["timestamp"] for event in page if event["type"] == "message"]
    assert said == [rows[n][2] for n in (0, 2, 1)]
    assert tidings("process", "import", str(file), "--topic", topic, "--speed", "1", to=server.url).returncode == 0
    assert figures(server, topic)["events"] == 3


ODD = [
    {"case": "c&1", "activity": 'A "<b>"', "timestamp": "2024-01-02T00:00:00.123456Z", "costs": 5, "share": 0.5},
    {"case": "c&1", "activity": "line\nbreak\tand\r", "timestamp": "2024-01-01T00:00:00Z", "ok": True, "no": None},
    {"case": "\u4e2d", "activity": "A ", "timestamp": 1704067200, "resource": "Ann", "lifecycle": "start"},
    {"case": "c&1", "activity": "A ", "timestamp": "2024-01-02T00:00:00.123456Z", "items": [1, {"a": "\u0001"}]},
]


def test_an_export_is_imported_to_equal_figures(server: ServerProcess, topic: str, tmp_path: Path) -> None:
    for event in ODD:
        httpx.post(f"{server.url}/topics/{topic}/events", json=event).raise_for_status()
    offset = httpx.post(f"{server.url}/topics/{topic}/events", json=ODD[0]).json()["offset"]
    httpx.delete(f"{server.url}/topics/{topic}/events/{offset}").raise_for_status()
    file = tmp_path / "log.xes"
    assert tidings("process", "export", topic, str(file), to=server.url).returncode == 0
    written = tidings("process", "export", topic, to=server.url).stdout
    assert file.read_text("utf-8") == written
    assert 'key="items" value=\'[1,{"a":' in written
    assert written.index("c&amp;1") < written.index("\u4e2d"), "cases in the order of the log"
    assert tidings("process", "import", str(file), "--topic", f"{topic}x", to=server.url).returncode == 0
    mine, theirs = figures(server, topic), figures(server, f"{topic}x")
    for figure in ("events", "cases", "variants", "edges", "start", "end", "first", "last"):
        assert mine[figure] == theirs[figure], figure
    assert tidings("process", "export", topic, str(file), to=server.url).returncode == 2, "no file is overwritten"
    missing = tmp_path / "none.xes"
    assert tidings("process", "export", "process.none", str(missing), to=server.url).returncode == 1
    assert not missing.exists()


def test_an_ocel_log_is_imported_by_the_type_of_its_objects(server: ServerProcess, topic: str, tmp_path: Path) -> None:
    objects = [{"id": f"{kind}{n}", "type": kind} for kind in ("order", "item") for n in (1, 2)]
    log = {
        "objects": objects,
        "events": [
            {"type": type, "time": f"2024-01-0{day}", "relationships": [{"objectId": id} for id in ids]}
            for day, type, ids in [(1, "placed", ["order1", "item1", "item2"]), (2, "sent", ["item1", "order1"])]
        ],
    }
    (file := tmp_path / "log.json").write_text(json.dumps(log))
    assert tidings("process", "import", str(file), "--topic", topic, to=server.url).returncode == 2
    for kind, count in (("order", 2), ("item", 3)):
        name = f"{topic}-{kind}"
        done = tidings("process", "import", str(file), "--topic", name, "--object-type", kind, to=server.url)
        assert done.returncode == 0, done.stderr
        assert figures(server, name)["events"] == count
