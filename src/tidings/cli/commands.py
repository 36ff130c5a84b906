"""The commands of `tidings`.

Exit codes: 0 done; 1 the server refused, or could not start; 2 a wrong option, setting or line of input; 3 no server
answers; 74 the server lost its database; 141 the reader of the output has gone. Ctrl-C is 130 in a shell, but 0 for
`serve`, which then ends in order. Events go to standard output as JSON lines, and everything else to standard error. A
user's mistake is answered with one sentence there, never with a traceback.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.metadata import version
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .alerts import add_to as add_alerts_to
from .backup import add_to
from .move import add_to as add_move_to
from .process import add_to as add_process_to
from .publish import publish
from .scrape import scrape
from .server import LOCAL, Token, Url, connected
from .terminal import end, say, sentences, write

if TYPE_CHECKING:
    from tidings.client import Client
    from tidings.events import Event

app: typer.Typer = typer.Typer(
    help="Durable Server-Sent Events: run a server, publish to it, read from it.",
    epilog="Exit codes: 0 done, 1 refused, 2 wrong usage or input, 3 no server answers, 74 serve: the database was "
    "removed or damaged, 130 Ctrl-C, 141 broken pipe.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

PAGE = 1000


def _version(wanted: bool) -> None:
    if wanted:
        print(version("tidings"))
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Write the version.")
    ] = (False),
) -> None:
    """Durable Server-Sent Events: run a server, publish to it, read from it."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (8000); 0 takes a free one.")] = None,
    store: Annotated[str | None, typer.Option(help="The URL of the store (sqlite:///tidings.db).")] = None,
    workers: Annotated[int | None, typer.Option(help="The number of worker processes (none: one process).")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error (info).")] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json (text).")] = None,
    access_log: Annotated[
        bool | None, typer.Option("--access-log/--no-access-log", help="Write a log record for each request (no).")
    ] = None,
    assistant: Annotated[list[str] | None, typer.Option(metavar="MODULE:OBJECT", help="Your own assistant.")] = None,
) -> None:
    """Run the server.

    Environment variables TIDINGS_… set the same and more: see the settings in the documentation. An address other than
    loopback needs a key, since everyone who reaches a server without a key may do everything.

    \b
    Examples:
      tidings serve
      tidings serve --port 9000 --store memory:
      tidings serve --workers 2
      tidings serve --assistant my_agents:support
      export TIDINGS_SECRET=$(tidings token --new-secret)
      tidings serve --host 0.0.0.0 --store sqlite:////var/lib/tidings/tidings.db
    """
    with sentences():
        from tidings.errors import InvalidRequest
        from tidings.server.settings import Settings

        options: dict[str, Any] = {"host": host, "port": port, "store": store, "workers": workers}
        options |= {"log_level": log_level, "log_format": log_format, "access_log": access_log, "assistant": assistant}
        try:
            settings = Settings.load(**options)
        except InvalidRequest as error:
            end(str(error), 2)
        # uvicorn repeats a Ctrl-C when the server has ended in order, which is what was asked for.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if settings.workers is not None:
            from tidings.server.workers import supervise

            raise SystemExit(supervise(settings, options))
        from tidings.server.uvicorn_server import run

        with suppress(KeyboardInterrupt):
            run(settings)


app.command()(publish)
app.command()(scrape)


