"""`tidings scrape`: figures of real exporters, and sentences for URLs of none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from tests.cli.command import rows, start, tidings
from tests.serving import PATIENCE, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('cli')}/tidings.db") as server:
        yield server


@pytest.fixture
def exporter() -> Iterator[tuple[CollectorRegistry, str]]:
    """The exporter of Prometheus's client, unmodified, on a free port."""
    registry = CollectorRegistry()
    serving, thread = start_http_server(0, "127.0.0.1", registry)
    yield registry, f"127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()
    thread.join()


def test_an_exporter_is_scraped_each_period_with_rates(
    server: ServerProcess, exporter: tuple[CollectorRegistry, str]
) -> None:
    registry, address = exporter
    paid = Counter("paid", "Orders.", ["country"], registry=registry)
    Gauge("broken", "No number.", registry=registry).set(float("nan"))
    paid.labels("DE").inc(3)
    running = start("scrape", f"http://{address}/metrics", "--every", "1s", to=server.url)
    assert running.stdout is not None
    assert running.stderr is not None
    assert rows(running.stdout.readline()) == [{"figures": 2, "refused": 1}]
    assert running.stderr.readline() == (
        "tidings: Figures that are not published: 1. broken: JSON has no number nan.\n"
    )
    paid.labels("DE").inc(5)
    running.stdout.readline()
    running.terminate()
    running.communicate(timeout=PATIENCE)
    first, second = (event["data"] for event in rows(tidings("read", "figures.paid_total", to=server.url).stdout)[:2])
    assert first == {"value": 3.0, "labels": {"country": "DE", "instance": address}}
    assert second["value"] == 8.0
    assert second["rate"] > 0


def test_a_server_s_own_figures_are_scraped_once(server: ServerProcess) -> None:
    done = tidings("scrape", f"{server.url}/metrics", to=server.url)
    assert (done.returncode, done.stderr) == (0, "")
    [count] = rows(done.stdout)
    assert count["figures"] > 30
    [event] = rows(tidings("read", "figures.tidings_streams_open", to=server.url).stdout)
    assert event["data"]["value"] == 0.0


@pytest.mark.parametrize(
    ("url", "code", "sentence"),
    [
        ("localhost:9100", 2, "is not the URL of an exporter"),
        ("http://", 2, "is not the URL of an exporter"),
        ("http://127.0.0.1:9/metrics", 3, "The exporter cannot be read"),
        ("SERVER/nothing", 1, "The exporter answered 404"),
        ("SERVER/", 1, "The text"),
    ],
)
def test_a_url_of_no_exporter_is_a_sentence(server: ServerProcess, url: str, code: int, sentence: str) -> None:
    done = tidings("scrape", url.replace("SERVER", server.url), to=server.url)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("tidings: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
