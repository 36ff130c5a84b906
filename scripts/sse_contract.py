"""Run the public contract tests for event stream clients against our two event sources, at the same time.

    scripts/sse-contract DIR

DIR is a checkout of github.com/launchdarkly/sse-contract-tests, which Go builds. tests/client/contract_service.py
is the service that the suite drives. Prints what the suite says of each case that fails or is skipped, and how many
passed. Ends with status 1 if a case failed or was skipped.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(checkout: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        suite = Path(folder) / "suite"
        subprocess.run(["go", "build", "-o", suite, "."], cwd=checkout, check=True)
        failed: list[str] = []
        threads = [threading.Thread(target=run, args=(suite, kind, failed)) for kind in ("sync", "async")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return 1 if failed else 0


def run(suite: Path, kind: str, failed: list[str]) -> None:
    """Run the suite against one kind, and print its result."""
    command = [sys.executable, "-m", "tests.client.contract_service", kind]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        url = f"http://127.0.0.1:{int(service.stdout.readline())}"
        words = [str(suite), "--url", url, "--host", "127.0.0.1", "--port", str(free_port())]
        done = subprocess.run(words, capture_output=True, text=True)
        service.terminate()
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    cases = leaves(re.findall(r"^\[(.+)\]$", text, re.M))
    troubled = set(re.findall(r"^  (?:FAILED|SKIPPED): (.+?)(?: \(.*\))?$", text, re.M))
    if done.returncode or troubled or not cases:
        failed.append(kind)
        print(text)
    print(f"{kind}: {len(cases - troubled)} of {len(cases)} cases pass")


def leaves(names: list[str]) -> set[str]:
    """The cases themselves, without the groups that they are in."""
    return {name for name in names if not any(other.startswith(f"{name}/") for other in names)}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the contract tests for event stream clients.")
    parser.add_argument("dir", type=Path, help="a checkout of launchdarkly/sse-contract-tests")
    sys.exit(main(parser.parse_args().dir))
