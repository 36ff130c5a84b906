"""The command `tidings publish`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .server import LOCAL, Token, Url, connected
from .terminal import end, sentences, write

if TYPE_CHECKING:
    from tidings.client import Client

PATIENCE = 30.0
"""Seconds for which a figure waits for a server that does not answer, but no longer than until the next figure."""


def publish(
    topic: Annotated[str, typer.Argument(help="The topic, such as chat.lobby.")],
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATA | -- COMMAND...]",
            help="The data of one event, or the command of --every. Default: read standard input.",
        ),
    ] = None,
    type: Annotated[str, typer.Option(help="The type of events that do not name one.")] = "message",
    lines: Annotated[
        bool, typer.Option("--lines", help="Take each line of input, or of COMMAND's output, as the data of an event.")
    ] = False,
    key: Annotated[
        str | None, typer.Option(help="Publish DATA once, even if the command is repeated with this key.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="TIME", help="Run COMMAND now and each 5s, 1m or 1h, and publish its output.")
    ] = None,
    url: Url = LOCAL,
    token: Token = None,
) -> None:
    """Append events to a topic.

    Without DATA, the command reads JSON lines from standard input, each {"data": …, "type": …}, as `tidings read`
    writes them; "type" may be left out. Lines that arrive together are stored together. As soon as events are stored,
    the command writes their offsets as a JSON line.

    With --every, the output of COMMAND is the data of one event. A run that fails, takes longer than the time between
    two runs or writes nothing is not published: the reason goes to standard error, and the next run is made. If the
    first run fails, the command ends.

    \b
    Examples:
      tidings publish chat.lobby 'Hello, all'
      tidings publish orders '{"order": 4711}' --type order.paid
      tail -f access.log | tidings publish logs.web --lines
      tidings publish load --every 5s -- cut -d' ' -f1 /proc/loadavg
      tidings read chat.lobby | tidings publish chat.copy
    """
    with sentences():
        from .repeating import period_of

        words = data or []
        if every is not None:
            period = period_of(every)
            if not words:
                end("--every needs a command: tidings publish TOPIC --every 5s -- COMMAND", 2)
            if key is not None:
                end("--key is for DATA: each run of a command is another event.", 2)
            with connected(url, token, min(period, PATIENCE)) as client:
                _publish_output(client, topic, words, period, type, lines=lines)
        if len(words) > 1:
            end("DATA is one argument. A command needs --every: tidings publish TOPIC --every 5s -- COMMAND", 2)
        with connected(url, token) as client:
            _publish(client, topic, words[0] if words else None, type, key, lines=lines)


def _publish(client: Client, topic: str, data: str | None, type: str, key: str | None, *, lines: bool) -> None:
    """Publish the data, or the lines of standard input."""
    from tidings.client.calls import valid_key
    from tidings.log.names import valid_topic, valid_type

    from .json_lines import acknowledgement, checked, publish_lines, read_chunks

    checked(valid_topic, topic)
    checked(valid_type, type)
    if data is not None:
        if lines:
            end("Give DATA or --lines, not both.", 2)
        if key is not None:
            checked(valid_key, key)
        offset = client.publish(topic, data, type, key=key)
        write(acknowledgement(offset, offset), flush=True)
        return
    if key is not None:
        end("--key needs DATA: lines of input are cut into requests by chance, so no key fits them.", 2)
    for first, texts in read_chunks(sys.stdin.buffer):
        for stored in publish_lines(client, topic, first, texts, type, plain=lines):
            write(stored, flush=True)


def _publish_output(client: Client, topic: str, command: list[str], period: float, type: str, *, lines: bool) -> None:
    """Publish the output of a command each period, for ever."""
    from tidings.log.names import valid_topic, valid_type

    from .json_lines import acknowledgement, checked
    from .output import output_of
    from .repeating import repeat

    checked(valid_topic, topic)
    checked(valid_type, type)

    def run() -> None:
        text = output_of(command, period)
        texts = text.split("\n") if lines else [text]
        done = client.publish_many(topic, [(type, each) for each in texts])
        write(acknowledgement(done.first, done.last), flush=True)

    repeat(run, period)
