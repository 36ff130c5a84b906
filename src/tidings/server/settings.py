"""Settings of the server: `TIDINGS_…` environment variables, and options, which win over them.

Every default is safe on one's own machine. Times are in seconds; sizes are bytes, or text like `8 MiB`; lists are words
between commas or spaces. A key may be written `@FILE`: the file then holds the key.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    GetPydanticSchema,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tidings.access.origins import is_loopback
from tidings.errors import InvalidRequest

PREFIX = "TIDINGS_"

CLIENT = frozenset({"TIDINGS_URL", "TIDINGS_TOKEN"})
"""Variables of the command line's clients, which are not settings of a server."""


def _words(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


def _names(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _origin(value: str) -> str:
    scheme, _, rest = value.partition("://")
    if scheme not in ("http", "https") or not rest or any(mark in rest for mark in "/?#@*"):
        raise ValueError("an origin is like https://app.example or http://localhost:5173, without a path or a star")
    return value.lower()


def _peer(value: str) -> str:
    try:
        if value != "*":
            ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            "a proxy is an address like 10.0.0.5, a network like 10.0.0.0/8, or * for every peer"
        ) from None
    return value


def _alone(peers: tuple[str, ...]) -> tuple[str, ...]:
    if "*" in peers and len(peers) > 1:
        raise ValueError("* stands alone, since it trusts every peer")
    return peers


def _key(value: object) -> object:
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ValueError("the file does not exist, or is not text") from None


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]
Origins = Annotated[tuple[Annotated[str, BeforeValidator(_origin)], ...], NoDecode, BeforeValidator(_words)]
Peers = Annotated[
    tuple[Annotated[str, AfterValidator(_peer)], ...], NoDecode, BeforeValidator(_words), AfterValidator(_alone)
]
Algorithms = Annotated[tuple[Literal["HS256", "RS256", "ES256", "EdDSA"], ...], NoDecode, BeforeValidator(_words)]
Secret = Annotated[SecretStr, BeforeValidator(_key)]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Limit = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, GetPydanticSchema(lambda _, handler: handler(ByteSize)), AfterValidator(int)]
"""Plain numbers: an error tells a client its limit, and a ByteSize cannot be written as JSON."""
Size = Annotated[Bytes, Field(ge=1)]


