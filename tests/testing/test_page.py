"""The page on testing: each file that it shows is run, and it names everything that is public."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from tidings import testing
from tidings.server import testing as server_fixtures
from tidings.testing import plugin

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[2] / "docs" / "testing.md").read_text("utf-8")
FILES = {
    source.split("\n")[0].removeprefix("# ").removesuffix(".py"): source
    for source in re.findall(r"^```python\n(.*?)^```$", PAGE, re.S | re.M)
}

INI = """
[pytest]
addopts = -p no:langsmith_plugin
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""


def test_the_tests_of_the_page_pass(pytester: pytest.Pytester) -> None:
    assert set(FILES) == {"app", "test_app", "test_run", "test_time", "conftest"}
    pytester.makeini(INI)
    pytester.makepyfile(**{name: source for name, source in FILES.items() if name != "conftest"})
    pytester.runpytest_subprocess().assert_outcomes(passed=3)


def test_the_failure_that_the_page_shows_is_real(pytester: pytest.Pytester) -> None:
    pytester.makeini(INI)
    forgets = FILES["app"].replace('int(request.headers.get("last-event-id", 0))', "0")
    assert forgets != FILES["app"]
    pytester.makepyfile(app=forgets, test_app=FILES["test_app"])
    lines = pytester.runpytest_subprocess().outlines
    (shown,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.S | re.M)
    told = [" ".join(line.split()) for line in lines]
    assert [line for line in shown.splitlines() if " ".join(line.split()) not in told] == []


def test_the_page_names_every_public_part() -> None:
    for name in testing.__all__:
        assert name in PAGE or inspect.getdoc(getattr(testing, name)), name
    for name in ("event_stream", "tidings_clock", "tidings_hub", "tidings_app", "tidings_store"):
        assert f"`{name}`" in PAGE
        assert hasattr(plugin, name) or hasattr(server_fixtures, name)
    for name, member in inspect.getmembers(testing.EventStream):
        public = not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
        if public and name not in {"connect", "close", "received"}:
            assert re.search(rf"\b{name}\b", PAGE), name
