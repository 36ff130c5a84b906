"""Assistants: runnables that a server offers by name. The apps and the routes of runs are given them by name."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from tidings.errors import InvalidRequest, NotFound

from .icon import Picture, read_icon
from .sources.inputs import Message, input_maker
from .sources.memory import with_memory

DEFAULT = "assistant"
"""The name that calls the default assistant in a room, and which no assistant may have."""

TITLE = 60
"""Characters of a title."""
DESCRIPTION = 500
"""Characters of a description."""
PROMPTS = 6
"""Prompts of one assistant."""
PROMPT = 200
"""Characters of a prompt."""

Takes = Literal["none", "text", "images"]
"""The kinds of attached files that an assistant takes."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")

KINDS = (
    "a LangChain runnable or graph, an async generator function of text, or a function without parameters that makes "
    "one of these"
)


@dataclass(frozen=True)
class Assistant:
    """An assistant that people ask in the page: a runnable, and what the page shows of it.

    `runnable`: a LangChain runnable or graph, an async generator function of text, or a function without parameters,
    also an asynchronous one, that makes one of these. The function is called once, in a thread, when the server starts.
    `title`: the name that people read; by default it is made of the name. `description`: a sentence or two about the
    assistant. `prompts`: up to 6 questions to begin with. `icon`: a letter, an emoji, or the path of a picture (SVG,
    PNG, JPEG or WebP, up to 64 KiB). `model`: the name of its model, for the details of a run. `input`: a function that
    makes the runnable's input of the conversation's messages (`{"role", "content"}`), for a runnable that takes neither
    messages nor one text. `files`: what the runnable takes of attached files. With "text", text files follow in the
    question's content, and other files are named there. With "images", the content of a question with pictures is a
    list of LangChain's content blocks, text and images. With "none", nobody can attach files.

    Raises InvalidRequest for a value that cannot be shown, and for an icon that cannot be read.
    """

    runnable: Any
    title: str = ""
    description: str = ""
    prompts: Sequence[str] = ()
    icon: str | Path = ""
    model: str | None = None
    input: Callable[[list[Message]], Any] | None = None
    files: Takes = "text"
    sign: str | Picture = field(default="", init=False, repr=False)
    """The icon as it is shown: a letter, an emoji or a picture; empty without an icon."""

    def __post_init__(self) -> None:
        if not is_runnable(self.runnable):
            raise InvalidRequest(f"{_kind(self.runnable)} is no assistant. The runnable is {KINDS}.")
        _check_text("title", self.title, TITLE)
        _check_text("description", self.description, DESCRIPTION)
        if isinstance(self.prompts, str) or not isinstance(self.prompts, Sequence):
            raise InvalidRequest("`prompts` is a list of texts.")
        for prompt in self.prompts:
            _check_text("prompt", prompt, PROMPT)
            if not prompt.strip():
                raise InvalidRequest("A prompt is not empty.")
        if len(self.prompts) > PROMPTS:
            raise InvalidRequest(f"An assistant has at most {PROMPTS} prompts.")
        if self.model is not None:
            _check_text("model", self.model, TITLE)
        if self.input is not None and not callable(self.input):
            raise InvalidRequest("`input` is a function of the conversation's messages.")
        if self.files not in get_args(Takes):
            raise InvalidRequest('`files` is "none", "text" or "images".')
        if not isinstance(self.icon, str | Path):
            raise InvalidRequest("`icon` is a letter, an emoji, or the path of a picture.")
        object.__setattr__(self, "prompts", tuple(self.prompts))
        object.__setattr__(self, "sign", read_icon(self.icon) if self.icon != "" else "")


