"""The page about the Python client: its code runs, in order."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.client.both import QuickServer
from tests.serving import PATIENCE
from tidings import Client

DOCS = Path(__file__).parent.parent.parent / "docs"
ENDING = ["chat.lobby", "chat.garden", "orders.eu", "prices"]
"""Topics that the page follows to their end."""


def end_topics(url: str) -> None:
    """Close each as soon as it holds something."""
    until, left = time.monotonic() + PATIENCE, list(ENDING)
    while left and time.monotonic() < until:
        left = [topic for topic in left if httpx.post(f"{url}/topics/{topic}/close").status_code != 200]
        time.sleep(0.05)


def test_the_code_of_the_page_runs(
    own_server: Callable[..., QuickServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = own_server().url
    monkeypatch.chdir(tmp_path)
    with Client(url) as client:
        client.publish("orders.eu", {"order": 4711})
        client.publish("prices", "7.50")
    ender = threading.Thread(target=end_topics, args=(url,))
    ender.start()
    names: dict[str, Any] = {}
    for source in re.findall(r"^```python\n(.*?)^```$", (DOCS / "clients/python.md").read_text("utf-8"), re.S | re.M):
        source = source.replace("http://127.0.0.1:8000", url)
        code = compile(source, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, names))
        else:
            exec(code, names)  # what it is for
    names["db"].close()
    names["client"].close()
    ender.join(PATIENCE)
    said = capsys.readouterr().out
    assert "message Hello, all\nHello, all\npaid: 4711\nnews.ada {" in said
    assert re.search(r"prices was recreated; begin anew\n7.50\n\['orders.eu', 'orders.us'\]\n", said)
    assert "success\n" in said
    assert "[DONE]" in said
