"""Starting a server in a directory of its own, and reading from /proc what it costs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import jwt

from bench.client import BenchError
from bench.machine import TICK
from bench.servers import nchan, postgres

PATIENCE = 30.0  # seconds until a started server must answer


@dataclass(frozen=True)
class Auth:
    """The environment that makes a server ask for a token, and a token that it accepts."""

    environment: dict[str, str]
    token: Callable[[], str]


@dataclass(frozen=True)
class Kind:
    """A server that can be measured. `command(port, directory)` starts it in the foreground."""

    name: str
    label: str
    kept: str  # what it keeps of an event, in the words of the table
    command: Callable[[int, Path], list[str]]
    replays: bool = False  # a returning reader gets what it has missed
    batches: bool = True  # one request may publish many events
    auth: Auth | None = None
    environment: dict[str, str] = field(default_factory=dict)


SECRET = "a secret of the benchmark, which signs for nobody else"


def _token() -> str:
    claims = {"sub": "bench", "exp": int(time.time()) + 3600, "publish": ["*"], "subscribe": ["*"]}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def _python(module: str) -> Callable[[int, Path], list[str]]:
    return lambda port, _: [sys.executable, "-m", module, "--port", str(port)]


def _tidings(port: int, directory: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tidings",
        "serve",
        "--port",
        str(port),
        "--store",
        f"sqlite:///{directory}/tidings.db",
    ]


# A single subject opens every connection and fills every room here, so the limits for a person are lifted.
TIDINGS = Kind(
    "tidings",
    "Tidings",
    "all, on disk, before the reply (SQLite, `synchronous=FULL`)",
    _tidings,
    replays=True,
    auth=Auth({"TIDINGS_SECRET": SECRET}, _token),
    environment={
        "TIDINGS_MAX_CONNECTIONS_PER_SUBJECT": "1000000",
        "TIDINGS_LIMIT_PUBLISHES": "0",
        "TIDINGS_LIMIT_MEMBERS": "0",
    },
)
TIDINGS_POSTGRES = replace(
    TIDINGS,
    name="tidings-postgres",
    label="Tidings on PostgreSQL",
    kept="all, on disk, before the reply (PostgreSQL's defaults)",
    command=lambda port, directory: [
        *(sys.executable, "-m", "bench.servers.postgres", "--port", str(port), "--directory", str(directory))
    ],
)
SSE_STARLETTE = Kind("sse-starlette", "sse-starlette", "nothing", _python("bench.servers.sse_starlette_app"))
FASTAPI = Kind("fastapi", "FastAPI", "nothing", _python("bench.servers.fastapi_app"))
NCHAN = Kind("nchan", "nchan", "in memory, until it restarts", nchan.command, replays=True, batches=False)


def available() -> list[Kind]:
    """Tidings on both engines, and every rival this machine can run."""
    engines = [TIDINGS, *([TIDINGS_POSTGRES] if postgres.programs() else [])]
    return [*engines, SSE_STARLETTE, FASTAPI, *([NCHAN] if nchan.version() else [])]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server, killed with everything it started when the block ends."""

    def __init__(self, kind: Kind, work: Path, environment: dict[str, str] | None = None) -> None:
        self.kind = kind
        self.port = _free_port()
        self.directory = work / f"{kind.name}-{self.port}"
        self._environment = os.environ | kind.environment | (environment or {})

    def __enter__(self) -> Server:
        self.directory.mkdir()
        self._log = (self.directory / "log").open("wb")
        self._process = subprocess.Popen(
            self.kind.command(self.port, self.directory),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=self._environment,
            start_new_session=True,
        )
        try:
            self._wait()
            self.rest()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def rest(self) -> None:
        """Wait until it does nothing: what it still loads in the background is no part of a connection's memory."""
        deadline, before = time.monotonic() + PATIENCE, -1.0
        while time.monotonic() < deadline and (now := self.cpu()) > before:
            before = now
            time.sleep(1.0)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise BenchError(f"{self.kind.label} does not answer: {self.last_words()}")

    def _end(self) -> None:
        # Killed, not asked: a server with open streams may wait for them for ever, and its directory is thrown away.
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def last_words(self) -> str:
        """The last line the server wrote."""
        lines = (self.directory / "log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _processes(self) -> list[tuple[int, list[str]]]:
        """Process id and the fields of /proc/PID/stat after the name, for the server and all its children."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # it has just ended
                if int(fields[2]) == self._process.pid:  # its group is the one we made
                    found.append((int(entry.name), fields))
        return found

    def cpu(self) -> float:
        """Seconds of user and system time of all its threads and processes, ended children included."""
        return sum(sum(map(int, fields[11:15])) for _, fields in self._processes()) / TICK

    def waited(self) -> float:
        """Seconds its threads that are there now were ready to run and had no core, all of them together."""
        return sum(
            int(file.read_text().split()[1]) / 1e9
            for pid, _ in self._processes()
            for file in Path(f"/proc/{pid}/task").glob("*/schedstat")
        )

    def memory(self) -> int:
        """Resident bytes of all its processes."""
        pages = sum(int(fields[21]) for _, fields in self._processes())
        return pages * os.sysconf("SC_PAGE_SIZE")