@app.command()
def read(
    topic: Annotated[str, typer.Argument(help="The topic, such as chat.lobby.")],
    after: Annotated[
        str | None,
        typer.Option(
            "--after",
            "--from",
            metavar="OFFSET",
            help="An offset, earliest, tail, or -N for the last N events. Default: earliest; with --follow: tail.",
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for more, until the topic is closed.")] = False,
    limit: Annotated[int | None, typer.Option("--limit", "-n", min=1, help="Stop after this many events.")] = None,
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Write a topic's events as JSON lines: offset, type, time, data.

    With --follow, the command connects again after a lost connection, and no event is lost or written twice.

    \b
    Examples:
      tidings read chat.lobby
      tidings read runs.01JD… --after earliest --follow
      tidings read orders --after 7f3a-120 --limit 10 | jq .data
      tidings read logs.web --after -5 -f
    """
    with sentences(), connected(url, token) as client:
        from tidings.log.names import parse_after, valid_topic

        from .json_lines import checked, write_line

        checked(valid_topic, topic)
        if after is not None:
            checked(parse_after, after)
        if follow:
            _tell_of_lost_connections()
            events: Iterable[Event] = _without_resets(client.subscribe(topic, after or "tail"))
        else:
            events = _read(client, topic, after or "earliest", limit)
        for event in islice(events, limit):
            write(write_line(event), flush=follow)
        sys.stdout.buffer.flush()


@app.command()
def topics(
    prefix: Annotated[str, typer.Argument(help="Write only topics that begin like this.")] = "",
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Write the names of the topics, one on each line.

    \b
    Examples:
      tidings topics
      tidings topics rooms.
    """
    with sentences(), connected(url, token) as client:
        after = ""
        while names := client.topics(prefix, after):
            for name in names:
                write(name.encode())
            after = names[-1]
        sys.stdout.buffer.flush()


@app.command()
def token(
    name: Annotated[str | None, typer.Argument(help="The person or program that the token is for: its `sub`.")] = None,
    publish: Annotated[list[str] | None, typer.Option(help="Topics to publish to; repeat the option for more.")] = None,
    subscribe: Annotated[list[str] | None, typer.Option(help="Topics to read; repeat the option for more.")] = None,
    person: Annotated[bool, typer.Option("--person", help="Add all topics that people use in the web app.")] = False,
    expires: Annotated[str, typer.Option(help="The time for which the token is valid: 90s, 30m, 12h, 7d.")] = "1h",
    new_secret: Annotated[bool, typer.Option("--new-secret", help="Write a new secret instead.")] = False,
) -> None:
    """Sign a token with the secret in TIDINGS_SECRET, which may be @FILE.

    A topic is given by its name or by the beginning of its name: rooms.* means all topics that begin with rooms., and *
    means all topics. A token allows nothing else. To start runs, a token must be allowed to publish to runs.new; to
    follow them, to read runs.*.

    \b
    Examples:
      export TIDINGS_SECRET=$(tidings token --new-secret)
      tidings token 'Ann Arbor' --person --expires 7d
      tidings token sensor-7 --publish 'sensors.7.*'
      export TIDINGS_TOKEN=$(tidings token ops --publish '*' --subscribe '*')
    """
    with sentences():
        import secrets

        if new_secret:
            write(secrets.token_urlsafe(32).encode(), flush=True)
            return
        if name is None:
            end("Name the person or program that the token is for: tidings token NAME", 2)
        topics = _topics_of(name) if person else []
        both = [*topics, *(publish or [])], [*topics, *(subscribe or [])]
        write(_sign(name, *both, expires, person).encode(), flush=True)


def _topics_of(name: str) -> list[str]:
    from tidings.access.names import topics_of, valid_name
    from tidings.errors import InvalidRequest

    try:
        return topics_of(valid_name(name))
    except InvalidRequest as error:
        end(str(error), 2)


def _sign(name: str, publish: list[str], subscribe: list[str], expires: str, person: bool) -> str:
    from tidings.access.tokens import sign
    from tidings.errors import InvalidRequest
    from tidings.server.settings import Settings

    from .repeating import seconds_of

    seconds = seconds_of(expires)
    try:
        settings = Settings.load()
        if settings.secret is None:
            end("There is no secret to sign with. Set one: export TIDINGS_SECRET=$(tidings token --new-secret)", 2)
        rights: dict[str, Any] = {"publish": publish, "subscribe": subscribe, "limits": "person" if person else None}
        about: dict[str, Any] = {"audience": settings.audience, "issuer": settings.issuer}
        return sign(settings.secret.get_secret_value(), name, seconds=seconds, **rights, **about)
    except InvalidRequest as error:
        end(str(error), 2)


def _read(client: Client, topic: str, start: str, limit: int | None) -> Iterator[Event]:
    """Iterate over the events that there are after `start`; at most `limit` are needed."""
    page = client.read(topic, start, min(limit or PAGE, PAGE))
    yield from page.events
    while not page.up_to_date:
        page = client.read(topic, page.next, PAGE)
        yield from page.events


def _without_resets(events: Iterable[Event]) -> Iterator[Event]:
    """Write resets to standard error, and leave them out."""
    for event in events:
        if event.type == "tidings.reset":
            say(f"Events of {event.topic} are gone ({event.json()['reason']}).")
        else:
            yield event


def _tell_of_lost_connections() -> None:
    """Write the client's log to standard error."""
    import logging

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(record.getMessage())

    log = logging.getLogger("tidings.client")
    log.handlers, log.propagate = [Teller()], False
    log.setLevel(logging.INFO)


add_to(app)
add_move_to(app)
add_alerts_to(app)
add_process_to(app)


def main() -> None:
    """Run the command."""
    # End by the signal, at once and in silence, as a shell expects. There is nothing to clean up.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    app(prog_name="tidings")
