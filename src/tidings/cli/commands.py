"""The command line: `tidings serve | publish | read | topics | token | backup | restore`.

Exit codes: 0 done; 1 the server said no, or could not start; 2 a wrong option, setting or line of input; 3 no server
answers; 141 whoever read our output has gone; Ctrl-C is 130 in a shell, but 0 for `serve`, which it ends in order.
Events go to standard output as JSON lines, all else to standard error; a user's mistake is one sentence there, never a
traceback.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, NoReturn

import typer

from .backup import add_to

if TYPE_CHECKING:
    from tidings.client import Client
    from tidings.errors import TidingsError
    from tidings.events import Event, Offset

app = typer.Typer(
    help="Durable Server-Sent Events: a server, and what to say to it.",
    epilog="Exit codes: 0 done, 1 refused, 2 wrong usage or input, 3 no server answers, 130 Ctrl-C, 141 broken pipe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

CHUNK = 1 << 16
"""Bytes of standard input that are published in one go at most, apart from a line that is longer."""

PAGE = 1000
SILENCE = 90.0
"""Seconds without a byte after which a followed stream counts as broken. A server is silent for 15 by default."""
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}

Url = Annotated[str, typer.Option("--url", envvar="TIDINGS_URL", help="The server.", show_envvar=True, metavar="URL")]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="TIDINGS_TOKEN", help="Who you are, for a server that asks.", metavar="TOKEN"),
]
LOCAL = "http://127.0.0.1:8000"


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (8000); 0 takes a free one.")] = None,
    store: Annotated[str | None, typer.Option(help="The URL of the store (sqlite:///tidings.db).")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error (info).")] = None,
) -> None:
    """Run the server.

    The environment variables TIDINGS_… set what the options do not, and much more: see the settings in the docs. An
    address other than loopback needs a key, so that not everyone who reaches it may do everything.

    \b
    Examples:
      tidings serve
      tidings serve --port 9000 --store memory:
      export TIDINGS_SECRET=$(tidings token --new-secret)
      tidings serve --host 0.0.0.0 --store sqlite:////var/lib/tidings/tidings.db
    """
    with _sentences():
        from tidings.errors import InvalidRequest
        from tidings.server.settings import Settings

        try:
            settings = Settings.load(host=host, port=port, store=store, log_level=log_level)
        except InvalidRequest as error:
            _end(str(error), 2)
        from tidings.server.uvicorn_server import run

        # uvicorn repeats a Ctrl-C when the server has ended in order, which is what was asked for.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            run(settings)


@app.command()
def publish(
    topic: Annotated[str, typer.Argument(help="The topic, such as chat.lobby.")],
    data: Annotated[str | None, typer.Argument(help="The data of one event. Default: standard input.")] = None,
    type: Annotated[str, typer.Option(help="The type of events that name none.")] = "message",
    lines: Annotated[
        bool, typer.Option("--lines", help="Each line of input is the data of an event, as it is.")
    ] = False,
    key: Annotated[str | None, typer.Option(help="Publish DATA once, however often this key is given.")] = None,
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Append events to a topic.

    Without DATA, standard input holds JSON lines, each {"data": …, "type": …} (the type may be left out): what
    `tidings read` writes. Lines that arrive together are stored together. For each request, the offsets of its events
    are written as a JSON line, once they are stored.

    \b
    Examples:
      tidings publish chat.lobby 'Hello, all'
      tidings publish orders '{"order": 4711}' --type order.paid
      tail -f access.log | tidings publish logs.web --lines
      tidings read chat.lobby | tidings publish chat.copy
    """
    with _sentences(), _client(url, token) as client:
        if data is not None:
            if lines:
                _end("Give DATA or --lines, not both.", 2)
            _acknowledge(*[client.publish(_topic(topic), data, type, key=key)] * 2)
            return
        if key is not None:
            _end("--key goes with DATA: where input is cut into requests is a matter of luck.", 2)
        for first, texts in _chunks(sys.stdin.buffer):
            _publish_lines(client, topic, first, texts, type, plain=lines)


