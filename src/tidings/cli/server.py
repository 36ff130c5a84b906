"""The server that a command talks to: its options, and the client for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tidings.client import Client

Url = Annotated[
    str, typer.Option("--url", envvar="TIDINGS_URL", help="The URL of the server.", show_envvar=True, metavar="URL")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="TIDINGS_TOKEN", help="The token, for a server that requires one.", metavar="TOKEN"),
]
LOCAL = "http://127.0.0.1:8000"

SILENCE = 90.0
"""Seconds without a byte after which a followed stream counts as broken. Servers are silent for at most 15."""


@contextmanager
def connected(url: str, token: str | None, patience: float = 0.0) -> Iterator[Client]:
    """Open a client of the server. Every error of the client's is raised as a Failure with its exit code."""
    from tidings.client import Client
    from tidings.errors import InvalidRequest, TidingsError, Unauthenticated

    from .json_lines import REFUSED, WRONG, Failure, exit_code

    try:
        client = Client(url, token=token or None, silence=SILENCE, patience=patience)
    except InvalidRequest as error:
        raise Failure(str(error), WRONG) from None
    with client:
        try:
            yield client
        except Unauthenticated as error:
            sentence = str(error) if token else "The server requires a token. Give it by --token or TIDINGS_TOKEN."
            raise Failure(sentence, REFUSED) from None
        except TidingsError as error:
            raise Failure(str(error), exit_code(error)) from None
