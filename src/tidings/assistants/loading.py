"""Assistants of other people's modules, by `module:object`."""

from __future__ import annotations

import difflib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from tidings.errors import InvalidRequest
from tidings.runs.assistant import KINDS, NAME, Assistant, is_runnable

PLACE = re.compile(r"(?:[^\W\d]\w*\.)*[^\W\d]\w*:(?:[^\W\d]\w*\.)*[^\W\d]\w*")
"""A module and an object in it, such as `shop.agents:support`."""

UNNAMED = frozenset({"", "LangGraph"})
"""The names of graphs to which nobody gave a name."""

USUAL = frozenset({"agent", "app", "assistant", "chain", "graph", "make_graph", "model", "runnable", "workflow"})
"""Names of objects that say nothing of an assistant: its module's name says more."""


def find_assistants(place: str) -> dict[str, Any]:
    """Return the assistants that a module has under `module:object`, by name.

    The object is an Assistant, a runnable, a mapping of names to these, or a function without parameters that returns
    one of them. A module is looked for in the current directory, too. One assistant has the name of its graph, or else
    that of the object, or of the module if the object's name is a usual one. Imports the module. Raises InvalidRequest,
    with what to do.
    """
    if not PLACE.fullmatch(place):
        raise InvalidRequest(f"{place!r} names no object of a module. Write module:object, such as my_agents:support.")
    module, _, path = place.partition(":")
    found = _imported(module)
    for name in path.split("."):
        found = _attribute(found, name, place)
    found = _called(found, place)
    if isinstance(found, Mapping):
        if not found:
            raise InvalidRequest(f"{place} is an empty dict, so it names no assistant.")
        return dict(found)
    if not isinstance(found, Assistant) and not is_runnable(found):
        raise InvalidRequest(
            f"{place} is a value of the type {type(found).__name__}. It should be an Assistant, a dict of assistants "
            f"by name, {KINDS}."
        )
    return {_name_of(found, module, path): found}


def _imported(module: str) -> Any:
    """Import a module, also from the current directory, as `python -m` does."""
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            raise InvalidRequest(
                f"There is no module {error.name}. Start the server in the directory that holds "
                f"{error.name.partition('.')[0]}, or install its package."
            ) from None
        raise InvalidRequest(f"The module {module} needs {error.name}, which is not installed.") from None
    except Exception as error:
        raise InvalidRequest(f"The module {module} cannot be imported: {_sentence(error)}") from error


def _attribute(owner: Any, name: str, place: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        near = difflib.get_close_matches(name, [known for known in vars(owner) if not known.startswith("_")], 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise InvalidRequest(f"{place}: there is no {name}.{hint}") from None


def _called(found: Any, place: str) -> Any:
    """Return what a function without parameters returns. An asynchronous one is called when the server runs."""
    if not inspect.isfunction(found) or inspect.isasyncgenfunction(found) or inspect.iscoroutinefunction(found):
        return found
    if not is_runnable(found):
        raise InvalidRequest(
            f"{place} is a function with parameters. Write a function without parameters that returns the graph, or "
            "wrap it: RunnableLambda(function) is a runnable of LangChain."
        )
    try:
        return found()
    except Exception as error:
        raise InvalidRequest(f"{place}() failed: {_sentence(error)}") from error


def _name_of(found: Any, module: str, path: str) -> str:
    runnable = found.runnable if isinstance(found, Assistant) else found
    name = str(getattr(runnable, "name", None) or "") if hasattr(runnable, "get_graph") else ""
    if name not in UNNAMED and NAME.fullmatch(name):
        return name
    last = path.rpartition(".")[2]
    return (module.rpartition(".")[2] if last in USUAL else last).strip("_") or "agent"


def _sentence(error: Exception) -> str:
    """An error of other people's code, with the place where it was raised."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}{where}"
