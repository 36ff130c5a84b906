"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, started, killed and promoted at will."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Self

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",  # a killed process loses nothing that the kernel has, and no test cuts the power
    "max_connections": "200",
    "autovacuum_naptime": "1s",
    "hot_standby": "on",
    "max_wal_senders": "4",
    "wal_level": "replica",
    "log_min_messages": "fatal",
}


def binaries() -> Path | None:
    """Return the folder of the newest server's programs: Debian keeps them off the path."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name)):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def free_port() -> int:
    """Return a port below those that the kernel gives to outgoing connections."""
    for port in range(20_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


class Cluster:
    """A server and its data. It runs as the user `postgres` if the tests run as root, which it refuses."""

    def __init__(self, programs: Path, **settings: str) -> None:
        self.programs = programs
        self.settings = {**SETTINGS, **settings}
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-postgres-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self._names = count()
        self._user: list[str] = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self) -> Self:
        """Make an empty cluster, in which everybody on this machine is trusted, and start it."""
        self.run(
            "initdb", "--pgdata", self.data, "--auth=trust", "--username=tidings", "--no-sync",
            "--encoding=UTF8", "--locale=C", "--no-instructions",
        )  # fmt: skip
        self.start()
        return self

    def follow(self, primary: Cluster) -> Self:
        """Make a standby of another cluster, which streams its changes, and start it."""
        self.run(
            "pg_basebackup", "--pgdata", self.data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
            f"--dbname=postgresql://tidings@127.0.0.1:{primary.port}/postgres",
        )  # fmt: skip
        self.start()
        return self

    def start(self) -> None:
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.run(
            "pg_ctl", "start", "--pgdata", self.data, "--wait", "--log", self.folder / "log", "--options",
            " ".join(["-p", str(self.port), "-k", str(self.folder), *options]),
        )  # fmt: skip

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "--pgdata", self.data, "--mode=fast", "--wait")

    def kill(self) -> None:
        """Kill every process of the server, as a crash of its machine would."""
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for each in (pid, *map(int, children)):
                with suppress(ProcessLookupError):
                    os.kill(each, 9)
            for each in (pid, *map(int, children)):
                while Path(f"/proc/{each}").exists() and "Z" not in Path(f"/proc/{each}/stat").read_text().split()[2]:
                    pass

    def promote(self) -> None:
        self.run("pg_ctl", "promote", "--pgdata", self.data, "--wait")

    def run(self, program: str, *arguments: object, check: bool = True) -> str:
        """Run one of the engine's own programs, as the server's user."""
        words = [*self._user, str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/")
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def url(self, database: str = "postgres", options: str = "") -> str:
        return f"postgresql://tidings@127.0.0.1:{self.port}/{database}{options}"

    def sql(self, statement: str, database: str = "postgres") -> Sequence[str]:
        """Return the rows of a statement as text, by a connection that Tidings knows nothing of."""
        return self.run("psql", "--dbname", self.url(database), "-qAtX", "-c", statement).splitlines()

    def create(self) -> str:
        """Make an empty database, and return its name."""
        name = f"test{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    async def ask(self, statement: str, database: str) -> Sequence[str]:
        return await asyncio.to_thread(self.sql, statement, database)
