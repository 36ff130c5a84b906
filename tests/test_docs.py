"""The documentation says what is: its code runs, and its references name everything there is, and nothing else."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import tidings
from tests.mounted.foreign import ForeignServer
from tests.streams import request, streaming
from tidings.cli.commands import app as commands
from tidings.server.settings import Settings
from tidings.wire import run_events

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
JSON = {"content-type": "application/json"}


def text(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def code(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.S | re.M)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Callable[[str], ForeignServer]]:
    """Serves an app whose source is given."""
    begun: list[ForeignServer] = []

    def start(source: str) -> ForeignServer:
        (tmp_path / "app.py").write_text(source.replace("sqlite:///app.db", f"sqlite:///{tmp_path}/app.db"))
        begun.append(ForeignServer("uvicorn", "app:app", env={"PYTHONPATH": str(tmp_path)}))
        return begun[-1]

    yield start
    for server in begun:
        server.kill()


@pytest.mark.parametrize("page", PAGES)
def test_python_in_the_pages_is_python(page: str) -> None:
    for source in code(page, "python"):
        compile(source, page, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)


@pytest.mark.parametrize("page", PAGES)
def test_json_in_the_pages_is_json(page: str) -> None:
    for source in code(page, "json"):
        json.loads(source)


async def test_the_tutorial_s_first_app_loses_nothing(app: Callable[[str], ForeignServer]) -> None:
    first, _ = (source for source in code("tutorial.md", "python") if source.startswith("# app.py"))
    server = await asyncio.to_thread(app, first)

    async def say(said: str) -> None:
        assert (await request(f"{server.url}/rooms/lobby", "POST", json.dumps(said), JSON)).status == 200

    async with streaming(f"{server.url}/rooms/lobby/events") as stream:
        await say("Hello")
        (event,) = await stream.take(1)
    assert re.fullmatch(r"[A-Za-z0-9]+-1", event.id)
    await say("two")
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    await say("three")
    async with streaming(f"{server.url}/rooms/lobby/events", event.id) as stream:
        assert [event.data for event in await stream.take(2)] == ["two", "three"]


@pytest.mark.slow
async def test_the_tutorial_s_answer_is_followed_stopped_and_ended_after_a_crash(
    app: Callable[[str], ForeignServer],
) -> None:
    _, second = (source for source in code("tutorial.md", "python") if source.startswith("# app.py"))
    server = await asyncio.to_thread(app, second.replace("sleep(0.3)", "sleep(0.01)"))
    assert b"new EventSource" in (await request(f"{server.url}/")).body

    async def ask() -> str:
        return str((await request(f"{server.url}/ask", "POST", '"Why?"', JSON)).json())

    async def outcome(run: str) -> tuple[str, str]:
        async with streaming(f"{server.url}/answers/{run}") as stream:
            events = [event async for event in stream]
        ends = [json.loads(event.data)["outcome"] for event in events if event.type == "run.finished"]
        assert len(ends) == 1
        return "".join(json.loads(e.data)["delta"] for e in events if e.type == "block.delta"), ends[0]

    said, ended = await outcome(await ask())
    assert (said, ended) == ("You asked: Why? I have no idea, but I say so slowly. ", "success")

    await asyncio.to_thread(server.kill)
    server = await asyncio.to_thread(app, second.replace("sleep(0.3)", "sleep(60)"))
    stopped, killed = await ask(), await ask()
    await request(f"{server.url}/answers/{stopped}/stop", "POST")
    assert await outcome(stopped) == ("You ", "cancelled")
    async with streaming(f"{server.url}/answers/{killed}") as stream:
        assert "block.delta" in {event.type for event in await stream.take(4)}
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    assert await outcome(killed) == ("You ", "interrupted")


def test_every_setting_is_in_the_reference_and_nothing_else() -> None:
    named = re.findall(r"^\| `(TIDINGS_\w+)`", text("reference/settings.md"), re.M)
    assert named == ["TIDINGS_" + name.upper() for name in Settings.model_fields] + ["TIDINGS_URL", "TIDINGS_TOKEN"]


def test_every_command_and_option_is_in_the_reference() -> None:
    page = text("reference/command-line.md")
    group: Any = get_command(commands)
    for name, command in group.commands.items():
        assert f"`tidings {name}" in page
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert f"`{parameter.opts[0]}`" in page, parameter.opts


def test_every_route_is_in_the_reference() -> None:
    from tidings.server.app import create_app

    page = re.sub(r"\b(T|OFFSET|NAME|DIGEST)\b", "{}", text("reference/http.md").replace("ID", "{}"))
    for path, methods in create_app(Settings.load(store="memory:")).openapi()["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {re.sub(r'{[a-z]+}', '{}', path)}" in page


def test_every_run_event_is_in_the_reference_with_its_fields() -> None:
    rows = dict(re.findall(r"^\| `([a-z.]+)` \| (.*) \|$", text("reference/run-events.md"), re.M))
    structs: dict[str, Any] = {run_events.type_of(kind): kind for kind in run_events._EVENTS.__args__}
    for name, kind in structs.items():
        fields = [field for field in kind.__struct_fields__ if field != "run"]
        if name == "stop.requested":
            continue
        assert sorted(re.findall(r"`(\w+)\??`", rows[name])) == sorted(fields), name
    assert set(rows) <= set(structs)


def test_every_public_name_is_in_the_reference() -> None:
    page = text("reference/python.md")
    for name in tidings.__all__:
        assert f"`{name}" in page, name


async def test_the_whole_api_can_be_mounted(app: Callable[[str], ForeignServer]) -> None:
    (mount,) = (source for source in code("how-to/mount.md", "python") if "create_app" in source)
    source = 'from fastapi import FastAPI\nfrom tidings import Hub\nhub = Hub("sqlite:///app.db")\n' + mount
    server = await asyncio.to_thread(app, source)
    published = await request(f"{server.url}/tidings/topics/chat.lobby/events", "POST", "Hello")
    assert published.status == 201
    async with streaming(f"{server.url}/tidings/events?topic=chat.lobby&from=earliest") as stream:
        assert [event.data for event in await stream.take(1)] == ["Hello"]
    answer = await request(f"{server.url}/tidings/runs", "POST", '{"input": "What is a run?"}', JSON)
    run = answer.json()
    assert run["events"] == f"/tidings/runs/{run['run']}/events"
    assert answer.headers["location"] == f"/tidings/runs/{run['run']}"
    async with streaming(f"{server.url}{run['events']}") as stream:
        assert [event.type async for event in stream][-1] == "tidings.end"


def test_the_pages_travel_with_the_code() -> None:
    from hatchling.builders.wheel import WheelBuilder

    builder = WheelBuilder(str(DOCS.parent))
    packed = {file.distribution_path for file in builder.recurse_included_files()}
    assert {f"tidings/docs/{page}" for page in PAGES} <= packed
