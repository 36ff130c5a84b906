"""A PostgreSQL server for tests: a cluster of its own in a temporary folder, started, killed and promoted at will."""

from __future__ import annotations

import asyncio
import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
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


_ports = count(20_000 + os.getpid() % 400 * 30)


def free_port() -> int:
    """Return a port below those that the kernel gives to outgoing connections, another one each time."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


_made: list[str] = []
"""The folder of an empty cluster, from which further ones are copied."""


def runs(pid: int) -> bool:
    """Tell whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Cluster:
    """A server and its data. It runs as the user `postgres` if the tests run as root, which it refuses."""

    def __init__(self, programs: Path, **settings: str) -> None:
        self.programs = programs
        self.settings = {**SETTINGS, **settings}
        self.folder = Path(tempfile.mkdtemp(prefix="tidings-postgres-"))
        self.data = self.folder / "data"
        self.port = free_port()
        self._names = count()
        self.user: list[str] = []  # words that run a command as the user of the server
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make(self, pem: str = "", key: str = "") -> Self:
        """Make an empty cluster, in which everybody on this machine is trusted, and start it.

        `pem`, `key`: its certificate; then it takes no connection without TLS, and asks the user `stranger` for a
        password that does not exist.
        """
        if not _made:
            self.run(
                "initdb", "--pgdata", self.data, "--auth=trust", "--username=tidings", "--no-sync",
                "--encoding=UTF8", "--locale=C", "--no-instructions",
            )  # fmt: skip
            _made.append(shutil.copytree(self.data, tempfile.mkdtemp(), dirs_exist_ok=True))
            atexit.register(shutil.rmtree, _made[0], ignore_errors=True)
        else:  # in a tenth of the time
            subprocess.run(["cp", "-a", f"{_made[0]}/.", self.data], check=True)
            subprocess.run(["chown", "-R", f"--reference={self.folder}", self.data], check=True)
            self.data.chmod(0o700)
        if pem:
            (self.data / "server.crt").write_text(pem)
            (self.data / "server.key").write_text(key)
            rules = "hostssl all stranger all scram-sha-256", "hostssl all all all trust"
            (self.data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
            for name in ("server.crt", "server.key"):
                os.chown(self.data / name, self.folder.stat().st_uid, self.folder.stat().st_gid)
                (self.data / name).chmod(0o600)
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
            " ".join(["-p", str(self.port), "-k", "''", *options]),
        )  # fmt: skip

    def stop(self) -> None:
        self.run("pg_ctl", "stop", "--pgdata", self.data, "--mode=fast", "--wait")

    def kill(self) -> None:
        """Kill every process of the server, as a crash of its machine would."""
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.SIGSTOP)  # from here on, it starts no other process
            all = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
            for each in all:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
            while any(map(runs, all)):
                time.sleep(0.01)
            # A container may have nobody who clears dead processes away, whose names would then keep out the next one.
            (self.data / "postmaster.pid").unlink()

    def cut_off(self) -> None:
        """Let a standby get nothing more from its primary."""
        self.sql("ALTER SYSTEM SET primary_conninfo = ''")
        self.sql("SELECT pg_reload_conf()")
        while self.sql("SELECT count(*) FROM pg_stat_wal_receiver") != ["0"]:
            pass

    def catch_up(self, primary: Cluster) -> None:
        """Wait until a standby has all that its primary has."""
        at = primary.sql("SELECT pg_current_wal_insert_lsn()")[0]
        while self.sql(f"SELECT pg_last_wal_replay_lsn() >= '{at}'") != ["t"]:
            pass

    def promote(self) -> None:
        self.run("pg_ctl", "promote", "--pgdata", self.data, "--wait")

    def run(self, program: str, *arguments: object, check: bool = True) -> str:
        """Run one of the engine's own programs, as the server's user."""
        words = [*self.user, str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/",
            env={**os.environ, "HOME": str(self.folder)},
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def url(self, database: str = "postgres", options: str = "") -> str:
        return f"postgresql://tidings@127.0.0.1:{self.port}/{database}{options}"

    def sql(self, statement: str, database: str = "postgres", options: str = "") -> Sequence[str]:
        """Return the rows of a statement as text, by a connection that Tidings knows nothing of."""
        return self.run("psql", "--dbname", self.url(database, options), "-qAtX", "-c", statement).splitlines()

    def create(self) -> str:
        """Make an empty database, and return its name."""
        name = f"test{next(self._names)}"
        self.sql(f"CREATE DATABASE {name}")
        return name

    def drop(self, name: str) -> None:
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    async def ask(self, statement: str, database: str) -> Sequence[str]:
        return await asyncio.to_thread(self.sql, statement, database)


def pooler() -> str | None:
    """Return the path of PgBouncer."""
    return shutil.which("pgbouncer", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin")))


class PgBouncer:
    """A pooler in front of a cluster. It gives each transaction any of two sessions of the engine."""

    def __init__(self, program: str, cluster: Cluster) -> None:
        self.port = free_port()
        self._cluster = cluster
        self._settings = cluster.folder / f"pgbouncer-{self.port}.ini"
        self._settings.write_text(
            f"[databases]\n* = host=127.0.0.1 port={cluster.port} user=tidings\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = any\n"
            "pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 200\n"
        )
        self._log = (cluster.folder / f"pgbouncer-{self.port}.log").open("wb")
        self._process = subprocess.Popen(
            [*cluster.user, program, "--quiet", str(self._settings)], stdout=self._log, stderr=self._log
        )

    def __enter__(self) -> Self:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            assert self._process.poll() is None, Path(self._log.name).read_text()
            time.sleep(0.02)
        raise AssertionError("PgBouncer did not start")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def url(self, database: str, options: str = "") -> str:
        """Return the URL of a store that reads and writes through the pooler, and listens at the engine."""
        listen = f"?listen=127.0.0.1:{self._cluster.port}{options}"
        return f"postgresql://tidings@127.0.0.1:{self.port}/{database}{listen}"
