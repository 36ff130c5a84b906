"""Every example is run, with the real code, as its docstring says."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mounted.foreign import ForeignServer
from tests.serving import PATIENCE, ServerProcess
from tests.streams import request, streaming

EXAMPLES = Path(__file__).parent.parent / "examples"
JSON = {"content-type": "application/json"}

LANGSMITH = "ignore:'asyncio.iscoroutinefunction' is deprecated:DeprecationWarning"
"""A warning of Python 3.14 at the import of langsmith 0.15. All others are errors."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Callable[..., ForeignServer]]:
    """Serves the example app of this name with uvicorn."""
    begun: list[ForeignServer] = []

    def start(name: str, **env: str) -> ForeignServer:
        env |= {"PYTHONPATH": str(EXAMPLES), "STORE": f"sqlite:///{tmp_path}/example.db"}
        begun.append(ForeignServer("uvicorn", f"{name}:app", env=env))
        return begun[-1]

    yield start
    for server in begun:
        server.kill()


def run(name: str, *args: str, **env: str) -> str:
    """Return what the example script of this name prints. It must succeed, and print nothing to standard error."""
    command = [sys.executable, "-W", "error", "-W", LANGSMITH, str(EXAMPLES / f"{name}.py"), *args]
    done = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


async def post(url: str, value: Any) -> Any:
    answer = await request(url, "POST", json.dumps(value), JSON)
    assert answer.status == 200, answer
    return answer.json()


def test_each_example_is_short_says_how_to_run_it_and_is_run_here() -> None:
    source = Path(__file__).read_text()
    for example in EXAMPLES.iterdir():
        if example.suffix == ".py":
            text = example.read_text()
            assert len(text.splitlines()) < 60, example
            assert example.stem in text.split('"""')[1], "its docstring says how to run it"
            assert f'"{example.stem}"' in source


async def test_the_chat_answers_whoever_looks_and_whenever(app: Callable[..., ForeignServer]) -> None:
    server = app("fastapi_chat")
    assert b"EventSource" in (await request(f"{server.url}/")).body
    run_id = await post(f"{server.url}/ask", "Who are you?")

    async def read() -> tuple[str, str]:
        async with streaming(f"{server.url}/answers/{run_id}") as stream:
            events = [event async for event in stream]
        said = "".join(json.loads(event.data)["delta"] for event in events if event.type == "block.delta")
        return said, events[-1].type

    expected = ("I am only a script. Set MODEL to hear a model.", "tidings.end")
    assert await asyncio.gather(read(), read()) == [expected, expected]
    assert await read() == expected


async def test_notifications_reach_who_was_away_and_who_is_there(app: Callable[..., ForeignServer]) -> None:
    server = app("notifications")
    first = await post(f"{server.url}/notify/ada", {"title": "Shipped"})
    async with streaming(f"{server.url}/inbox/ada") as inbox:
        assert [(e.type, json.loads(e.data)) for e in await inbox.take(1)] == [("notification", {"title": "Shipped"})]
        await post(f"{server.url}/notify/ada", {"title": "Arrived"})
        await post(f"{server.url}/read/ada", first)
        await post(f"{server.url}/read/ada", first)
        await post(f"{server.url}/notify/ada", {"title": "Thanks"})
        assert [e.type for e in await inbox.take(3)] == ["notification", "read", "notification"]
    async with streaming(f"{server.url}/inbox/ada", first) as inbox:
        assert json.loads((await inbox.take(1))[0].data) == {"title": "Arrived"}


async def test_the_dashboard_has_history_and_goes_on(app: Callable[..., ForeignServer]) -> None:
    server = app("starlette_dashboard", EVERY="0.05")
    assert b"canvas" in (await request(f"{server.url}/")).body
    async with streaming(f"{server.url}/load") as stream:
        events = await stream.take(5)
    assert all(json.loads(event.data)["load"] >= 0 for event in events)
    assert len({event.id for event in events}) == 5


def test_the_script_publishes(serve_process: Callable[..., ServerProcess]) -> None:
    server = serve_process()
    lines = run("publish_from_script", TIDINGS_URL=server.url).splitlines()
    assert [line.split()[0] for line in lines] == ["4711", "4712", "4713"]
    assert [line.rpartition("-")[2] for line in lines] == ["1", "2", "3"]


