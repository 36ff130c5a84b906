"""The page about notifications: its commands and its code do what it says."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx

from tests.serving import PATIENCE, ServerProcess
from tidings.apps.notifications import facts
from tidings.apps.notifications.routes import Notified

PAGE = (Path(__file__).parents[3] / "docs/how-to/notifications.md").read_text("utf-8")


def code(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.S | re.M)


def test_the_commands_and_the_code_notify(tmp_path: Path) -> None:
    notify, mute = code("sh")
    with ServerProcess(f"sqlite:///{tmp_path}/tidings.db") as server:

        def here(source: str) -> str:
            return source.replace("http://127.0.0.1:8000", server.url)

        for command in (notify, notify, mute):
            done = subprocess.run(
                here(command).replace("curl", "curl --silent --fail-with-body --noproxy '*'"),
                shell=True, capture_output=True, text=True, timeout=PATIENCE, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
        exec(here(code("python")[0]), {})
        cookies = {"tidings_name": "Mara%20Lindqvist"}
        with httpx.Client(base_url=server.url, cookies=cookies, trust_env=False, timeout=PATIENCE) as client:
            found = client.get("/notifications").json()
    assert [one["title"] for one in found["notifications"]] == ["The nightly build is red", "Your order is on its way"]
    assert found["muted"] == ["rooms.lobby"]


def test_the_page_names_every_field_and_every_fact() -> None:
    table = PAGE.partition("## What may a notification hold?")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", table, re.M)) == set(facts.Created.__struct_fields__)
    for type in facts.FACTS:
        assert f"`{type}`" in PAGE
    (shown,) = code("json")
    for field in Notified.__struct_fields__:
        assert f'"{field}"' in shown
