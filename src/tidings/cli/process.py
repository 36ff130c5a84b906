"""The commands `tidings process import` and `tidings process export`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, BinaryIO

import typer

from .server import LOCAL, Token, Url, connected
from .terminal import sentences


def add_to(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        help="Import event logs into process maps, and export them.",
        no_args_is_help=True,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.add_typer(group, name="process")

    @group.command("import")
    def import_(
        file: Annotated[str, typer.Argument(metavar="FILE", help="An event log: XES, CSV or OCEL 2.0 as JSON.")],
        topic: Annotated[str, typer.Option("--topic", help="The topic of the process: process.NAME.")],
        speed: Annotated[str | None, typer.Option(help="Replay the log, so many times as fast: 100x.")] = None,
        case: Annotated[str | None, typer.Option(help="The column, or the key, of the case.")] = None,
        activity: Annotated[str | None, typer.Option(help="The column, or the key, of the activity.")] = None,
        timestamp: Annotated[str | None, typer.Option(help="The column, or the key, of the time.")] = None,
        timestamp_format: Annotated[
            str | None, typer.Option(help="The format of the times: '%d.%m.%Y %H:%M', unix or unix-ms.")
        ] = None,
        lifecycle: Annotated[
            str | None, typer.Option(help="Take only events with this transition, such as complete.")
        ] = None,
        classifier: Annotated[str | None, typer.Option(help="The classifier of XES that names the activities.")] = None,
        encoding: Annotated[str | None, typer.Option(help="The encoding of the text (UTF-8).")] = None,
        skip_invalid: Annotated[
            bool, typer.Option("--skip-invalid", help="Leave out events that cannot be mined, and say which.")
        ] = False,
        object_type: Annotated[str | None, typer.Option(help="The type of the objects of OCEL that are cases.")] = None,
        url: Url = LOCAL,
        token: Token = None,
    ) -> None:
        """Import an event log into a process map.

        The file, which may be packed by gzip, is read to its end first. If any of it is broken, nothing is stored, and
        the line and the reason are written. An import that was cut off is repeated, at any time: each event is stored
        once.

        \b
        Examples:
          tidings process import receipt.xes.gz --topic process.receipt
          tidings process import orders.csv --topic process.orders --case order --timestamp-format '%d.%m.%Y %H:%M'
          tidings process import log.xes --topic process.demo --speed 1000x
        """
        with sentences():
            from tidings.apps.processes.files.records import Options

            from .importing import check, replay, store
            from .spool import Spool

            factor = _factor(speed)
            _valid(topic)
            options = Options(case, activity, timestamp, timestamp_format, lifecycle, classifier, encoding, object_type)
            with _opened(file) as stream, Spool() as spool:
                checked = check(stream, options, spool, skip=skip_invalid, by_time=factor is not None)
                for note in checked.notes:
                    print(f"tidings: {note}", file=sys.stderr, flush=True)
                shortened = 0
                with connected(url, token) as client:
                    if factor is None:
                        before = store(client, topic, checked, spool)
                    else:
                        before, shortened = replay(client, topic, checked, spool, factor)
                if shortened:
                    print(f"tidings: {shortened:,} gaps of the log were shortened to 5 s.", file=sys.stderr)
                held = f", {before:,} of which the topic held before" if before else ""
                print(f"{topic}: {spool.events:,} events of {os.path.basename(file)}{held}")

    @group.command("export")
    def export(
        topic: Annotated[str, typer.Argument(help="The topic of the process: process.NAME.")],
        file: Annotated[
            str | None, typer.Argument(metavar="FILE", help="The file to write. Default: the output.")
        ] = None,
        url: Url = LOCAL,
        token: Token = None,
    ) -> None:
        """Write the events of a process as XES, one trace for each case, in the order of time.

        \b
        Examples:
          tidings process export process.orders orders.xes
          tidings process export process.orders | gzip > orders.xes.gz
        """
        with sentences(), connected(url, token) as client:
            from .exporting import export as write

            _valid(topic)
            with _created(file) as stream:
                write(client, topic, stream)


def _factor(speed: str | None) -> float | None:
    from .json_lines import WRONG, Failure

    if speed is None:
        return None
    found = re.fullmatch(r"(\d{1,12}(?:\.\d{1,6})?)x?", speed)
    if found is None or not float(found[1]):
        raise Failure(f"{speed!r} is not a speed. Write 100x.", WRONG)
    return float(found[1])


def _valid(topic: str) -> None:
    from tidings.apps.processes.service import is_process

    from .json_lines import WRONG, Failure

    if not is_process(topic):
        raise Failure("The topic of a process is process.NAME; a name has letters, digits, '_' and '-'.", WRONG)


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    from .json_lines import WRONG, Failure

    try:
        stream = open(file, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", WRONG) from None
    with stream:
        if not stream.seekable():
            raise Failure(f"{file} cannot be read: not a file that can be read twice.", WRONG)
        yield stream


@contextmanager
def _created(file: str | None) -> Iterator[BinaryIO]:
    from .json_lines import WRONG, Failure

    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        stream = open(file, "xb")  # noqa: SIM115 (closed below)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}.", WRONG) from None
    try:
        with stream:
            yield stream
    except BaseException:
        os.unlink(file)
        raise
