"""The log of the process: its two formats, the requests in it, and how it tells that the server stops."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.raw import ask, request
from tests.serving import ServerProcess
from tidings.server.logs import ACCESS, JsonLines, configure, without_query
from tidings.server.settings import Settings


def record(message: str, *args: object, name: str = "tidings.test", failed: bool = False) -> logging.LogRecord:
    try:
        if failed:
            raise ValueError("two\nlines")
    except ValueError:
        return logging.LogRecord(name, logging.ERROR, "", 0, message, args, sys.exc_info())
    return logging.LogRecord(name, logging.INFO, "", 0, message, args, None)


def line(made: logging.LogRecord) -> dict[str, Any]:
    """Return the one JSON object of a record's line."""
    text = JsonLines().format(made)
    assert "\n" not in text
    value = json.loads(text)
    assert isinstance(value, dict)
    return value


def test_a_record_is_an_object_on_one_line() -> None:
    made = record("%s says\n€ %d", "Ann", 3)
    made.created = 1763740800.25
    assert line(made) == {
        "time": "2025-11-21T16:00:00.250+00:00",
        "level": "info",
        "logger": "tidings.test",
        "message": "Ann says\n€ 3",
    }


def test_a_record_of_a_worker_names_it() -> None:
    assert json.loads(JsonLines(3).format(record("up")))["worker"] == 3


def test_an_error_has_its_traceback() -> None:
    made = line(record("broken", failed=True))
    assert made["level"] == "error"
    assert made["traceback"].endswith("ValueError: two\nlines")


def test_a_request_has_its_parts_and_no_query() -> None:
    made = record('%s - "%s %s HTTP/%s" %d', "10.0.0.1:9", "GET", "/stream?q=secret", "1.1", 200, name=ACCESS)
    assert without_query(made)
    value = line(made)
    assert (value["client"], value["method"], value["path"], value["status"]) == ("10.0.0.1:9", "GET", "/stream", 200)
    assert "secret" not in JsonLines().format(made)
    other = record("no request", name=ACCESS)
    assert without_query(other)
    assert "client" not in line(other)


@contextmanager
def fresh() -> Iterator[logging.Logger]:
    """The root logger without handlers, as a process begins with; afterwards all loggers are as they were."""
    loggers = [logging.getLogger(name) for name in (None, ACCESS, "httpx", "httpcore", "uvicorn.error")]
    before = [(logger, logger.level, logger.handlers[:], logger.filters[:]) for logger in loggers]
    loggers[0].handlers.clear()
    try:
        yield loggers[0]
    finally:
        for logger, level, handlers, filters in before:
            logger.setLevel(level)
            logger.handlers[:], logger.filters[:] = handlers, filters


@pytest.mark.parametrize(("given", "access"), [({}, False), ({"access_log": True}, True)])
def test_requests_are_logged_if_a_setting_says_so(given: dict[str, Any], access: bool) -> None:
    with fresh() as root:
        configure(Settings(store="memory:", log_format="json", **given))
        assert [type(handler.formatter) for handler in root.handlers] == [JsonLines]
        assert logging.getLogger(ACCESS).isEnabledFor(logging.INFO) is access
        assert not logging.getLogger("uvicorn.error").isEnabledFor(logging.INFO)


def test_a_server_logs_its_requests_and_its_end_as_json() -> None:
    env = {"TIDINGS_LOG_FORMAT": "json", "TIDINGS_ACCESS_LOG": "true"}
    with ServerProcess("memory:", env=env) as server:
        assert ask(server, request("GET", "/health/live?")).status == 200
        assert ask(server, request("GET", "/topics/none?secret=1")).status == 422
        server.terminate()
        output = [text for text in server.output if not text.startswith("Tidings is at ")]
    records = [json.loads(text) for text in output]
    requests = [(r["method"], r["path"], r["status"]) for r in records if r["logger"] == ACCESS]
    assert requests == [("GET", "/health/live", 200), ("GET", "/topics/none", 422)]
    assert "secret" not in "".join(output)
    said = [r["message"] for r in records if r["logger"] == "tidings.server"]
    assert said[0].startswith("SIGTERM: ")
    assert said[-1].startswith("Stopped: ")


def test_a_server_says_in_text_that_it_stops_and_logs_no_requests() -> None:
    with ServerProcess("memory:", args=("--log-format", "text")) as server:
        assert ask(server, request("GET", "/health/live")).status == 200
        server.interrupt()
        output = "".join(server.output)
    assert " INFO tidings.server: SIGINT: no more connections are accepted, 0 open streams and the runs end." in output
    assert " INFO tidings.server: Stopped: " in output
    assert "/health/live" not in output
