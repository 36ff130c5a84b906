"""The plugin in projects of others: a pytest of its own, in a process of its own, with the public names alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

STRICT = """
[pytest]
addopts = -p no:langsmith_plugin
filterwarnings = error
asyncio_default_fixture_loop_scope = function
"""

AUTO = STRICT + "asyncio_mode = auto\n"

FAULTY = '''
import asyncio

from fastapi import FastAPI, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent


class Faulty:
    """Every event of `log`, then what comes; with one fault."""

    def __init__(self, fault):
        self.fault, self.log, self.news = fault, [], asyncio.Condition()
        self.app = FastAPI()
        self.app.get("/events", response_class=EventSourceResponse)(self.events)

    async def say(self, text):
        async with self.news:
            self.log.append(text)
            self.news.notify_all()

    async def events(self, request: Request):
        at = int(request.headers.get("last-event-id", 0))
        if at and self.fault == "loses":
            at = len(self.log)
        if at and self.fault == "doubles":
            at -= 1
        made = asyncio.Queue()
        task = asyncio.create_task(self.produce(made, at))
        try:
            while True:
                event = await made.get()
                if event is None:
                    break
                yield event
        finally:
            task.cancel()

    async def produce(self, made, at):
        try:
            while True:
                async with self.news:
                    await self.news.wait_for(lambda: len(self.log) > at)
                for text in self.log[at:]:
                    at += 1
                    made.put_nowait(ServerSentEvent(raw_data=text, id=str(at)))
        finally:
            if self.fault != "hangs":
                made.put_nowait(None)
'''

TESTS = """
import pytest
from faulty import Faulty
from tidings.testing import event

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["sound", "loses", "doubles", "hangs"])
def app(request):
    return Faulty(request.param)


async def test_a_returning_reader_goes_on(app, event_stream):
    stream = await event_stream(app.app, "/events")
    await app.say("one")
    await stream.next()
    await stream.drop()
    await app.say("two")
    await stream.reconnect()
    await app.say("three")
    await stream.until(data="three", within=60)
    assert stream.events == [event(data="one"), event(data="two"), event(data="three")]


async def test_a_dead_producer_ends_the_stream(app, event_stream):
    stream = await event_stream(app.app, "/events")
    await app.say("one")
    await stream.next()
    await stream.kill_producer()
    await stream.end(within=60)
"""


def test_the_plugin_finds_apps_that_lose_double_or_hang(pytester: pytest.Pytester) -> None:
    pytester.makeini(AUTO)
    pytester.makepyfile(faulty=FAULTY, test_faults=TESTS)
    result = pytester.runpytest_subprocess("-v", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=5, failed=3)
    result.stdout.fnmatch_lines_random(
        [
            "*test_a_returning_reader_goes_on[[]sound] PASSED*",
            "*test_a_returning_reader_goes_on[[]loses] FAILED*",
            "*test_a_returning_reader_goes_on[[]doubles] FAILED*",
            "*test_a_returning_reader_goes_on[[]hangs] PASSED*",
            "*test_a_dead_producer_ends_the_stream[[]hangs] FAILED*",
            "E *Within 60 s of the clock the end of the response did not come. The stream has received 1:",
        ]
    )
    shown = "\n".join(line.removeprefix("E").strip() for line in result.outlines)
    assert LOST in shown
    assert DOUBLED in shown
    assert "stream.py" not in shown, "a failure is shown in the test, not in the kit"


LOST = """assert event 1 differs: data 'two' expected, 'three' received
expected 3    | received 2
0  *  'one'  *   | message  'one'  1
>   1  *  'two'  *   | message  'three'  3
2  *  'three'  * | (none)"""

DOUBLED = """assert event 1 differs: data 'two' expected, 'one' received
expected 3    | received 4
0  *  'one'  *   | message  'one'  1
>   1  *  'two'  *   | message  'one'  1
2  *  'three'  * | message  'two'  2
3  (none)        | message  'three'  3"""


def test_a_long_list_shows_what_is_around_the_difference(pytester: pytest.Pytester) -> None:
    """pytest cuts an explanation after eight lines, so what matters is in those."""
    pytester.makeini(AUTO)
    pytester.makepyfile(
        """
        import pytest
        from starlette.responses import StreamingResponse
        from tidings.testing import event

        async def body():
            for n in range(40):
                yield f"data: {n}\\n\\n"

        async def test_a_stream(event_stream):
            stream = await event_stream(StreamingResponse(body(), media_type="text/event-stream"))
            await stream.end()
            assert stream.events == [event(data=n if n != 20 else "twenty") for n in range(40)]

        async def test_expect(event_stream):
            stream = await event_stream(StreamingResponse(body(), media_type="text/event-stream"))
            await stream.end()
            stream.expect(*[event(data=n if n != 20 else "twenty") for n in range(40)])
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=2)
    shown = result.stdout.str()
    short, whole = shown.split("test_expect", 1)
    assert "event 20 differs: data 'twenty' expected, '20' received" in short
    assert [f"{n}  *" in short for n in (17, 18, 19, 20, 21, 22, 23)] == [False, True, True, True, True, True, False]
    assert all(f" {n}  *  {n}" in whole for n in range(40) if n != 20)


MODES = """
import pytest

{mark}


async def test_all_fixtures(tidings_hub, tidings_app, event_stream, tidings_clock):
    stream = await event_stream(tidings_app, "/events?topic=a")
    await tidings_hub.publish("a", "one")
    assert (await stream.next()).data == "one"
    await tidings_clock.advance(20)
    assert len(stream.comments) == 2


@pytest.fixture
def tidings_store(tmp_path):
    return f"sqlite:///{{tmp_path}}/tidings.db"


async def test_another_store(tidings_hub, tmp_path):
    await tidings_hub.publish("a", "one")
    assert (tmp_path / "tidings.db").exists()
"""


@pytest.mark.parametrize(
    ("ini", "mark"),
    [(AUTO, ""), (STRICT, "pytestmark = pytest.mark.asyncio"), (STRICT, "pytestmark = pytest.mark.anyio")],
    ids=["auto", "strict", "anyio"],
)
def test_the_plugin_runs_beside_asynchronous_plugins(
    pytester: pytest.Pytester, ini: str, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDINGS_SECRET", "whatever the environment says of some server")
    pytester.makeini(ini)
    if "anyio" in mark:
        mark += "\n@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'"
    pytester.makepyfile(MODES.format(mark=mark))
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=2)


def test_the_plugin_imports_no_heavy_package(pytester: pytest.Pytester) -> None:
    """Every pytest run of an environment that has Tidings imports the plugin."""
    heavy = ["fastapi", "pydantic", "langchain_core", "httpx", "uvicorn", "jwt", "sqlite3"]
    code = (
        "import sys; before = set(sys.modules); import tidings.testing.plugin; "
        f"print(*sorted(set({heavy}) & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
