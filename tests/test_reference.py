"""The reference of the Python API names everything that is public, with its parameters, and nothing else."""

from __future__ import annotations

import importlib.util
import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import tidings
from tidings import client
from tidings.runs.runs import Runs

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")
CODE = set(re.findall(r"`([^`\n]+)`", PAGE))
SPANS = CODE | {part for span in CODE for part in re.split(r"(?<=\)), ", span)}

OBJECTS: dict[str, list[type]] = {
    "hub": [tidings.Hub],
    "hub.runs": [Runs],
    "run": [tidings.Run],
    "client": [tidings.Client, tidings.AsyncClient],
    "client.runs": [client.Runs, client.AsyncRuns],
    "source": [tidings.EventSource, tidings.AsyncEventSource],
    "subscription": [client.Subscription, client.AsyncSubscription],
    "event": [tidings.Event],
    "error": [tidings.TidingsError],
}
"""The objects of which the page shows methods, by the names that it gives them."""

INTERNAL = {
    "hub": {"delivery", "leases", "log"},
    "hub.runs": {"close", "drain", "hub", "on_end", "on_request", "open", "under_way"},
}
"""Attributes without an underscore that other rooms of the library use. The page says that they are not public."""

VALUES = [tidings.Appended, tidings.Event, tidings.Offset, tidings.Page, tidings.Retention, tidings.Format]
VALUES += [tidings.Client, tidings.AsyncClient, tidings.Hub, tidings.EventStreamResponse, tidings.ServerSentEvent]
VALUES += [tidings.EventSource, tidings.AsyncEventSource]
VALUES += [tidings.create_app, tidings.process_map_tool, tidings.decode, tidings.adecode, tidings.TidingsError]


def signature(function: Any) -> str:
    """The parameters of a function as the page writes them: without types, with defaults."""
    parameters = [
        p.replace(annotation=inspect.Parameter.empty)
        for p in inspect.signature(function).parameters.values()
        if p.name != "self"
    ]
    return str(inspect.Signature(parameters)).replace("'", '"')


def public(kind: type) -> Iterator[tuple[str, Any]]:
    """The public attributes that our classes give to instances of `kind`."""
    for owner in kind.__mro__:
        if owner.__module__.startswith("tidings."):
            yield from ((name, value) for name, value in vars(owner).items() if not name.startswith("_"))


def written(prefix: str, name: str, value: Any) -> str:
    function = inspect.isfunction(value)
    return f"{prefix}.{name}{signature(value) if function else ''}"


def shown(text: str) -> bool:
    return text in SPANS or f"await {text}" in SPANS


@pytest.mark.parametrize("prefix", ["hub", "hub.runs", "run", "client", "client.runs", "source", "subscription"])
def test_every_method_is_on_the_page_with_its_parameters(prefix: str) -> None:
    missing = [
        text
        for kind in OBJECTS[prefix]
        for name, value in public(kind)
        if name not in INTERNAL.get(prefix, ())
        and isinstance(value, property | cached_property | staticmethod) | inspect.isfunction(value)
        and not shown(text := written(prefix, name, value))
    ]
    # The runs of the client are described by those of the hub.
    assert missing == []


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_every_value_is_on_the_page_with_its_fields(value: Any) -> None:
    assert f"{value.__name__}{signature(value)}" in SPANS


@pytest.mark.parametrize("kind", [tidings.RunState, tidings.Topic], ids=lambda kind: kind.__name__)
def test_every_field_is_on_the_page(kind: Any) -> None:
    fields = getattr(kind, "__struct_fields__", None) or kind._fields
    assert [name for name in fields if not re.search(rf"`{name}`", PAGE)] == []


@pytest.mark.parametrize(
    "function", [tidings.Hub.publish, tidings.EventStreamResponse, Runs.start, tidings.Client, tidings.EventSource]
)
def test_every_parameter_is_explained(function: Any) -> None:
    rows = " ".join(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.M))
    names = [name for name in inspect.signature(function).parameters if name != "self"]
    assert [name for name in names if f"`{name}`" not in rows] == []


@pytest.mark.parametrize("name", tidings.__all__)
def test_every_public_name_is_on_the_page(name: str) -> None:
    assert any(re.match(rf"{name}\b", span) for span in CODE), name
    error = getattr(tidings, name)
    if isinstance(error, type) and issubclass(error, tidings.TidingsError) and error is not tidings.TidingsError:
        assert re.search(rf"^\| `{name}` \| {error.status} \|", PAGE, re.M)


def test_everything_that_the_page_shows_is_there() -> None:
    shown = re.findall(
        r"(?<![\w.])((?:hub|client)(?:\.runs)?|run|source|subscription|event|error)\.(\w+)\b", " ".join(CODE)
    )
    made = {"event": {"type"}, "run": {"id", "topic", "created", "finished", "failed"}, "error": {"members"}}
    made |= {"hub": {"runs"}, "client": {"runs"}}
    missing = [
        f"{prefix}.{name}"
        for prefix, name in shown
        if not all(hasattr(kind, name) for kind in OBJECTS[prefix]) and name not in made.get(prefix, ())
    ]
    assert missing == []


def test_the_pages_send_nobody_to_an_inner_module() -> None:
    """A page or an example imports from `tidings` and `tidings.testing` alone."""
    sent = []
    inside = {"design.md", "checklist.md"}
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.py")]
    for path in files:
        text = path.read_text("utf-8")
        modules = re.findall(r"^\s*(?:from|import) (tidings\.[\w.]+)", text, re.M)
        if path.name not in inside:
            modules += [name for name in re.findall(r"`(tidings\.[a-z_.]+)`", text) if is_module(name)]
        sent += [f"{path.name}: {name}" for name in modules if name != "tidings.testing"]
    # The name of a logger is no module to import.
    assert sorted(set(sent)) == ["python.md: tidings.client"]


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
