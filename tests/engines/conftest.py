"""Each test of this folder runs once in Firefox and once in WebKit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.engines import STARTS, Engine
from tests.engines.tab import Tab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/engines/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module", params=list(STARTS))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with Engine(request.param) as engine:
        yield engine


@pytest.fixture(scope="module")
def browser(engine: Engine) -> Tab:
    """The first tab of a browser that the tests of a module share."""
    return engine.browser()
