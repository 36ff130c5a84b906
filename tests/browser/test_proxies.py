"""A browser's own EventSource over the proxies of docs/deploy.md: an outage of all servers does not end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import OpenTab
from tests.proxies.kit import NAMES, Curl, Deployment

FOLLOW = """topic => {
    window.got = []; window.failures = 0;
    window.source = new EventSource(`/events?topic=${topic}&after=earliest`);
    source.onmessage = event => got.push(event.data);
    source.onerror = () => { failures += 1; };
}"""


@pytest.fixture(params=NAMES)
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with Deployment(request.param, tmp_path_factory.mktemp(request.param)) as deployment:
        yield deployment


def test_an_event_source_outlives_an_outage_of_all_servers(deployment: Deployment, open_tab: OpenTab) -> None:
    curl = Curl(deployment)
    page = open_tab("/health/live", url=deployment.url, ignore_https_errors=True).page

    def publish(text: str) -> None:
        assert curl("/topics/a/events", body=text.encode()).status == 201
        page.wait_for_function("text => got.at(-1) === text", arg=text)

    page.evaluate(FOLLOW, "a")
    publish("before")
    deployment.stop()
    page.wait_for_function("failures >= 2")  # the cut, and an attempt at which no server was there
    assert page.evaluate("source.readyState") == 0, "the browser has given up"
    deployment.start()
    publish("after")
    assert page.evaluate("got") == ["before", "after"]
    protocols = page.evaluate("performance.getEntriesByType('navigation').map(each => each.nextHopProtocol)")
    assert protocols == ["h2"]