def test_the_order_book_has_each_event_once(serve_process: Callable[..., ServerProcess], tmp_path: Path) -> None:
    """The example is killed after three events, and the server before the next three."""
    server = serve_process()
    env = {**os.environ, "TIDINGS_URL": server.url}
    command = [sys.executable, "-W", "error", str(EXAMPLES / "order_book.py"), str(tmp_path / "orders.db")]
    run("publish_from_script", TIDINGS_URL=server.url)
    reader = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    with reader.stdout:
        assert [reader.stdout.readline() for _ in range(3)] == [f"{n} paid\n" for n in (4711, 4712, 4713)]
        reader.kill()
        reader.wait(PATIENCE)
    server.kill()
    server.start()
    run("publish_from_script", TIDINGS_URL=server.url)
    httpx.post(f"{server.url}/topics/examples.orders/close").raise_for_status()
    assert run("order_book", str(tmp_path / "orders.db"), TIDINGS_URL=server.url).count("paid") == 3
    with closing(sqlite3.connect(tmp_path / "orders.db")) as book:
        assert set(book.execute("SELECT number, changes FROM orders")) == {(4711, 2), (4712, 2), (4713, 2)}


def test_the_tutorial_client_prints_the_whole_answer(serve_process: Callable[..., ServerProcess]) -> None:
    server = serve_process()
    said = run("tutorial_client", "What is process mining?", TIDINGS_URL=server.url)
    assert said.startswith("Process mining reconstructs how work really happens")
    assert said.endswith("[3]\n")


@pytest.mark.slow
def test_the_tutorial_client_comes_back_after_a_crash(serve_process: Callable[..., ServerProcess]) -> None:
    """The server is killed in the middle of the answer: what was said is not said again, and the end is told."""
    server = serve_process()
    command = [sys.executable, str(EXAMPLES / "tutorial_client.py"), "What is process mining?"]
    env = {**os.environ, "TIDINGS_URL": server.url}
    client = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert client.stdout is not None
    begun = client.stdout.read(60)
    server.kill()
    server.start()
    rest, errors = client.communicate(timeout=PATIENCE)
    whole = begun + rest
    assert whole.count("Process mining reconstructs") == 1
    assert "coming back" in errors
    assert client.returncode == 1
    assert "The answer was interrupted before its end." in errors


def test_the_agent_s_steps_calls_and_words_are_events() -> None:
    lines = [line.split(" ", 2) for line in run("langgraph_agent").splitlines()]
    types = [type for _, type, _ in lines]
    assert types[0] == "run.started"
    assert types[-1] == "run.finished"
    assert types.index("tool.started") < types.index("tool.finished")
    finished = [json.loads(data) for _, type, data in lines if type == "block.finished"]
    assert "There are three lamps left." in [block["content"] for block in finished]


async def test_the_agent_in_the_page_asks_before_it_refunds(serve_process: Callable[..., ServerProcess]) -> None:
    """The example is also that of the guide, word for word, so that both stay true."""
    example = (EXAMPLES / "support_agent").with_suffix(".py").read_text()
    guide = (EXAMPLES.parent / "docs" / "how-to" / "show-your-agent.md").read_text()
    assert example.split('"""\n', 1)[1].strip() in guide
    server = serve_process(args=("--assistant", "support_agent:support"), env={"PYTHONPATH": str(EXAMPLES)})
    (assistant,) = (await request(f"{server.url}/assistants")).json()["assistants"]
    assert (assistant["name"], assistant["title"], assistant["icon"]) == ("support", "Support", "S")
    started = await request(f"{server.url}/runs", "POST", json.dumps({"input": "Refund order 4711"}), JSON)
    run_id = started.json()["run"]
    async with streaming(f"{server.url}/runs/{run_id}/events") as stream:
        async for event in stream:
            data = json.loads(event.data)
            if event.type == "data":
                assert data["value"]["title"] == "Order 4711"
            if event.type == "input.requested":
                answer = {"decisions": [{"type": "reject", "message": "too much"}]}
                resolved = {"type": "input.resolved", "run": run_id, "kind": "interrupt", "value": answer}
                body = json.dumps(resolved | {"request": data["request"]})
                where = f"{server.url}/topics/runs.{run_id}/events?type=input.resolved"
                assert (await request(where, "POST", body, JSON)).status == 201
            if event.type == "block.finished":
                said = data["content"]
    assert "with reason: too much" in said


def test_the_example_test_passes() -> None:
    test = (EXAMPLES / "test_answers").with_suffix(".py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:langsmith_plugin"]
    command += ["-c", "/dev/null", "-o", "asyncio_mode=auto", str(test)]
    # The options of this run are not known there.
    env = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=EXAMPLES.parent, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert "2 passed" in done.stdout, done.stdout
