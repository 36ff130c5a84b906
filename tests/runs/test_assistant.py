"""Assistants by name, and their runnables, which are made once."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tidings.errors import NotFound
from tidings.runs.assistant import Assistant, choose


def assistant(name: str, make: Any = object) -> Assistant:
    return Assistant(name, name.title(), "", None, make)


async def test_a_runnable_is_made_once_in_a_thread_however_many_ask() -> None:
    threads: list[int] = []

    def make() -> object:
        threads.append(threading.get_ident())
        return object()

    made = assistant("echo", make)
    runnables = await asyncio.gather(*(made.runnable() for _ in range(5)))
    assert len(set(map(id, runnables))) == 1
    assert made.load() is runnables[0] is await made.runnable()
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_a_runnable_that_could_not_be_made_is_tried_again() -> None:
    results: list[Any] = ["runnable", OSError("no model")]

    def make() -> Any:
        if isinstance(result := results.pop(), OSError):
            raise result
        return result

    made = assistant("echo", make)
    with pytest.raises(OSError, match="no model"):
        await made.runnable()
    assert await made.runnable() == "runnable"


def test_an_assistant_is_chosen_by_name_and_the_first_is_the_default() -> None:
    one, two = assistant("one"), assistant("two")
    known = {"one": one, "two": two}
    assert choose(known, "two") is two
    assert choose(known, None) is one
    assert choose(known, "") is one


def test_an_unknown_assistant_is_not_found() -> None:
    with pytest.raises(NotFound, match=r"^There is no assistant three\.$"):
        choose({"one": assistant("one")}, "three")
    with pytest.raises(NotFound, match=r"^There is no assistant\.$"):
        choose({}, None)