@app.command()
def read(
    topic: Annotated[str, typer.Argument(help="The topic, such as chat.lobby.")],
    start: Annotated[str, typer.Option("--from", help="earliest, tail, or an offset to go on after.")] = "earliest",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more, until the topic is closed.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Stop after so many events.")] = None,
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Write a topic's events as JSON lines: offset, type, time, data.

    With --follow, a lost connection is made again, and nothing is lost or doubled.

    \b
    Examples:
      tidings read chat.lobby
      tidings read runs.01JD… --follow
      tidings read orders --from 7f3a-120 --limit 10 | jq .data
      tidings read logs.web --from tail -f
    """
    with _sentences(), _client(url, token) as client:
        from .json_lines import write_line

        _topic(topic)
        if follow:
            _tell_of_lost_connections()
            events: Iterable[Event] = client.subscribe(topic, start, on_reset=lambda reset: _say(str(reset)))
        else:
            events = _read(client, topic, start, limit)
        for event in islice(events, limit):
            _write(write_line(event), flush=follow)
        sys.stdout.buffer.flush()


@app.command()
def topics(
    prefix: Annotated[str, typer.Argument(help="Only those that begin so.")] = "",
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Write the names of the topics, one a line.

    \b
    Examples:
      tidings topics
      tidings topics rooms.
    """
    with _sentences(), _client(url, token) as client:
        after = ""
        while names := client.topics(prefix, after):
            for name in names:
                _write(name.encode())
            after = names[-1]
        sys.stdout.buffer.flush()


@app.command()
def token(
    name: Annotated[str | None, typer.Argument(help="Who the token is for: its `sub`.")] = None,
    publish: Annotated[list[str] | None, typer.Option(help="Topics to publish to; repeat for more.")] = None,
    subscribe: Annotated[list[str] | None, typer.Option(help="Topics to read; repeat for more.")] = None,
    person: Annotated[bool, typer.Option("--person", help="And all topics that people use in the web app.")] = False,
    expires: Annotated[str, typer.Option(help="How long it is good: 90s, 30m, 12h, 7d.")] = "1h",
    new_secret: Annotated[bool, typer.Option("--new-secret", help="Write a new secret instead.")] = False,
) -> None:
    """Sign a token with the secret in TIDINGS_SECRET, which may be @FILE.

    Topics are names, or their beginnings: rooms.* is all topics in rooms, * is all topics. What is not named is not
    allowed. To start runs, a token needs to publish to runs.new; to follow them, to read runs.*.

    \b
    Examples:
      export TIDINGS_SECRET=$(tidings token --new-secret)
      tidings token 'Ann Arbor' --person --expires 7d
      tidings token sensor-7 --publish 'sensors.7.*'
      export TIDINGS_TOKEN=$(tidings token ops --publish '*' --subscribe '*')
    """
    with _sentences():
        import secrets

        if new_secret:
            _write(secrets.token_urlsafe(32).encode(), flush=True)
            return
        if name is None:
            _end("Say whom the token is for: tidings token NAME", 2)
        topics = _topics_of(name) if person else []
        both = [*topics, *(publish or [])], [*topics, *(subscribe or [])]
        _write(_sign(name, *both, expires, person).encode(), flush=True)


def _topics_of(name: str) -> list[str]:
    from tidings.access.names import topics_of, valid_name
    from tidings.errors import InvalidRequest

    try:
        return topics_of(valid_name(name))
    except InvalidRequest as error:
        _end(str(error), 2)


def _sign(name: str, publish: list[str], subscribe: list[str], expires: str, person: bool) -> str:
    from tidings.access.tokens import sign
    from tidings.errors import InvalidRequest
    from tidings.server.settings import Settings

    length = re.fullmatch(r"(\d{1,9})([smhd]?)", expires)
    if length is None:
        _end(f"{expires!r} is no length of time; one is like 90s, 30m, 12h or 7d.", 2)
    try:
        settings = Settings.load()
        if settings.secret is None:
            _end("There is no secret to sign with. Set one: export TIDINGS_SECRET=$(tidings token --new-secret)", 2)
        seconds = int(length[1]) * _UNITS[length[2]]
        rights: dict[str, Any] = {"publish": publish, "subscribe": subscribe, "limits": "person" if person else None}
        about: dict[str, Any] = {"audience": settings.audience, "issuer": settings.issuer}
        return sign(settings.secret.get_secret_value(), name, seconds=seconds, **rights, **about)
    except InvalidRequest as error:
        _end(str(error), 2)


@contextmanager
def _client(url: str, token: str | None) -> Iterator[Client]:
    from tidings.client import Client
    from tidings.errors import InvalidRequest, TidingsError

    from .json_lines import WRONG, Failure

    try:
        client = Client(url, token=token or None, silence=SILENCE, patience=0)
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None
    with client:
        try:
            yield client
        except TidingsError as error:
            raise Failure(str(error), _code(error)) from None


def _topic(name: str) -> str:
    from tidings.errors import InvalidRequest
    from tidings.log.names import valid_topic

    from .json_lines import WRONG, Failure

    try:
        return valid_topic(name)
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None


def _read(client: Client, topic: str, start: str, limit: int | None) -> Iterator[Event]:
    """The events that are there, from `start` on; `limit` is how many are wanted."""
    page = client.read(topic, start, min(limit or PAGE, PAGE))
    yield from page.events
    while not page.up_to_date:
        page = client.read(topic, page.next, PAGE)
        yield from page.events


def _tell_of_lost_connections() -> None:
    """The client logs them."""
    import logging

    class Said(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _say(record.getMessage())

    log = logging.getLogger("tidings.client")
    log.handlers, log.propagate = [Said()], False
    log.setLevel(logging.INFO)


def _acknowledge(first: Offset, last: Offset) -> None:
    import msgspec

    _write(msgspec.json.encode({"offset": str(last), "first": str(first), "last": str(last)}), flush=True)


def _publish_lines(client: Client, topic: str, first: int, texts: list[bytes], type: str, *, plain: bool) -> None:
    """Publish lines up to the first that is wrong, and only then raise the Failure that says so."""
    from tidings.errors import TidingsError

    from .json_lines import Failure, parse_line

    events: dict[int, tuple[str, Any]] = {}
    wrong: Failure | None = None
    for number, text in enumerate(texts, first):
        try:
            if (line := parse_line(text, number, type, plain=plain)) is not None:
                events[number] = line
        except Failure as failure:
            wrong = failure
            break
    if events:
        try:
            done = client.publish_many(_topic(topic), events.values())
        except TidingsError as error:
            where = f"Line {min(events)}" if len(events) == 1 else f"Lines {min(events)} to {max(events)}"
            raise Failure(f"{where}: {error}", _code(error)) from None
        _acknowledge(done.first, done.last)
    if wrong is not None:
        raise wrong


def _chunks(stream: BinaryIO) -> Iterator[tuple[int, list[bytes]]]:
    """The lines of `stream` as they arrive, several at once if they do, with the number of the first."""
    rest, number = b"", 1
    read: Any = getattr(stream, "read1", stream.read)
    while chunk := read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), 5000):  # by default a server takes 10,000 lines
            yield number + start, lines[start : start + 5000]
        number += len(lines)
    if rest:
        yield number, [rest]


