"""Files that break other importers: each is imported to the right map, or refused with its line and the reason."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.command import tidings
from tests.serving import ServerProcess

HEAD = "case,activity,timestamp\n"
NAMED = '<string key="concept:name" value="{}"/>'
LIST = '<list key="l"><values><list key="m"><values>{}</values></list></values></list>'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/tidings.db") as made:
        yield made


def event(activity: str, day: str, more: str = "") -> str:
    date = f'<date key="time:timestamp" value="2024-01-{day}T00:00:00Z"/>'
    return f"<event>\n{more}{NAMED.format(activity)}\n{date}\n</event>\n"


def xes(*traces: tuple[str, ...], more: str = "") -> str:
    """Return a log of traces, each of which is the case c."""
    inside = [f"<trace>\n{more}{NAMED.format('c')}\n{''.join(events)}</trace>\n" for events in traces]
    return f'<?xml version="1.0"?>\n<log>\n{more}{"".join(inside)}</log>\n'


A, B, C = event("A", "01"), event("B", "02"), event("C", "03")
LIFECYCLE = '<string key="lifecycle:transition" value="{}"/>'
BOMB = '<!DOCTYPE log [<!ENTITY a "xx"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'

REFUSED: dict[str, tuple[str, str]] = {
    "mixed zones.csv": (HEAD + "c,A,2024-01-01T00:00:00Z\nc,B,2024-01-02T00:00:00\n", r"Line 3: .*zone"),
    "ambiguous day.csv": (HEAD + "c,A,03/04/2024 10:00\n", r"Line 2: .*--timestamp-format"),
    "two formats.csv": (HEAD + "c,A,2024-01-01\nc,B,13.02.2024\n", r"Line 3: .*--timestamp-format"),
    "no date.xes": (xes((A.replace("2024-01-01", "0000-00-00"), B)), r"Line 5: .*0000-00-00"),
    "no case.csv": (HEAD + "c,A,2024-01-01\n,B,2024-01-02\n", r"Line 3: .*no case"),
    "HTML.xes": ("<!DOCTYPE html>\n<html><body>log.xes</body></html>", r"Line 1: .*HTML"),
    "bomb.xes": (f'<?xml version="1.0"?>\n{BOMB}\n<log/>', r"Line 2: .*DOCTYPE"),
    "ragged.csv": (HEAD + "c,A,2024-01-01\nc,B, or C,2024-01-02\n", r"Line 3: .*4 fields"),
    "cut off.xes": (xes((A, B))[:-40], r"Line \d+: .*cut off"),
    "a million letters.xes": (xes((event("A" * 1_100_000, "01"),)), r"Line 6: .*1,000,000 bytes"),
    "a long activity.xes": (xes((event("A" * 4_001, "01"),)), r"Line 5: .*4,000"),
    "an endless line.csv": (HEAD + "c,A," + "x" * 1_100_000, r"Line 2: .*1,000,000"),
    "nested.json": ('{"events": [' + "[" * 200, r"Line 1: .*128 levels"),
}

Map = dict[str, int]
IN_ORDER: Map = {"A>B": 1, "B>C": 1}

ACCEPTED: dict[str, tuple[str, Map, str]] = {
    "no zones.csv": (HEAD + "c,A,2024-01-01\nc,B,2024-01-02\nc,C,2024-01-03\n", IN_ORDER, "UTC"),
    "same times.csv": (
        HEAD + "".join(f"{case},{activity},2024-01-01T00:00:00Z\n" for case in "cd" for activity in "ABC"),
        {"A>B": 2, "B>C": 2},
        "same time",
    ),
    "out of order.xes": (xes((C, A, B)), IN_ORDER, ""),
    "comma.csv": (
        "case;activity;timestamp;costs\n"
        "c;A;2024-01-01T00:00:00,5Z;1,50\nc;B;2024-01-02T00:00:00,25Z;2,50\nc;C;2024-01-03T00:00:00Z;\n",
        IN_ORDER,
        "",
    ),
    "trace twice.xes": (xes((A,), (B, C), ()), IN_ORDER, ""),
    "names.csv": (
        "\ufeff" + HEAD + 'c,A,2024-01-01\nc,"A ",2024-01-02\nc,"<b>\nx</b>",2024-01-03\n',
        {"A>A ": 1, "A ><b>\nx</b>": 1},
        "",
    ),
    "lifecycle.xes": (
        xes(tuple(event(of, day, LIFECYCLE.format(step)) for of, day, step in
                  [("A", "01", "start"), ("A", "02", "complete"), ("B", "03", "start"), ("B", "04", "complete")])),
        {"A>A": 1, "A>B": 1, "B>B": 1},
        "",
    ),
    "nested.xes": (
        xes((event("A", "01", LIST.format(NAMED.format("X"))), B, C), more=LIST.format(NAMED.format("Y"))),
        IN_ORDER,
        "",
    ),
}  # fmt: skip


def imported(server: ServerProcess, topic: str, file: Path, *more: str) -> tuple[int, str]:
    done = tidings("process", "import", str(file), "--topic", topic, *more, to=server.url)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def figures(server: ServerProcess, topic: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/processes/{topic.partition('.')[2]}").raise_for_status().json()
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_and_nothing_is_stored(server: ServerProcess, tmp_path: Path, name: str) -> None:
    text, reason = REFUSED[name]
    (file := tmp_path / name).write_text(text, "utf-8")
    code, said = imported(server, "process.refused", file)
    assert code == 2
    assert re.search(reason, said), said
    assert "Nothing is stored" in said
    assert len(said) < 500, "a sentence, whatever the file holds"
    assert httpx.get(f"{server.url}/topics/process.refused").status_code == 404


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_file_has_the_right_map(server: ServerProcess, tmp_path: Path, name: str) -> None:
    text, edges, says = ACCEPTED[name]
    (file := tmp_path / name).write_text(text, "utf-8")
    topic = "process." + re.sub("[^a-z]", "-", name)
    code, said = imported(server, topic, file)
    assert code == 0, said
    assert says in said
    found = figures(server, topic)
    assert {f"{edge['from']}>{edge['to']}": edge["events"] for edge in found["edges"]} == edges


@pytest.mark.parametrize("what", ["cut off", "damaged", "200 times"])
def test_an_archive_that_is_broken_or_a_bomb_is_refused(server: ServerProcess, tmp_path: Path, what: str) -> None:
    packed = gzip.compress(xes(*[(A, B, C)] * 500).encode())
    content = {
        "cut off": packed[:-100],
        "damaged": packed[:60] + b"\xff" * 20 + packed[80:],
        "200 times": gzip.compress(b"<log>" + b"\n" * (65 << 20)),
    }[what]
    (file := tmp_path / "log.xes.gz").write_bytes(content)
    code, said = imported(server, "process.refused", file)
    assert code == 2
    assert what in said
    assert httpx.get(f"{server.url}/topics/process.refused").status_code == 404


def test_more_activities_than_are_told_apart_are_counted(server: ServerProcess, tmp_path: Path) -> None:
    (file := tmp_path / "log.csv").write_text(
        HEAD + "".join(f"c{n % 50},activity {n},{n}\n" for n in range(3_000)), "utf-8"
    )
    code, said = imported(server, "process.many", file, "--timestamp-format", "unix")
    assert code == 0, said
    found = figures(server, "process.many")
    assert (found["events"], len(found["activities"]), found["folded"]["activities"]) == (3_000, 1_001, 2_000)
    assert sum(of["events"] for of in found["activities"]) == 3_000
