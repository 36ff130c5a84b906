"""Fixtures of every test: a guard against a blocked event loop, hubs over the built-in stores, a server to kill."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

from tests.postgres import Cluster, binaries
from tests.serving import ServerProcess

if TYPE_CHECKING:
    from tidings import Hub

pytest.register_assert_rewrite(
    "tests.stores.kit",
    "tests.stores.suite",
    "tests.stores.suite_life",
    "tests.stores.suite_order",
    "tests.stores.suite_port",
    "tests.stores.suite_told",
)

# A machine that is busy shall decide no test: Hypothesis fails an example that takes over 200 ms.
settings.register_profile("tidings", settings(), deadline=None)
settings.load_profile("tidings")


COVERAGE = "COVERAGE_PROCESS_CONFIG"
"""The variable by which coverage measures the processes that are started."""

MEASURED = os.environ.get(COVERAGE)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="fail if any test is skipped: what .ci/run asks for")


@pytest.hookimpl(trylast=True)  # browser tests have their mark by then
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that take long first: .ci/run hands files to three processes in this order, and a long file at the
    end would keep one of them busy while the others have nothing to do."""
    ranks: dict[Path, int] = {}
    for item in items:
        rank = 0 if item.get_closest_marker("slow") else 1 if item.get_closest_marker("browser") else 2
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])


@pytest.hookimpl(tryfirst=True)  # before the fixtures of a session start servers
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Measure the processes of quick tests alone. The start of a server takes 1.3 s of CPU, and 1.9 s if it is
    measured; slow tests start some hundreds, and a process that they kill leaves no data."""
    if item.get_closest_marker("slow") or item.get_closest_marker("browser"):
        os.environ.pop(COVERAGE, None)
    elif MEASURED is not None:
        os.environ[COVERAGE] = MEASURED


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True, scope="session")
def blocked_loop() -> Iterator[BlockBuster]:
    """A blocking call made on the event loop by Tidings, however deep in a library, raises BlockingError.

    Calls that the tests themselves make are allowed. To allow a call of Tidings, name its file and function here, and
    say why it cannot hurt.
    """
    with blockbuster_ctx("tidings") as guard:
        # asyncpg looks for the small local files of libpq (a password file, certificates) when it makes a connection.
        for function in guard.functions.values():
            function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
        yield guard


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of this session's own."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server on this machine (Debian: apt-get install postgresql)")
    with Cluster(programs) as cluster:
        yield cluster.make()


@pytest.fixture(scope="session")
def postgres_database(postgres: Cluster) -> str:
    """The name of a database."""
    return postgres.create()


@pytest.fixture
def postgres_url(postgres: Cluster, postgres_database: str) -> Iterator[str]:
    """The URL of a database without a store. One database serves all tests, since to make another takes a second."""
    yield postgres.url(postgres_database)
    postgres.sql("DROP SCHEMA IF EXISTS tidings CASCADE", postgres_database)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store, once for each kind of store."""
    url: str = "memory:" if request.param == "memory" else request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a file that is not there yet."""
    return f"sqlite:///{tmp_path}/tidings.db"


@pytest.fixture(params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty store that processes may share, once for each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def hub(store_url: str) -> AsyncIterator[Hub]:
    """An open hub over an empty store."""
    from tidings import Hub

    async with Hub(store_url) as hub:
        yield hub


@pytest.fixture
def serve_process(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """Starts `tidings serve` in a process of its own: `server = serve_process(store=…, env={…})`; see ServerProcess."""
    with ExitStack() as stack:

        def start(
            store: str = f"sqlite:///{tmp_path}/tidings.db", kind: type[ServerProcess] = ServerProcess, **options: Any
        ) -> ServerProcess:
            return stack.enter_context(kind(store, **options))

        yield start


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to drive."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    return path


@pytest.fixture(scope="session")
def headless_shell(chromium: str) -> str:
    """The path of Chromium's headless shell, or of a Chromium where there is none.

    The shell, which Playwright drives by default, too, is the same engine without the window of a browser: six tabs
    take 4 s of CPU instead of 10. It has no permission for notifications, and no cache of pages to go back to.
    """
    return shutil.which("chromium-headless-shell") or chromium