def _write(line: bytes, *, flush: bool = False) -> None:
    sys.stdout.buffer.write(line + b"\n")
    if flush:
        sys.stdout.buffer.flush()


def _say(sentence: str) -> None:
    print(f"tidings: {sentence}", file=sys.stderr, flush=True)


def _end(sentence: str, code: int) -> NoReturn:
    _say(sentence)
    raise SystemExit(code)


@contextmanager
def _sentences() -> Iterator[None]:
    """Everything that is no bug of ours ends in a sentence, or silence, and an exit code."""
    from tidings.errors import TidingsError

    from .json_lines import Failure

    try:
        yield
    except BrokenPipeError:
        # Python flushes standard output once more when it exits, and would say that it could not.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None
    except TidingsError as error:
        _end(str(error), 1)
    except Failure as failure:
        _end(str(failure), failure.code)


def _code(error: TidingsError) -> int:
    """The exit code of what a client raises."""
    from tidings.errors import Unavailable

    from .json_lines import REFUSED, UNREACHABLE

    return UNREACHABLE if isinstance(error, Unavailable) else REFUSED


add_to(app, _sentences)


def main() -> None:
    """The `tidings` command."""
    # Die by the signal, at once and in silence, as a shell expects it: there is nothing to clean up.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    app(prog_name="tidings")
