"""Files of any format, read to their end."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from tidings.apps.processes.files.reading import LogFile
from tidings.apps.processes.files.records import Options, Record, Wrong

CSV = "case,activity,timestamp\n" + "".join(f"c{n},A,2024-01-01\n" for n in range(500))
XES = (
    '<log><trace><string key="concept:name" value="c"/><event><string key="concept:name" value="A"/>'
    '<date key="time:timestamp" value="2024-01-01"/></event></trace></log>'
)
OCEL = json.dumps(
    {
        "objects": [{"id": "c", "type": "order"}],
        "events": [{"type": "A", "time": "2024-01-01", "relationships": [{"objectId": "c"}]}],
    }
)


@pytest.mark.parametrize(("text", "format", "count"), [(CSV, "csv", 500), (XES, "xes", 1), (OCEL, "ocel", 1)])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_by_its_content(tmp_path: Path, text: str, format: str, count: int, packed: bool) -> None:
    path, parts = tmp_path / "log.pdf", list[float]()
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    with path.open("rb") as file:
        log = LogFile(file, Options(), parts.append)
        found = list(log.events())
    assert len(found) == count
    assert isinstance(found[0], Record)
    assert found[0].activity == "A"
    assert log.format == format
    assert log.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert log.times.zoned is False
    assert parts[-1] == 1.0


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(CSV)
    with path.open("rb") as file:
        found = LogFile(file, Options()).events()
        next(found)
        with path.open("a") as more:
            more.write("c,B,2024-01-02\n")
        with pytest.raises(Wrong, match="changed while it was read"):
            list(found)
