"""The page of the JavaScript client and its example do what they say, in Node, against a real server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.serving import ServerProcess

REPOSITORY = Path(__file__).parents[2]
PAGE = REPOSITORY / "docs" / "clients" / "javascript.md"
AT_ONCE = 30
"""Seconds in which a program that has nothing left to do has ended: fewer than the 40 after which silence counts as a
dead connection, so that no forgotten timer is what ended it."""
EXAMPLE = REPOSITORY / "examples" / "bill_orders.mjs"
SNIPPETS = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.S | re.M)

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no Node (Debian: apt-get install nodejs)")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('js')}/tidings.db") as server:
        yield server


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_page_s_code_runs(server: ServerProcess, snippet: str, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    client = REPOSITORY / "src" / "tidings" / "web" / "client"
    (tmp_path / "node_modules" / "tidings-client").symlink_to(client)
    (tmp_path / "page.mjs").write_text(snippet.replace("https://tidings.example", server.url), encoding="utf-8")
    done = subprocess.run(["node", "page.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=AT_ONCE)
    assert (done.returncode, done.stderr) == (0, "")


def test_orders_are_billed_once_though_the_biller_is_killed(
    serve_process: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = serve_process()
    place = tmp_path / "place.json"

    def start() -> subprocess.Popen[str]:
        command = ["node", str(EXAMPLE), server.url, str(place)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def order(biller: subprocess.Popen[str], total: int) -> None:
        assert biller.stdin is not None
        biller.stdin.write(json.dumps({"customer": "ada", "total": total}) + "\n")

    def read(biller: subprocess.Popen[str]) -> str:
        assert biller.stdout is not None
        return biller.stdout.readline().strip()

    with start() as biller:
        assert read(biller) == "Starting from the first order there is."
        order(biller, 10)
        assert read(biller) == "ada owes 10"
        server.kill()
        order(biller, 20)
        server.start()
        assert read(biller) == "ada owes 30"
        biller.kill()
    with start() as biller:
        order(biller, 5)
        assert read(biller) == "ada owes 35"
        biller.kill()
    assert json.loads(place.read_text())["billed"] == {"ada": 35}


def test_the_example_is_short_and_says_how_to_run_it() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert f"node examples/{EXAMPLE.name}" in text.split("*/")[0]
