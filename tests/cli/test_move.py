"""`tidings move`, as its user meets it: a server is moved from SQLite to PostgreSQL while people publish and read."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import asyncpg
import httpx
import pytest

from tests.cli.command import TIDINGS, environment, process
from tests.serving import PATIENCE, ServerProcess
from tidings import AsyncClient, Hub

TOPICS = [f"orders.{n}" for n in range(6)]
END = "the end"


class Traffic:
    """Publishers and readers that know nothing of a move. `stored`: what was acknowledged, by topic, in its order."""

    def __init__(self, url: str) -> None:
        self.stored: dict[str, list[tuple[str, str]]] = {topic: [] for topic in TOPICS}
        self.seen: dict[str, list[tuple[str, str]]] = {topic: [] for topic in TOPICS}
        self.resets: list[str] = []
        self._over = False
        self._url = url

    async def publish(self, client: AsyncClient, topic: str) -> None:
        n = 0
        while not self._over:
            n += 1
            data = f"{topic} {n} " + "x" * (n % 700)
            offset = await client.publish(topic, data, key=f"{topic} {n}" if n % 3 else None)
            self.stored[topic].append((str(offset), data))
            await asyncio.sleep(0.002)
        self.stored[topic].append((str(await client.publish(topic, END)), END))

    async def read(self, client: AsyncClient, topic: str) -> None:
        async with client.subscribe(topic, "earliest") as events:
            async for event in events:
                if event.type == "tidings.reset":
                    self.resets.append(event.data)
                    continue
                self.seen[topic].append((str(event.offset), event.data))
                if event.data == END:
                    return

    def end(self) -> None:
        self._over = True

    async def more(self, count: int = 20) -> None:
        """Wait until this many more events were acknowledged in each topic."""
        wanted = {topic: len(events) + count for topic, events in self.stored.items()}
        async with asyncio.timeout(PATIENCE):
            while any(len(self.stored[topic]) < number for topic, number in wanted.items()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def start(source: str, target: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *TIDINGS, "move", source, target, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.fixture
def server(sqlite_url: str) -> Iterator[ServerProcess]:
    with ServerProcess(sqlite_url) as server:
        yield server


@pytest.mark.slow
async def test_a_server_moves_to_postgresql_under_publishers_and_readers(
    server: ServerProcess, sqlite_url: str, postgres_url: str
) -> None:
    dice = Random(11)
    traffic = Traffic(server.url)
    async with AsyncClient(server.url, patience=PATIENCE) as client:
        going = [asyncio.ensure_future(traffic.publish(client, topic)) for topic in TOPICS]
        going += [asyncio.ensure_future(traffic.read(client, topic)) for topic in TOPICS]
        await traffic.more()
        once = await client.publish("orders.0.keyed", "once", key="k")
        for _ in range(3):
            move = await start(sqlite_url, postgres_url)
            assert move.stderr
            await asyncio.sleep(1.0 + dice.random())
            if move.returncode is None:
                move.kill()
            await move.communicate()
        move = await start(sqlite_url, postgres_url)
        out, err = await asyncio.wait_for(move.communicate(), PATIENCE)
        assert (move.returncode, b"Traceback" in err) == (0, False), err
        assert b"Start the servers with the URL of the new store now." in out
        refused = await asyncio.to_thread(
            httpx.post, f"{server.url}/topics/a/events", json={"data": "x"}, timeout=PATIENCE
        )
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert "was moved to another one" in refused.json()["detail"]
        async with asyncio.timeout(PATIENCE):  # a write of the last half second is proof enough
            while (await asyncio.to_thread(httpx.get, f"{server.url}/health/ready")).status_code != 503:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asyncio.to_thread(server.terminate)
        server.store = postgres_url
        await asyncio.to_thread(server.start)
        await traffic.more()
        traffic.end()
        await asyncio.wait_for(asyncio.gather(*going), PATIENCE)
        assert await client.publish("orders.0.keyed", "once", key="k") == once
        kept = {topic: await everything(client, topic) for topic in TOPICS}
    assert traffic.resets == []
    for topic in TOPICS:
        assert kept[topic] == traffic.stored[topic] == traffic.seen[topic]
        numbers = [int(offset.rpartition("-")[2]) for offset, _ in kept[topic]]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len({offset.rpartition("-")[0] for offset, _ in kept[topic]}) == 1


async def everything(client: AsyncClient, topic: str) -> list[tuple[str, str]]:
    page = await client.read(topic)
    found = [(str(event.offset), event.data) for event in page.events]
    while not page.up_to_date:
        page = await client.read(topic, page.next)
        found += [(str(event.offset), event.data) for event in page.events]
    return found


async def test_ctrl_c_is_one_sentence_and_the_server_goes_on(
    server: ServerProcess, sqlite_url: str, postgres_url: str
) -> None:
    """The move waits for a lock of another session meanwhile."""

    async def publish() -> None:
        done = await asyncio.to_thread(
            httpx.post, f"{server.url}/topics/a/events", json={"data": "1"}, timeout=PATIENCE
        )
        done.raise_for_status()

    await publish()
    async with Hub(postgres_url):
        pass
    session = await asyncpg.connect(postgres_url)
    try:
        await session.execute("BEGIN")
        await session.execute("LOCK TABLE tidings.topics")
        move = await start(sqlite_url, postgres_url)
        async with asyncio.timeout(PATIENCE):
            while not await session.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        move.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(move.communicate(), PATIENCE)
    finally:
        await session.close()
    assert move.returncode == 130
    assert err.decode().endswith("tidings: The move was cut off. Repeat the command to go on.\n")
    assert b"Traceback" not in err
    await publish()


@pytest.mark.parametrize(
    ("source", "target", "sentence"),
    [
        ("sqlite:///none.db", "memory:", "A store in memory is in one process and ends with it: it cannot be moved."),
        ("sqlite:///none.db", "sqlite:///none.db", "Both URLs name the same store."),
        ("sqlite:///none.db", "sqlite:///other.db", "There is no file none.db."),
        ("redis://x", "sqlite:///other.db", "This is not the URL of a store. Known are memory:, sqlite:///"),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, target: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = process("move", source, target)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"tidings: {sentence}")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_is_away_is_one_sentence_without_its_password(server: ServerProcess, sqlite_url: str) -> None:
    done = process("move", sqlite_url, "postgresql://tidings:hunter2@127.0.0.1:1/tidings")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == "tidings: The database cannot be reached."
    assert "hunter2" not in done.stderr


def test_help_says_how_the_switch_is_made() -> None:
    done = process("move", "--help")
    assert done.returncode == 0
    assert "refuses changes with 503" in " ".join(done.stdout.split())
    assert "tidings move sqlite:////var/lib/tidings/tidings.db postgresql://" in done.stdout
