"""The `tidings` command as a user meets it: in a process of its own, with its exit codes and its one sentence."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.cli.command import close, encoded, process, rows, start, tidings
from tests.serving import PATIENCE, ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('cli')}/tidings.db") as server:
        yield server


# Help


@pytest.mark.parametrize("command", ["serve", "publish", "read", "topics", "token"])
def test_help_has_examples(command: str) -> None:
    done = tidings(command, "--help")
    assert done.returncode == 0
    assert f"Examples:\n    {'export TIDINGS_SECRET' if command == 'token' else f'tidings {command}'}" in done.stdout


def test_help_is_quick_because_it_imports_little() -> None:
    heavy = {"fastapi", "httpx", "jwt", "langchain_core", "pydantic_settings"}
    code = f"import sys; before = set(sys.modules); import tidings.cli; print(*{heavy} & (set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_version_is_the_package_s() -> None:
    assert tidings("--version").stdout == f"{version('tidings')}\n"


def test_following_begins_at_the_tail(server: ServerProcess) -> None:
    tidings("publish", "cli.tail", "old", to=server.url)
    httpx.post(f"{server.url}/topics/cli.tail/close").raise_for_status()
    assert tidings("read", "cli.tail", "--follow", to=server.url).stdout == ""


def test_exit_codes_are_documented() -> None:
    shown = " ".join(tidings("--help").stdout.split())
    for code in ("Exit codes: 0 done", "1 refused", "2 wrong usage", "3 no server", "74 serve:", "130 Ctrl-C", "141"):
        assert code in shown


def test_an_unknown_command_or_option_is_wrong_usage() -> None:
    assert tidings("pubish").returncode == 2
    assert tidings("read", "a", "--frmo", "tail").returncode == 2


# Publish and read


def test_a_published_event_is_read(server: ServerProcess) -> None:
    done = tidings("publish", "cli.one", "Grüße\nall", "--type", "note", to=server.url)
    (answer,) = rows(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    (event,) = rows(tidings("read", "cli.one", to=server.url).stdout)
    assert event["offset"] == answer["offset"]
    assert (event["type"], event["data"]) == ("note", "Grüße\nall")
    assert set(event) == {"offset", "type", "time", "data"}


def test_a_key_publishes_once(server: ServerProcess) -> None:
    answers = [tidings("publish", "cli.key", "x", "--key", "k", to=server.url).stdout for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(rows(tidings("read", "cli.key", to=server.url).stdout)) == 1


def test_json_lines_go_in_and_come_out(server: ServerProcess) -> None:
    lines = '{"data": {"b": [1, null]}, "type": "t"}\n\n{"data": "text"}\n{"data": 0.5, "offset": "ignored-1"}'
    done = tidings("publish", "cli.lines", "--type", "other", input=lines, to=server.url)
    assert done.returncode == 0
    events = rows(tidings("read", "cli.lines", to=server.url).stdout)
    assert [(e["type"], e["data"]) for e in events] == [("t", {"b": [1, None]}), ("other", "text"), ("other", 0.5)]
    copied = tidings("publish", "cli.copy", input=tidings("read", "cli.lines", to=server.url).stdout, to=server.url)
    assert copied.returncode == 0
    copy = rows(tidings("read", "cli.copy", to=server.url).stdout)
    assert [(e["type"], e["data"]) for e in copy] == [(e["type"], e["data"]) for e in events]


def test_plain_lines_are_taken_as_they_are(server: ServerProcess) -> None:
    done = tidings("publish", "cli.plain", "--lines", input='one\r\n{"data": 2\n\nlast', to=server.url)
    assert done.returncode == 0
    assert [e["data"] for e in rows(tidings("read", "cli.plain", to=server.url).stdout)] == [
        "one",
        '{"data": 2',
        "",
        "last",
    ]


def test_many_lines_arrive_in_order_in_few_requests(server: ServerProcess) -> None:
    text = "".join(f"{n}\n" for n in range(30_000))
    answers = rows(tidings("publish", "cli.many", "--lines", input=text, to=server.url).stdout)
    assert len(answers) < 30
    everything = rows(tidings("read", "cli.many", to=server.url).stdout)
    assert [e["data"] for e in everything] == list(range(30_000))
    followed = rows(tidings("read", "cli.many", "-f", "--after", "earliest", "-n", "30000", to=server.url).stdout)
    assert followed == everything


def test_reading_starts_and_stops_where_it_is_told(server: ServerProcess) -> None:
    tidings("publish", "cli.from", "--lines", input="1\n2\n3\n4", to=server.url)
    events = rows(tidings("read", "cli.from", to=server.url).stdout)
    assert rows(tidings("read", "cli.from", "-n", "2", to=server.url).stdout) == events[:2]
    assert rows(tidings("read", "cli.from", "--from", events[2]["offset"], to=server.url).stdout) == events[3:]
    assert tidings("read", "cli.from", "--from", "tail", to=server.url).stdout == ""
    assert rows(tidings("read", "cli.from", "--after", "-3", to=server.url).stdout) == events[1:]
    assert rows(tidings("read", "cli.from", "--after", "-3", "-f", "-n", "2", to=server.url).stdout) == events[1:3]
    assert (
        rows(tidings("read", "cli.from", "-f", "-n", "2", "--from", events[0]["offset"], to=server.url).stdout)
        == events[1:3]
    )


def test_topics_are_listed_by_prefix(server: ServerProcess) -> None:
    for name in ("list.b", "list.a", "lisp"):
        tidings("publish", name, "x", to=server.url)
    assert tidings("topics", "list.", to=server.url).stdout == "list.a\nlist.b\n"


def test_following_ends_with_the_topic(server: ServerProcess) -> None:
    tidings("publish", "cli.closed", "x", to=server.url)
    close(server, "cli.closed")
    for _ in range(2):
        done = tidings("read", "cli.closed", "--follow", "--after", "earliest", to=server.url)
        assert (done.returncode, done.stderr) == (0, "")
        assert [e["data"] for e in rows(done.stdout)] == ["x"]
    end = rows(done.stdout)[-1]["offset"]
    done = tidings("read", "cli.closed", "--follow", "--from", end, to=server.url)
    assert (done.returncode, done.stdout) == (0, "")


def test_following_survives_the_server(serve_process: Callable[..., ServerProcess]) -> None:
    server = serve_process()
    tidings("publish", "a", "one", to=server.url)
    reader = start("read", "a", "--follow", "--after", "earliest", to=server.url)
    assert reader.stdout is not None
    got = [reader.stdout.readline()]
    server.kill()
    server.start()
    tidings("publish", "a", "--lines", input="two\nthree", to=server.url)
    got += [reader.stdout.readline(), reader.stdout.readline()]
    close(server, "a")
    rest, noise = reader.communicate(timeout=PATIENCE)
    assert [json.loads(line)["data"] for line in [*got, *rest.splitlines()]] == ["one", "two", "three"]
    assert noise.count(" was lost. Connecting again") == 1
    assert reader.returncode == 0


def test_events_that_are_gone_are_said_to_be(server: ServerProcess) -> None:
    tidings("publish", "cli.gone", "x", to=server.url)
    (old,) = rows(tidings("read", "cli.gone", to=server.url).stdout)
    httpx.delete(f"{server.url}/topics/cli.gone").raise_for_status()
    tidings("publish", "cli.gone", "y", to=server.url)
    done = tidings("read", "cli.gone", "--from", old["offset"], to=server.url)
    assert done.returncode == 1
    assert "recreated" in done.stderr
    done = tidings("read", "cli.gone", "--from", old["offset"], "-f", "-n", "1", to=server.url)
    assert [e["data"] for e in rows(done.stdout)] == ["y"]
    assert "are gone (recreated)" in done.stderr


# Pipes and signals


def test_a_reader_of_ours_that_goes_is_no_error(server: ServerProcess) -> None:
    tidings("publish", "cli.pipe", "--lines", input="x" * 99 + "\n" + ("y" * 99 + "\n") * 5000, to=server.url)
    reader = start("read", "cli.pipe", to=server.url)
    assert reader.stdout is not None
    assert reader.stderr is not None
    assert "x" * 99 in reader.stdout.readline()
    reader.stdout.close()
    assert reader.wait(PATIENCE) == 141
    with reader.stderr:
        assert reader.stderr.read() == ""


def test_control_c_is_quiet(server: ServerProcess) -> None:
    tidings("publish", "cli.int", "x", to=server.url)
    reader = start("read", "cli.int", "--follow", "--after", "-1", to=server.url)
    assert reader.stdout is not None
    reader.stdout.readline()
    reader.send_signal(signal.SIGINT)
    assert reader.communicate(timeout=PATIENCE) == ("", "")
    assert reader.returncode == -signal.SIGINT


# Mistakes


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        ('{"data": 1}\n{"dat": 2}', 2),
        ('{"data": 1}\n\n{"data": ', 3),
        ('"text"', 1),
        ('{"data": 1, "type": 7}', 1),
        (b'{"data": 1}\n{"data": "\xff"}', 2),
    ],
)
def test_a_wrong_line_is_named_and_only_those_before_it_are_stored(
    server: ServerProcess, lines: str | bytes, number: int
) -> None:
    topic = f"cli.wrong.{zlib.crc32(encoded(lines))}"
    done = tidings("publish", topic, input=lines, to=server.url)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tidings: Line {number} is not an event")
    stored = tidings("read", topic, to=server.url)
    assert [e["data"] for e in rows(stored.stdout)] == ([1] if number > 1 else [])


def test_the_lines_that_the_server_refuses_are_named(server: ServerProcess) -> None:
    done = tidings("publish", "cli.refused", input='{"data": 1}\n{"data": 2, "type": "tidings.x"}\n', to=server.url)
    assert done.returncode == 1
    assert done.stderr.startswith("tidings: Lines 1 to 2: ")


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (["publish", "a b", "x"], 2, "A topic is segments"),
        (["publish", "../health", "x"], 2, "A topic is segments"),
        (["read", ""], 2, "A topic is segments"),
        (["read", "no.such.topic"], 1, "no topic no.such.topic"),
        (["read", "no.such.topic", "--from", "tail"], 1, "no topic no.such.topic"),
        (["read", "a", "--from", "yesterday"], 2, "A place to begin at is"),
        (["read", "a", "--after", "foo"], 2, "A place to begin at is"),
        (["read", "a", "-f", "--after", "yesterday"], 2, "A place to begin at is"),
        (["publish", "a", "x", "--type", "tidings.x"], 2, "reserved"),
        (["publish", "a", "x", "--key", "ü"], 2, "A key is"),
        (["backup", "copy.db", "--store", "foo:"], 2, "not the URL of a store"),
        (["restore", "copy.db", "--store", "memory:"], 2, "has no file"),
        (["publish", "a", "x", "--lines"], 2, "not both"),
        (["publish", "a", "--key", "k"], 2, "--key needs DATA"),
        (["topics", "--url", "localhost:8000"], 2, "is not the URL of a server"),
        (["topics", "--url", "http://"], 2, "is not the URL of a server"),
        (["topics", "--token", "Ä"], 2, "printable ASCII"),
    ],
)
def test_a_mistake_is_a_sentence(server: ServerProcess, args: list[str], code: int, sentence: str) -> None:
    done = tidings(*args, to=server.url)
    assert done.returncode == code
    assert done.stderr.startswith("tidings: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("args", [["topics"], ["publish", "a", "x"], ["read", "a"], ["read", "a", "-f"]])
def test_a_missing_server_is_reported(args: list[str]) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = tidings(*args, to=url)
    assert done.returncode == 3
    assert f"No server answers at {url}" in done.stderr


def test_a_proxy_is_not_asked_for_loopback(server: ServerProcess) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    assert tidings("topics", to=server.url, HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY="").returncode == 0


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b'{"events": 7}'])
@pytest.mark.parametrize("args", [["topics"], ["read", "a"], ["read", "a", "--from", "tail"]])
def test_another_server_is_recognised(body: bytes, args: list[str]) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        done = tidings(*args, to=f"http://127.0.0.1:{other.server_port}")
        other.shutdown()
    assert done.returncode == 1
    assert "does not answer as Tidings does" in done.stderr


# Serve


@pytest.mark.parametrize(
    ("args", "env", "code", "sentence"),
    [
        (["--port", "70000"], {}, 2, "--port is 70000"),
        ([], {"TIDINGS_PORT": "http"}, 2, "TIDINGS_PORT is 'http'"),
        ([], {"TIDINGS_STROE": "memory:"}, 2, "Did you mean TIDINGS_STORE?"),
        (["--host", "0.0.0.0"], {}, 2, "without a key"),
        (["--store", "oracle://x"], {}, 2, "sqlite"),
        (["--store", "foo:"], {}, 2, "sqlite"),
        ([], {"TIDINGS_STORE": "foo:"}, 2, "sqlite"),
        (["--store", "sqlite:////dev/null/x.db"], {}, 1, "cannot be opened"),
        ([], {"TIDINGS_PUBLIC_KEY": "rubbish"}, 2, "The public key"),
        ([], {"TIDINGS_SECRET": "short"}, 2, "shorter than 32 bytes"),
    ],
)
def test_a_failed_start_is_explained(
    args: list[str], env: dict[str, str], code: int, sentence: str, tmp_path: Path
) -> None:
    store = [] if "--store" in args or "TIDINGS_STORE" in env else ["--store", f"sqlite:///{tmp_path}/x.db"]
    done = process("serve", *args, *store, **env)
    assert sentence in done.stderr
    assert done.returncode == code


def test_a_port_in_use_is_said_so(server: ServerProcess) -> None:
    done = process("serve", "--port", str(server.port), "--store", "memory:")
    assert done.returncode == 1
    assert f"port {server.port}" in done.stderr
    assert "in use" in done.stderr


def test_control_c_ends_a_server_in_order(tmp_path: Path) -> None:
    server = start("serve", "--port", "0", "--store", f"sqlite:///{tmp_path}/x.db", to="")
    assert server.stdout is not None
    assert "http://127.0.0.1:" in server.stdout.readline()
    server.send_signal(signal.SIGINT)
    out, log = server.communicate(timeout=PATIENCE)
    assert (out, server.returncode) == ("", 0)
    assert [line.split(": ")[1] for line in log.splitlines()] == ["SIGINT", "Stopped"]


def test_an_assistant_that_is_not_there_is_one_sentence() -> None:
    done = tidings("serve", "--store", "memory:", "--port", "0", "--assistant", "nowhere_at_all:graph")
    assert done.returncode == 2
    assert re.fullmatch(r"tidings: There is no module nowhere_at_all\. Start the server in .*\.\n", done.stderr)
