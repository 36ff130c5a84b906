"""A PostgreSQL server of Debian's package with its own defaults, in a directory, and Tidings' server over it.

`python -m bench.servers.postgres --port PORT --directory DIRECTORY` runs both in the foreground, as one group.
"""

from __future__ import annotations

import argparse
import os
import pwd
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.client import BenchError

PATIENCE = 30.0
"""Seconds until the engine must answer."""


def programs() -> Path | None:
    """Return the folder of the newest server's programs."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _user(folder: Path) -> list[str]:
    """Return the words that run a command as a user whom the engine accepts, and give that user the folder."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


@contextmanager
def engine(directory: Path) -> Iterator[str]:
    """Run an engine that keeps its data in a directory on the disk to measure, and give the URL of a database."""
    bin = programs()
    if bin is None:
        raise BenchError("There is no PostgreSQL server on this machine (Debian: apt-get install postgresql).")
    data = directory / "engine"
    data.mkdir(mode=0o700)
    user = _user(data)
    words = ["--auth=trust", "--username=tidings", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    subprocess.run([*user, bin / "initdb", "--pgdata", data, *words], check=True, capture_output=True, cwd="/")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    process = subprocess.Popen(
        [*user, bin / "postgres", "-D", data, "-p", str(port), *options], stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        deadline = time.monotonic() + PATIENCE
        ask = [bin / "psql", "-qX", "-c", "SELECT 1", f"postgresql://tidings@127.0.0.1:{port}/postgres"]
        while subprocess.run(ask, capture_output=True, check=False).returncode:
            if time.monotonic() > deadline or process.poll() is not None:
                raise BenchError("PostgreSQL does not start.")
            time.sleep(0.1)
        yield f"postgresql://tidings@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    parser.add_argument("--directory", type=Path, required=True)
    given = parser.parse_args()
    with engine(given.directory) as url:
        subprocess.run([sys.executable, "-m", "tidings", "serve", "--port", given.port, "--store", url], check=True)


if __name__ == "__main__":
    main()