class NamedAssistant:
    """An assistant under the name by which a server offers it. Its runnable is made once.

    Raises InvalidRequest for a runnable whose input is unknown, unless a function makes the runnable later.
    """

    def __init__(self, name: str, assistant: Assistant) -> None:
        self.name = name
        self.title: str = assistant.title or re.sub(r"[_-]+", " ", name).strip().capitalize()
        self.description: str = assistant.description
        self.prompts: tuple[str, ...] = tuple(assistant.prompts)
        self.model: str | None = assistant.model
        self.files: Takes = assistant.files
        self.sign: str | Picture = assistant.sign
        self._assistant = assistant
        self._made: tuple[Any, Callable[[list[Message]], Any]] | None = None
        self._making = asyncio.Lock()
        if not _makes_runnable(assistant.runnable):
            self._made = assistant.runnable, self._input_of(assistant.runnable)

    async def load(self) -> None:
        """Make the runnable, with all that would make its first answer late. Idempotent.

        Takes a second or more, in a thread. Raises what the function raises that makes the runnable, and InvalidRequest
        for what is no runnable, or for a runnable whose input is unknown.
        """
        async with self._making:
            if self._made is None:
                made = await asyncio.to_thread(self._assistant.runnable)
                made = await made if inspect.isawaitable(made) else made
                if not is_runnable(made) or _makes_runnable(made):
                    raise InvalidRequest(f"The assistant {self.name} is made as {_kind(made)}, which is no runnable.")
                self._made = made, await asyncio.to_thread(self._input_of, made)

    async def ask(self, messages: list[Message]) -> tuple[Any, Any]:
        """Return the runnable and its input for a conversation, of which the last message is the question.

        A graph without a checkpointer gets a memory for this run alone, so that it can ask people. If the assistant
        cannot be loaded, or its own `input` fails, the runnable is one that fails with this error.
        """
        try:
            await self.load()
            assert self._made is not None
            runnable, make_input = self._made
            return with_memory(runnable), make_input(messages)
        except Exception as error:
            return _failing(error), messages

    def _input_of(self, runnable: Any) -> Callable[[list[Message]], Any]:
        return self._assistant.input or input_maker(self.name, runnable)


def named(assistants: Iterable[tuple[str, Any]]) -> dict[str, NamedAssistant]:
    """Return assistants by their names, in their order. A value may be an Assistant, or the runnable of one.

    Raises InvalidRequest for a name that nobody could write, and for what is no assistant.
    """
    found: dict[str, NamedAssistant] = {}
    for name, value in assistants:
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise InvalidRequest(
                f"{str(name)[:50]!r} is no name of an assistant. A name has up to 40 letters, digits, - and _, "
                "since people write @name. The title may be any text."
            )
        if name.lower() == DEFAULT:
            raise InvalidRequest(f"No assistant is called {name}: @{DEFAULT} calls the first of them.")
        if name.lower() in map(str.lower, found):
            raise InvalidRequest(f"Two assistants are called {name}. Give each a name of its own.")
        try:
            assistant = value if isinstance(value, Assistant) else Assistant(value)
        except InvalidRequest as error:
            raise InvalidRequest(f"The assistant {name}: {error}") from None
        found[name] = NamedAssistant(name, assistant)
    return found


def choose(assistants: Mapping[str, NamedAssistant], name: str | None) -> NamedAssistant:
    """Return an assistant by name, or the default, which is the first. Raises NotFound."""
    chosen = assistants.get(name) if name else next(iter(assistants.values()), None)
    if chosen is None:
        raise NotFound(f"There is no assistant {name}." if name else "There is no assistant.")
    return chosen


def is_runnable(value: Any) -> bool:
    """Return True for a value that can be the runnable of an assistant, or a function that makes it."""
    return _streams(value) or _yields_text(value) or _makes_runnable(value)


def _streams(value: Any) -> bool:
    """Return True for a LangChain runnable. A class of runnables is none, but may make one."""
    return hasattr(value, "astream_events") and not isinstance(value, type)


def _yields_text(value: Any) -> bool:
    called = getattr(type(value), "__call__", None)  # noqa: B004 the method itself is looked at
    return inspect.isasyncgenfunction(value) or inspect.isasyncgenfunction(called)


def _makes_runnable(value: Any) -> bool:
    """Return True for a function that can be called without arguments, and is no runnable itself."""
    if _streams(value) or not callable(value) or _yields_text(value):
        return False
    try:
        inspect.signature(value).bind()
    except (TypeError, ValueError):
        return False
    return True


def _failing(error: Exception) -> Any:
    """Return a runnable whose run fails with `error`."""

    async def fail(_: Any) -> AsyncIterator[str]:
        if error:
            raise error
        yield ""

    return fail


def _check_text(what: str, value: Any, longest: int) -> None:
    if not isinstance(value, str):
        raise InvalidRequest(f"The {what} is text, not {_kind(value)}.")
    if len(value) > longest:
        raise InvalidRequest(f"The {what} has at most {longest} characters.")


def _kind(value: Any) -> str:
    """The kind of a value in words, for an error. The value itself may hold a secret."""
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__}" if not isinstance(value, type) else f"the class {value.__name__}"
    return f"a value of the type {type(value).__name__}"
