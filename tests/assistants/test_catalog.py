"""The assistants that a server offers, by its settings and its application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.model_server import FINISH, delta, stand_in, stream
from tidings import Assistant
from tidings.assistants import catalog, configured, local
from tidings.errors import InvalidRequest


async def words(_: Any) -> AsyncIterator[str]:
    yield "words"


@dataclass
class Chosen:
    """The part of the settings that matters here."""

    model: str | None = None
    model_url: str | None = None
    model_key: SecretStr | None = None
    model_images: bool | None = None
    gguf: Path | None = None
    local_llm: bool = False
    assistant: tuple[str, ...] = ()


def test_without_a_model_the_documentation_answers_and_says_what_it_is() -> None:
    (docs,) = configured(Chosen()).values()
    assert (docs.name, docs.model) == ("docs", None)
    assert docs.description.startswith("No AI model is connected.")
    assert docs.prompts[0] == "What can you do?"
    assert docs.sign == ""


def test_the_real_settings_have_what_is_needed() -> None:
    from tidings.server.settings import Settings

    assert list(configured(Settings.load())) == ["docs"]


async def test_a_configured_url_becomes_the_default_beside_the_documentation() -> None:
    async with stand_in(stream(delta(content="Yes."), FINISH)) as server:
        found = await asyncio.to_thread(
            configured, Chosen(model="tiny", model_url=server.url, model_key=SecretStr("key"))
        )
        assert list(found) == ["model", "docs"]
        assert (found["model"].title, found["model"].model) == ("tiny", "tiny")
        assert found["model"].prompts == catalog.MODEL_PROMPTS
        messages = [
            {"role": "user", "content": "1?"},
            {"role": "assistant", "content": "1."},
            {"role": "user", "content": "2?"},
        ]
        runnable, given = await found["model"].ask(messages)
        assert (await runnable.ainvoke(given)).text == "Yes."
    ((_, headers, request),) = server.requests
    assert headers["authorization"] == "Bearer key"
    assert request["model"] == "tiny"
    assert [message["role"] for message in request["messages"]] == ["system", "user", "assistant", "user"]


@pytest.mark.parametrize(("images", "files"), [(None, "text"), (True, "images"), (False, "text")])
def test_a_model_at_an_address_takes_pictures_if_the_settings_say_so(images: bool | None, files: str) -> None:
    chosen = Chosen(model="tiny", model_url="http://127.0.0.1:1/v1", model_images=images)
    assert [one.files for one in configured(chosen).values()] == [files, "none"]


def test_a_model_by_name_is_made_by_langchain() -> None:
    found = configured(Chosen(model="openai:gpt-5-mini", model_key=SecretStr("key")))
    assert list(found) == ["model", "docs"]
    assert (found["model"].title, found["model"].model) == ("gpt-5-mini", "openai:gpt-5-mini")


@pytest.mark.parametrize("chosen", [Chosen(), Chosen(model="m", model_url="http://127.0.0.1:9")])
def test_assistants_of_the_application_come_first_and_without_the_documentation(chosen: Chosen) -> None:
    chosen.assistant = ("tests.assistants.test_catalog:words",)
    own = Assistant(words, "Support")
    found = configured(chosen, {"support": own})
    assert list(found) == ["support", "words", *(["model"] if chosen.model else [])]
    assert [one.title for one in found.values()][:2] == ["Support", "Words"]


def test_two_assistants_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="Two assistants are called model"):
        configured(Chosen(model="m", model_url="http://127.0.0.1:9"), {"model": words})


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (Chosen(model="nonsense"), "The model nonsense cannot be used"),
        (Chosen(model="groq:llama"), "needs a package that is not installed"),
        (Chosen(model="m", model_url="localhost:11434"), "TIDINGS_MODEL_URL"),
        (Chosen(gguf=Path("nowhere.gguf")), "TIDINGS_GGUF"),
    ],
)
def test_an_unavailable_assistant_is_reported_at_the_start(chosen: Chosen, says: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(catalog, "find_spec", lambda name: object())
    with pytest.raises(InvalidRequest, match=says):
        configured(chosen)


def test_a_local_model_is_labelled_for_what_it_is(tmp_path: Path, monkeypatch: Any) -> None:
    file = tmp_path / "good.gguf"
    file.touch()
    monkeypatch.setattr(local, "find_gguf", lambda gguf: gguf or Path("tiny.gguf"))
    monkeypatch.setattr(catalog, "find_spec", lambda name: object())
    tiny = configured(Chosen(local_llm=True))["local-llm"]
    good = configured(Chosen(gguf=file))["local-llm"]
    assert (tiny.description, tiny.model) == ("Tiny demo model, often wrong.", "tiny")
    assert (good.description, good.model) == ("A model on this machine. It can be wrong.", "good")
    monkeypatch.setattr(catalog, "find_spec", lambda name: None)
    with pytest.raises(InvalidRequest, match="local-llm"):
        configured(Chosen(local_llm=True))
