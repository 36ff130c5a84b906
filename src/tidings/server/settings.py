"""What the server can be told: by `TIDINGS_…` environment variables, or by options that win over them.

Everything has a default that is safe on one's own machine. Times are seconds; sizes are bytes, or text like `8 MiB`;
lists are words between commas or spaces. A key may be written `@FILE`: it is then what that file holds.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tidings.access.origins import is_loopback
from tidings.errors import InvalidRequest

PREFIX = "TIDINGS_"

CLIENT = frozenset({"TIDINGS_URL", "TIDINGS_TOKEN"})
"""Variables of the command line's clients, which are no settings of a server."""


def _words(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _origin(value: str) -> str:
    scheme, _, rest = value.partition("://")
    if scheme not in ("http", "https") or not rest or any(mark in rest for mark in "/?#@*"):
        raise ValueError("an origin is like https://app.example or http://localhost:5173, without a path or a star")
    return value.lower()


def _key(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("there is no such file, or it cannot be read as text") from None


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Origins = Annotated[tuple[Annotated[str, BeforeValidator(_origin)], ...], NoDecode, BeforeValidator(_words)]
Algorithms = Annotated[tuple[Literal["HS256", "RS256", "ES256", "EdDSA"], ...], NoDecode, BeforeValidator(_words)]
Secret = Annotated[SecretStr, BeforeValidator(_key)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=0)]
Size = Annotated[ByteSize, Field(ge=1)]


class Settings(BaseSettings):
    """All of it, frozen. `Settings.load()` is the way to make one: its errors are sentences."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """The address to listen on. Any but loopback needs a key: a secret, a public key or a key set."""
    port: Port = 8000
    """The port to listen on; 0 takes a free one."""
    store: str = "sqlite:///tidings.db"
    """The URL of the store: `memory:`, or `sqlite:///` and a path."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious log record that is written."""

    secret: Secret | None = None
    """The secret that signs and verifies tokens (HS256), at least 32 bytes; `tidings token --new-secret` makes one."""
    public_key: Annotated[str, BeforeValidator(_key)] | None = None
    """A public key in PEM that verifies tokens somebody else signs (RS256, ES256 or EdDSA)."""
    jwks_url: str | None = None
    """Where to fetch the key set that verifies tokens somebody else signs."""
    algorithms: Algorithms = ()
    """The only algorithms a token may be signed with; by default those that go with the key."""
    audience: str | None = None
    """What a token's `aud` must name. A token that has an `aud` is refused when this is not set."""
    issuer: str | None = None
    """What a token's `iss` must be."""
    oidc_issuer: str | None = None
    """The OpenID Connect provider that people sign in with. Their tokens are ours, so it needs TIDINGS_SECRET."""
    oidc_client_id: str | None = None
    """As what the provider knows this server."""
    oidc_client_secret: Secret | None = None
    """The secret it gave to this server, if it gave one."""
    oidc_title: str | None = None
    """What people call the provider; by default the name of its host."""
    hosts: Words = ()
    """Names, besides loopback's, by which a server without a key may be addressed."""
    cors_origins: Origins = ()
    """The origins whose pages may use this server; a page it serves itself always may."""

    model: str | None = None
    """The chat model of the assistant, as LangChain's `init_chat_model` names it: `openai:gpt-5-mini`."""
    model_url: str | None = None
    """The base URL of an OpenAI-compatible server, which then has the model."""
    model_key: Secret | None = None
    """The key of that model. A provider's own variable, such as OPENAI_API_KEY, does too."""
    local_llm: bool = False
    """Offer the tiny demonstration model of the extra `local-llm`, which runs in this process's machine."""
    gguf: Path | None = None
    """A model file (GGUF) for it, better than the tiny one."""

    max_body: Size = ByteSize(1024 * 1024)
    """The largest body of a request."""
    max_batch: Size = ByteSize(8 * 1024 * 1024)
    """The largest ndjson body, which holds many events."""
    max_batch_events: Count = 10_000
    """The most lines of an ndjson body."""
    max_file: Size = ByteSize(10 * 1024 * 1024)
    """The largest file that is shared in a room."""
    request_timeout: Annotated[float, Field(ge=1, le=3600)] = 20.0
    """The time in which the head of a request must arrive, and over which its body must keep 4 KB a second."""
    max_topics: Annotated[int, Field(ge=1, le=32)] = 32
    """The most topics of one connection. More than 32 would not fit in an event's id."""
    max_connections: Count = 20_000
    """The most open event streams of this process."""
    max_connections_per_subject: Count = 100
    """The most open event streams of one subject, the `sub` of its tokens."""
    limit_publishes: Limit = 1_000
    """The events that one person may publish in 10 seconds; 0 is no limit, here and in the next settings."""
    limit_topics: Limit = 1_000
    """The topics that one person may create in a day."""
    limit_rooms: Limit = 100
    """The rooms that one person may create in a day."""
    limit_members: Limit = 5_000
    """The members that one person may add to rooms in a day."""
    limit_uploads: Limit = 500
    """The files that one person may upload in an hour."""
    limit_upload_bytes: Annotated[ByteSize, Field(ge=0)] = ByteSize(2 * 1024**3)
    """The bytes of files that one person may upload in a day."""
    limit_runs_an_hour: Limit = 300
    """The runs that one person may start in an hour."""
    limit_runs: Limit = 20
    """The runs that one person may have under way at a time."""

    keep_alive: Annotated[float, Field(ge=1, le=3600)] = 15.0
    """The silence after which a comment is sent, to keep proxies from closing a stream."""
    drain_window: Seconds = 2.0
    """The time over which a server that was told to end lets its streams go, so that they do not all return at once."""
    grace: Seconds = 3.0
    """The time that runs have to finish when the server was told to end; then they end as `interrupted`."""

    retention_max_age: Annotated[float, Field(gt=0)] | None = None
    """The age at which a topic forgets its events, unless it says otherwise itself. Default: never."""
    retention_max_events: Count | None = None
    """How many events a topic keeps, unless it says otherwise itself. Default: all."""
    retention_max_bytes: Size | None = None
    """How many bytes of data a topic keeps, unless it says otherwise itself. Default: all."""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        keys = [name for name in ("secret", "public_key", "jwks_url") if getattr(self, name) is not None]
        if len(keys) > 1:
            raise ValueError(f"{_and(keys)} are set, but tokens have one kind of key: choose one of them")
        if not keys and not is_loopback(self.host):
            raise ValueError(
                f"will not listen on {self.host or 'every address'} without a key, since anyone who reaches it could "
                "read and write every topic. Make one with `export TIDINGS_SECRET=$(tidings token --new-secret)`"
            )
        if self.secret is not None and len(self.secret.get_secret_value().encode()) < 32:
            raise ValueError("TIDINGS_SECRET is shorter than 32 bytes. Make one with `tidings token --new-secret`")
        if self.oidc_issuer is not None:
            self._oidc_agrees()
        if self.model_url is not None and self.model is None:
            raise ValueError("TIDINGS_MODEL_URL is set without TIDINGS_MODEL, the name of a model at that address")
        return self

    def _oidc_agrees(self) -> None:
        if self.secret is None:
            raise ValueError(
                "TIDINGS_OIDC_ISSUER is set without TIDINGS_SECRET, which signs the tokens of who comes from there. "
                "Make one with `tidings token --new-secret`"
            )
        if self.oidc_client_id is None:
            raise ValueError("TIDINGS_OIDC_ISSUER is set without TIDINGS_OIDC_CLIENT_ID, which the provider gives out")

    @property
    def open(self) -> bool:
        """Whether there is no key: anyone who reaches this server, which only this machine can, may do everything."""
        return self.secret is None and self.public_key is None and self.jwks_url is None

    @classmethod
    def load(cls, **options: Any) -> Self:
        """The settings from the environment and `options`, of which those that are None count as not given.

        Raises InvalidRequest, with a sentence for everything that is wrong.
        """
        given = {name: value for name, value in options.items() if value is not None}
        wrong = [_unknown(name, cls) for name in sorted(os.environ) if _is_unknown(name, cls)]
        try:
            settings = cls(**given)
        except ValidationError as error:
            wrong += [_sentence(problem, given) for problem in error.errors(include_url=False, include_context=False)]
        if wrong:
            raise InvalidRequest("\n".join(wrong))
        return settings


def _is_unknown(variable: str, settings: type[Settings]) -> bool:
    name = variable.upper()
    return name.startswith(PREFIX) and name not in CLIENT and name[len(PREFIX) :].lower() not in settings.model_fields


def _unknown(variable: str, settings: type[Settings]) -> str:
    near = difflib.get_close_matches(variable.upper(), [PREFIX + name.upper() for name in settings.model_fields], 1)
    return f"{variable} is not a setting." + (f" Is it {near[0]} that is meant?" if near else "")


def _sentence(problem: Any, given: dict[str, Any]) -> str:
    """One error of pydantic's, in words, and never with the text of a key in it."""
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not problem["loc"]:
        return f"Tidings {message}." if message.startswith("will ") else f"{message}."
    name = str(problem["loc"][0])
    label = f"--{name.replace('_', '-')}" if name in given else PREFIX + name.upper()
    if name in ("secret", "public_key", "model_key", "oidc_client_secret"):
        return f"{label}: {message}."
    return f"{label} is {problem['input']!r}, but {message}."


def _and(names: list[str]) -> str:
    return " and ".join(PREFIX + name.upper() for name in names)
