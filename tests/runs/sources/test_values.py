"""Any value as JSON of bounded size."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from pydantic import BaseModel

from tidings.runs.sources.values import LIMIT, clean, jsonable


class Model(BaseModel):
    a: int


@dataclass
class Data:
    a: int


class Opaque:
    def __str__(self) -> str:
        return "opaque"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ({"a": [1, 2.5, True, "é"]}, {"a": [1, 2.5, True, "é"]}),
        ((1, 2), [1, 2]),
        (Model(a=1), {"a": 1}),
        ([Model(a=1)], [{"a": 1}]),
        (Data(a=1), {"a": 1}),
        ({"deep": Opaque()}, {"deep": "opaque"}),
        ({1: "int key"}, {"1": "int key"}),
        ({(1, 2): "tuple key"}, {"(1, 2)": "tuple key"}),
        (float("nan"), None),
        (RuntimeError("the password is 1234"), "RuntimeError"),
        ({"error": RuntimeError("the password is 1234")}, {"error": "RuntimeError"}),
        (Model, str(Model)),
        ("lone \ud800", "lone \ufffd"),
    ],
)
def test_a_value_beyond_json_becomes_text(value: Any, expected: Any) -> None:
    assert jsonable(value) == expected


def test_documents_keep_their_fields() -> None:
    assert jsonable([Document(page_content="x", metadata={"source": "y"})])[0]["metadata"] == {"source": "y"}


def test_a_value_that_is_too_large_is_cut_and_marked() -> None:
    cut = jsonable(["é" * LIMIT])
    assert cut["truncated"] is True
    assert cut["bytes"] > LIMIT
    assert cut["beginning"].startswith('["éé')


def test_a_value_nested_too_deeply_becomes_text() -> None:
    """An event has at most 128 levels, and every reader refuses more."""
    value: Any = []
    for _ in range(125):
        value = [value]
    assert jsonable(value) == value
    assert jsonable([value]) == str([value])


def test_a_value_that_contains_itself_becomes_text() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert jsonable(circle) == "[[...]]"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), st.lists))
def test_the_answer_is_always_json(value: Any) -> None:
    json.loads(msgspec.json.encode(jsonable(value)))


@given(st.text(st.characters() | st.sampled_from([chr(0xD83D), chr(0xDE00)])))
def test_clean_text_is_utf8_and_clean_already_if_it_was(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert clean(cleaned) == cleaned
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert cleaned == text
