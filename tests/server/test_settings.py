"""Settings, and what is said of wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tidings.errors import InvalidRequest
from tidings.server.settings import Settings

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TIDINGS_"):
            monkeypatch.delenv(name)


def wrong(**options: object) -> str:
    with pytest.raises(InvalidRequest) as caught:
        Settings.load(**options)
    return str(caught.value)


def test_the_defaults_serve_this_machine() -> None:
    settings = Settings.load()
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8000, "sqlite:///tidings.db")
    assert settings.open
    assert settings.max_body == 1024 * 1024
    assert settings.max_batch == 8 * 1024 * 1024


def test_sizes_are_plain_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error tells a client its limit, and only a plain number can be written as JSON."""
    monkeypatch.setenv("TIDINGS_LIMIT_UPLOAD_BYTES", "3 MiB")
    settings = Settings.load(max_file="2 MiB", max_batch=5000)
    assert (settings.limit_upload_bytes, settings.max_file, settings.max_batch) == (3 << 20, 2 << 20, 5000)
    numbers = [value for _, value in settings if isinstance(value, int)]
    assert {type(value) for value in numbers} == {int, bool}


def test_options_win_over_the_environment_and_none_is_no_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "9000")
    monkeypatch.setenv("TIDINGS_HOST", "localhost")
    assert Settings.load(port=7000, host=None).port == 7000
    assert Settings.load(port=None).port == 9000
    assert Settings.load().host == "localhost"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "")
    assert Settings.load().port == 8000


def test_lists_and_sizes_are_written_as_people_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_CORS_ORIGINS", "https://App.example, http://localhost:5173")
    monkeypatch.setenv("TIDINGS_MAX_BATCH", "16 MiB")
    settings = Settings.load()
    assert settings.cors_origins == ("https://app.example", "http://localhost:5173")
    assert settings.max_batch == 16 * 1024 * 1024


def test_a_provider_needs_what_signs_the_tokens_and_what_it_knows_us_as() -> None:
    said = wrong(oidc_issuer="https://id.example", oidc_client_id="tidings")
    assert "TIDINGS_SECRET" in said
    assert "tidings token --new-secret" in said
    said = wrong(oidc_issuer="https://id.example", oidc_client_id="tidings", jwks_url="https://id.example/keys")
    assert "TIDINGS_SECRET" in said
    assert "TIDINGS_OIDC_CLIENT_ID" in wrong(oidc_issuer="https://id.example", secret=SECRET)
    assert Settings.load(oidc_issuer="https://id.example", oidc_client_id="tidings", secret=SECRET).oidc_title is None


def test_a_provider_is_spoken_to_over_https() -> None:
    from tidings.server.app import create_app

    settings = Settings.load(oidc_issuer="http://id.example", oidc_client_id="tidings", secret=SECRET, store="memory:")
    with pytest.raises(InvalidRequest, match="https"):
        create_app(settings)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.5.5.5"])
def test_loopback_needs_no_key(host: str) -> None:
    assert Settings.load(host=host).open


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "app.example"])
def test_another_address_needs_a_key_and_is_told_how_to_make_one(host: str) -> None:
    assert f"will not listen on {host} without a key" in wrong(host=host)
    assert "tidings token --new-secret" in wrong(host=host)
    assert not Settings.load(host=host, secret=SECRET).open
    assert not Settings.load(host=host, jwks_url="https://id.example/keys").open


def test_a_key_can_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    monkeypatch.setenv("TIDINGS_SECRET", f"@{tmp_path}/secret")
    settings = Settings.load()
    assert settings.secret is not None
    assert settings.secret.get_secret_value() == SECRET
    monkeypatch.setenv("TIDINGS_SECRET", f"@{tmp_path}/none")
    assert wrong() == "TIDINGS_SECRET: the file does not exist, or is not text."


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_SECRET", "hunter2")
    assert "hunter2" not in wrong()
    monkeypatch.setenv("TIDINGS_SECRET", SECRET)
    monkeypatch.setenv("TIDINGS_MODEL_KEY", "sk-hunter2")
    assert SECRET not in repr(Settings.load())
    assert "hunter2" not in repr(Settings.load())


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PORT", "abc", "TIDINGS_PORT is 'abc', but should be a valid integer"),
        ("PORT", "65536", "less than or equal to 65535"),
        ("MAX_TOPICS", "33", "less than or equal to 32"),
        ("MAX_BODY", "lots", "TIDINGS_MAX_BODY is 'lots'"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("ALGORITHMS", "none", "'HS256', 'RS256', 'ES256' or 'EdDSA'"),
        ("CORS_ORIGINS", "*", "without a path or a star"),
        ("CORS_ORIGINS", "https://app.example/", "without a path or a star"),
        ("CORS_ORIGINS", "app.example", "an origin is like"),
        ("DRAIN_WINDOW", "inf", "finite"),
        ("GRACE", "-1", "greater than or equal to 0"),
        ("SECRET", "short", "shorter than 32 bytes"),
        ("MODEL_URL", "http://localhost:9/v1", "without TIDINGS_MODEL"),
        ("STROE", "memory:", "TIDINGS_STROE is not a setting. Did you mean TIDINGS_STORE?"),
    ],
)
def test_a_wrong_variable_is_explained(
    variable: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TIDINGS_{variable}", value)
    assert sentence in wrong()


def test_everything_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_PORT", "abc")
    assert wrong(log_level="loud").count("\n") == 1
    assert "--log-level is 'loud'" in wrong(log_level="loud")


def test_two_kinds_of_key_are_refused() -> None:
    assert "choose one of them" in wrong(secret=SECRET, jwks_url="https://id.example/keys")


def test_the_clients_variables_are_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDINGS_URL", "http://localhost:9")
    monkeypatch.setenv("TIDINGS_TOKEN", "x")
    Settings.load()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_workers_need_a_store_that_processes_share() -> None:
    assert Settings.load(workers=2).workers == 2
    assert Settings.load().workers is None
    for count in (1, 2):
        assert wrong(workers=count, store="memory:").startswith(
            "TIDINGS_WORKERS is set, but the store memory: belongs to one process and ends with it."
        )
    assert wrong(workers=0).startswith("--workers is 0, but")
