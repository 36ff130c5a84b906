"""Assistants of other people's modules, found by `module:object`, and what is said when there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidings import Assistant
from tidings.assistants.loading import find_assistants
from tidings.errors import InvalidRequest

SOURCE = """
from langchain_core.language_models import FakeListChatModel
from langgraph.graph import START, MessagesState, StateGraph
from tidings import Assistant

def compiled(**options):
    builder = StateGraph(MessagesState)
    builder.add_node("one", lambda state: {})
    builder.add_edge(START, "one")
    return builder.compile(**options)

model = FakeListChatModel(responses=["Yes."])
graph = compiled()
named = compiled(name="support")
spaced = compiled(name="two words")
desk = Assistant(model, "The desk")
both = {"one": model, "two": desk}
empty = {}
number = 5

async def words(messages):
    yield "words"

async def later():
    return model

def make():
    return both

def given(config):
    return model

def broken():
    raise ValueError("a line\\nand another")

class Holder:
    inner = model
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module in the current directory, which is not on the path of imports."""
    name = f"agents_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(SOURCE)
    (tmp_path / "wrong.py").write_text("import nowhere_at_all\n")
    (tmp_path / "failing.py").write_text("x = 1\nraise OSError('no key')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield name
    for one in (name, "wrong", "failing"):
        sys.modules.pop(one, None)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("model", [""]),
        ("graph", [""]),
        ("named", ["support"]),
        ("spaced", ["spaced"]),
        ("desk", ["desk"]),
        ("both", ["one", "two"]),
        ("make", ["one", "two"]),
        ("words", ["words"]),
        ("later", ["later"]),
        ("Holder.inner", ["inner"]),
    ],
)
def test_an_object_of_a_module_in_the_current_directory_is_found(module: str, path: str, names: list[str]) -> None:
    assert list(find_assistants(f"{module}:{path}")) == [name or module for name in names]


def test_an_assistant_stays_what_it_is(module: str) -> None:
    (desk,) = find_assistants(f"{module}:desk").values()
    assert isinstance(desk, Assistant)
    assert desk.title == "The desk"


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("agents.py", "names no object of a module. Write module:object, such as my_agents:support"),
        ("./agents.py:graph", "names no object of a module"),
        ("../secrets:graph", "names no object of a module"),
        ("", "names no object of a module"),
        ("nowhere_to_be_found:graph", "There is no module nowhere_to_be_found. Start the server in the directory"),
        ("nowhere.below:graph", "There is no module nowhere. Start the server in the directory that holds nowhere"),
        ("wrong:graph", "The module wrong needs nowhere_at_all, which is not installed"),
        ("failing:graph", r"The module failing cannot be imported: OSError: no key \(failing.py, line 2\)"),
    ],
)
def test_a_module_that_cannot_be_used_is_named_with_what_to_do(module: str, place: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        find_assistants(place)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("grap", r"there is no grap\. Did you mean graph\?"),
        ("nothing_like_it", r"there is no nothing_like_it\.$"),
        ("number", "is a value of the type int. It should be an Assistant, a dict of assistants by name, a LangChain"),
        ("empty", "is an empty dict"),
        ("given", "is a function with parameters. Write a function without parameters that returns the graph"),
        ("broken", r"broken\(\) failed: ValueError: a line \(agents_.*line \d+\)"),
    ],
)
def test_an_object_that_is_no_assistant_is_named_with_what_to_do(module: str, path: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        find_assistants(f"{module}:{path}")
