"""The weight of `pip install tidings`, measured in an environment that holds nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parent.parent

APP = """
import asyncio, sys
import httpx
from starlette.applications import Starlette
from starlette.routing import Route
from tidings import EventStreamResponse, Hub

hub = Hub()

async def model(question):
    yield f"You asked {question}"

async def events(request):
    return EventStreamResponse(hub, "chat")

app = Starlette(routes=[Route("/events", events)], lifespan=hub.lifespan)

async def main():
    async with hub:
        first = await hub.publish("chat", "Hello")
        await hub.publish("chat", "all", close=True)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            print((await client.get("/events", headers={"last-event-id": str(first)})).text)
        run = await hub.runs.start(model, "why")
        print((await run.wait()).data)

asyncio.run(main())
import tidings.client, tidings.testing
print("frameworks:", *sorted({"fastapi", "pydantic", "jwt", "langchain_core", "uvicorn"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")))))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The interpreter of an environment into which only the wheel was installed."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode and "connection" in done.stderr.lower():
        pytest.skip("no package registry can be reached")
    assert done.returncode == 0, done.stderr
    return python


def run(python: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *args], capture_output=True, text=True, check=False)


def packages_of(python: Path) -> Path:
    (folder,) = python.parents[1].glob("lib/python*/site-packages")
    return folder


@pytest.mark.slow
def test_the_library_brings_nine_packages_and_twelve_megabytes(python: Path) -> None:
    folder = packages_of(python)
    names = sorted(path.name.partition("-")[0] for path in folder.glob("*.dist-info"))
    assert "tidings" in names
    assert len(names) - 1 <= 9, names
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 12_000_000


@pytest.mark.slow
def test_the_library_publishes_and_streams_with_starlette_alone(python: Path) -> None:
    done = run(python, "-W", "error", "-c", APP)
    assert done.stderr == ""
    assert "data: all\n" in done.stdout
    assert "data: Hello" not in done.stdout
    assert '"outcome":"success"' in done.stdout
    assert done.stdout.endswith("frameworks:\n")


@pytest.mark.slow
def test_a_missing_package_is_named_with_the_command_that_installs_it(python: Path) -> None:
    done = run(python, "-c", "import tidings; tidings.create_app()")
    assert done.stderr.splitlines()[-1].startswith("ImportError: The package ")
    assert done.stderr.endswith(" is not installed. Run: pip install 'tidings[server]'\n")
    command = run(python, "-m", "tidings", "serve")
    assert command.returncode == 1
    assert command.stderr == "tidings: The package typer is not installed. Run: pip install 'tidings[server]'\n"


@pytest.mark.slow
def test_importing_tidings_is_quick(python: Path) -> None:
    """Processor time of the import alone, the least of five, so that a busy machine does not decide."""
    code = "import time; t = time.process_time(); import tidings; print(time.process_time() - t)"
    assert min(float(run(python, "-c", code).stdout) for _ in range(5)) <= 0.15


def test_the_plugin_imports_nothing_that_a_run_without_it_does_not_need() -> None:
    code = "import sys, pytest, tidings.testing.plugin, tidings.server.testing; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = [name for name in done.stdout.split() if name.partition(".")[0] == "tidings"]
    assert ours == [
        "tidings",
        "tidings.errors",
        "tidings.server",
        "tidings.server.testing",
        "tidings.testing",
        "tidings.testing.plugin",
    ]
