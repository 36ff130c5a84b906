"""The context in which a model runs: the context of the code that started the run, without that code's place in an
outer run of LangChain, LangGraph or LangSmith."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

_PLACES = (
    ("langchain_core.runnables.config", "var_child_runnable_config"),
    ("langgraph.pregel._tools", "_tool_call_writer"),  # what a tool of the outer graph writes with
)
"""Modules and their context variables that hold the callbacks of the outer run, which a run inside would call."""


@contextmanager
def detached() -> Iterator[None]:
    """Run what is within as nobody's child, so that its text goes to the run alone and its end is its own.

    The app's own context variables, and those of other libraries such as OpenTelemetry's current span, stay as they
    are. No module is imported: a library that nobody has loaded holds no place, nor does one that another thread is
    just loading.
    """
    with ExitStack() as undo:
        for module, name in _PLACES:
            variable = getattr(_loaded(module), name, None)
            if variable is not None:
                undo.callback(variable.reset, variable.set(None))
        if (langsmith := _loaded("langsmith.run_helpers")) is not None:
            undo.enter_context(langsmith.tracing_context(**_without_parent(langsmith.get_tracing_context())))
        yield


def _loaded(name: str) -> Any:
    """Return a module that has been imported whole, else None.

    A thread that imports a module shows it to all others before its names are there.
    """
    module = sys.modules.get(name)
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module


def _without_parent(tracing: dict[str, Any]) -> dict[str, Any]:
    """LangSmith's context with the project, the client and the rest that the app chose, but without an outer trace."""
    own = {**tracing, "parent": False}
    if "distributed_parent_id" in own:
        own["distributed_parent_id"] = None
    return own