class Settings(BaseSettings):
    """The settings of a server, frozen. `Settings.load()` makes them, with sentences for errors."""

    model_config: ClassVar[SettingsConfigDict] = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """The address to listen on. An address other than loopback needs a key: a secret, a public key or a key set."""
    port: Port = 8000
    """The port to listen on; 0 takes a free one."""
    store: str = Field("sqlite:///tidings.db", repr=False)  # a URL may hold a password
    """The URL of the store: `memory:`, `sqlite:///` and a path, or `postgresql://`."""
    workers: Annotated[int, Field(ge=1, le=64)] | None = None
    """The worker processes that serve together, under a parent that replaces those that die and, at SIGHUP, all of
    them. Default: one process that serves by itself."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious log record that is written."""
    log_format: Literal["text", "json"] = "text"
    """The format of the log: lines of text, or a JSON object a line."""
    metrics: bool = True
    """Keep the server's own figures in the topic `metrics.server`, an event a second and process, from the first time
    that somebody reads the topic on. `GET /metrics` has them in any case."""
    access_log: bool = False
    """Write a log record for each request, without the query of its path."""

    secret: Secret | None = None
    """The secret that signs and verifies tokens (HS256), at least 32 bytes; `tidings token --new-secret` makes it."""
    public_key: Annotated[str, BeforeValidator(_key)] | None = None
    """A public key in PEM that verifies the tokens of another issuer (RS256, ES256 or EdDSA)."""
    jwks_url: str | None = None
    """The URL of the key set that verifies the tokens of another issuer."""
    algorithms: Algorithms = ()
    """The algorithms that a token may be signed with; by default those of the key."""
    audience: str | None = None
    """The audience that a token's `aud` must name. Without this setting, a token with an `aud` is refused."""
    issuer: str | None = None
    """The issuer that a token's `iss` must name."""
    oidc_issuer: str | None = None
    """The OpenID Connect provider that people sign in with. This server signs their tokens, with TIDINGS_SECRET."""
    oidc_client_id: str | None = None
    """The client ID of this server at the provider."""
    oidc_client_secret: Secret | None = None
    """The client secret of this server at the provider, if there is a secret."""
    oidc_title: str | None = None
    """The name of the provider on the sign-in page; by default the name of its host."""
    admins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = ()
    """The names of the people who administer this server, between commas."""
    hosts: Words = ()
    """Host names, besides loopback's, by which a server without a key may be addressed."""
    cors_origins: Origins = ()
    """The origins whose pages may use this server, besides its own page."""
    trusted_proxies: Peers = ("127.0.0.1", "::1")
    """The proxies whose X-Forwarded headers are believed: addresses, networks, or * for every peer."""

    assistant: Words = ()
    """Assistants of your own, by module and object: `my_agents:support`. The first is the default."""
    model: str | None = None
    """The chat model of the assistant, as LangChain's `init_chat_model` names it: `openai:gpt-5-mini`."""
    model_url: str | None = None
    """The base URL of an OpenAI-compatible server that has the model."""
    model_key: Secret | None = None
    """The API key of the model. A provider's own variable, such as OPENAI_API_KEY, works too."""
    model_images: bool | None = None
    """The model takes pictures. By default as LangChain knows it of the model, and false for a model at an address."""
    local_llm: bool = False
    """Offer the tiny demonstration model of the extra `local-llm`, which runs on this machine."""
    gguf: Path | None = None
    """A model file (GGUF) to use instead of the tiny model."""

    max_body: Size = 1024 * 1024
    """The largest body of a request."""
    max_batch: Size = 8 * 1024 * 1024
    """The largest ndjson body, which holds many events."""
    max_batch_events: Count = 10_000
    """The most lines of an ndjson body."""
    max_file: Size = 10 * 1024 * 1024
    """The largest file that a room takes."""
    request_timeout: Annotated[float, Field(ge=1, le=3600)] = 20.0
    """The time in which the head of a request must arrive, and over which its body must keep 4 KB a second."""
    max_topics: Annotated[int, Field(ge=1, le=32)] = 32
    """The most topics of one connection. The id of an event has room for 32."""
    max_connections: Count = 20_000
    """The most open event streams of the server, of all its workers together."""
    max_connections_per_subject: Count = 100
    """The most open event streams of one subject, the `sub` of its tokens, on all processes of the store together."""
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
    limit_upload_bytes: Annotated[Bytes, Field(ge=0)] = 2 * 1024**3
    """The bytes of files that one person may upload in a day."""
    limit_kept_bytes: Annotated[Bytes, Field(ge=0)] = 20 * 1024**3
    """The bytes of files that one person may keep in rooms. Deleting messages with files makes room for others."""
    limit_runs_an_hour: Limit = 300
    """The runs that one person may start in an hour."""
    limit_runs: Limit = 20
    """The runs that one person may have under way at a time."""

    webhooks_private: bool = False
    """Let webhooks of alerts go to private addresses, and by http."""

    window_memory: Size = 256 * 1024 * 1024
    """The memory for the recent events of all topics. Beyond it, readers of the topics that were longest silent have
    them read from the store."""
    write_memory: Size = 256 * 1024 * 1024
    """The memory that slow readers of streams, pages and files may keep. Beyond it, the reader that has been slow for
    the longest is disconnected; a stream resumes when its client comes back."""
    keep_alive: Annotated[float, Field(ge=1, le=3600)] = 15.0
    """The silence after which a comment is sent, so that no proxy closes the stream."""
    drain_window: Seconds = 2.0
    """The time over which a server that shuts down ends its streams, so that the clients do not all return at once."""
    grace: Seconds = 3.0
    """The time that runs have to finish when the server shuts down; then they end as `interrupted`."""
    reload_grace: Seconds = 600.0
    """The time that the runs of a worker have to finish when SIGHUP replaces it; then they end as `interrupted`."""
    stream_life: Seconds = 600.0
    """The time after which a stream is closed at the latest, so that its client connects again, perhaps to another
    worker; 0 is no limit."""

    retention_max_age: Annotated[float, Field(gt=0)] | None = None
    """The age at which events are removed from topics without a retention of their own. Default: never."""
    retention_max_events: Count | None = None
    """The events that a topic without a retention of its own keeps. Default: all."""
    retention_max_bytes: Size | None = None
    """The bytes of data that a topic without a retention of its own keeps. Default: all."""

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
        if self.workers is not None and self.store == "memory:":
            raise ValueError(
                "TIDINGS_WORKERS is set, but the store memory: belongs to one process and ends with it. "
                "Workers need a store that processes share, such as sqlite:///tidings.db"
            )
        if self.oidc_issuer is not None:
            self._oidc_agrees()
        if self.model_url is not None and self.model is None:
            raise ValueError("TIDINGS_MODEL_URL is set without TIDINGS_MODEL, the name of a model at that address")
        return self

    def _oidc_agrees(self) -> None:
        if self.secret is None:
            raise ValueError(
                "TIDINGS_OIDC_ISSUER is set without TIDINGS_SECRET, which signs the tokens of the people who sign in. "
                "Make one with `tidings token --new-secret`"
            )
        if self.oidc_client_id is None:
            raise ValueError("TIDINGS_OIDC_ISSUER is set without TIDINGS_OIDC_CLIENT_ID, which the provider assigns")

    @property
    def open(self) -> bool:
        """True without a key: everybody on this machine, which alone reaches the server, may do everything."""
        return self.secret is None and self.public_key is None and self.jwks_url is None

    @classmethod
    def load(cls, **options: Any) -> Self:
        """Return the settings of the environment and of `options`, in which None counts as not given.

        Raises InvalidRequest, with a sentence for every wrong setting.
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
    return f"{variable} is not a setting." + (f" Did you mean {near[0]}?" if near else "")


def _sentence(problem: Any, given: dict[str, Any]) -> str:
    """Return an error of pydantic's as a sentence, which never contains the text of a key."""
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
