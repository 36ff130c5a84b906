"""The server: every part wired together, and the process that serves it. `create_app` is the way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tidings.errors import missing_package

if TYPE_CHECKING:
    from fastapi import FastAPI
    from langchain_core.tools import BaseTool

    from tidings.api import Hub
    from tidings.runs.assistant import Assistant


def create_app(
    hub: Hub | None = None, assistants: Mapping[str, Assistant | Any] | None = None, **settings: object
) -> FastAPI:
    """Make the application that `tidings serve` serves, to serve it or to mount it in another application.

    `hub`: a hub that the outer application opens and closes; without it the application has its own, which its lifespan
    opens. `assistants`: the assistants that the page offers, by name, the default first; each is an Assistant, or a
    runnable. `settings`: the settings of the reference by their names in lower case, without `TIDINGS_`; environment
    variables set the others. Raises InvalidRequest for a wrong setting and for what is no assistant, and ImportError,
    with the command that installs them, when the packages of `tidings[server]` are missing.
    """
    try:
        from . import app
        from .settings import Settings
    except ModuleNotFoundError as error:
        raise ImportError(missing_package(error, "server")) from None
    return app.create_app(Settings.load(**settings), hub, assistants=assistants)


def process_map_tool(url: str = "http://127.0.0.1:8000", token: str | None = None) -> BaseTool:
    """Make a LangChain tool that reads the process maps of a server, with the rights of a token.

    An agent that has the tool answers questions about a process with the figures that the map shows. The tool answers
    with JSON text, durations in seconds, at most 10 rows of each list and the number of all; what cannot be read is a
    sentence. Raises ImportError, with the command that installs them, when the packages of `tidings[server]` are
    missing.
    """
    try:
        from tidings.assistants.processes import process_map_tool as make
    except ModuleNotFoundError as error:
        raise ImportError(missing_package(error, "server")) from None
    return make(url, token)
