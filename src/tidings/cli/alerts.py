"""The command `tidings alerts replay`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from .terminal import sentences


def add_to(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    alerts = typer.Typer(help="Try alert rules.", no_args_is_help=True)
    app.add_typer(alerts, name="alerts")

    @alerts.callback()
    def group() -> None:
        """Try alert rules."""

    @alerts.command()
    def replay(file: Annotated[str, typer.Argument(help="A file of JSON lines; - is standard input.")]) -> None:
        """Write the transitions and notices of a rule over given steps, as JSON lines.

        The first line of FILE is the rule. Each other line is a step at a time `t`, in seconds: {"t": 5, "data": 61} is
        an event, {"t": 9, "do": "ack"} an action,
        {"t": 30} a look. The rule begins at the first step. No server is asked.

        \b
        Examples:
          tidings alerts replay hot.jsonl
          tidings read sensors.7 | jq -c '{t: .time, data}' | cat rule.json - | tidings alerts replay -
        """
        with sentences():
            _replay(file)


def _replay(file: str) -> None:
    from tidings.apps.alerts.facts import to_item
    from tidings.apps.alerts.replay import read, replay
    from tidings.errors import InvalidRequest

    from .json_lines import WRONG, Failure

    try:
        if file == "-":
            text = sys.stdin.buffer.read().decode()
        else:
            with open(file, encoding="utf-8") as opened:
                text = opened.read()
        rule, steps = read(text)
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}.", WRONG) from None
    except UnicodeDecodeError:
        raise Failure(f"{file} is not text.", WRONG) from None
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None
    for fact in replay(rule, steps, began=steps[0].t if steps else 0.0):
        type, data = to_item(fact)
        sys.stdout.write(f'{{"type":"{type}",{data[1:]}\n')
