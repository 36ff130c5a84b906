"""Credentials: no error and no log line shows the user, the password, the host or a file of a store's URL."""

from __future__ import annotations

import logging
import traceback
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.command import tidings as command
from tidings.errors import TidingsError
from tidings.server.settings import Settings
from tidings.stores import database_of, open_store
from tidings.stores.postgres import store as module

WORDS = ("user-of-ours", "secret word", "host-of-ours.invalid", "base-of-ours", "/folder-of-ours/ca.pem")
USER, PASSWORD, HOST, BASE, FILE = (quote(word, safe="") for word in WORDS)

PARTS = st.tuples(
    st.sampled_from(["postgresql://", "postgres://", "postgresql:/", "postgresql:", "postgresql+asyncpg://"]),
    st.sampled_from([f"{USER}:{PASSWORD}@", f"{USER}@", f":{PASSWORD}@", f"{USER}:{PASSWORD}", ""]),
    st.sampled_from([HOST, f"[{HOST}", f"{HOST}:x", f"{HOST}:70000", "127.0.0.1:1", ""]),
    st.sampled_from([f"/{BASE}", f"/{BASE}#{PASSWORD}", f"/{BASE}/{PASSWORD}", ""]),
    st.lists(
        st.sampled_from(
            [
                *(f"password={PASSWORD}", f"user={USER}", f"passfile={FILE}", f"sslrootcert={FILE}"),
                *(f"sslpassword={PASSWORD}", "sslmode=verify-full", "sslmode=other", "pool=0", f"listen={HOST}"),
                *(f"listen={HOST}:1", f"{PASSWORD}=1", f"dbname={BASE}", f"host={HOST}", "port=x", PASSWORD),
            ]
        ),
        max_size=3,
    ).map(lambda options: "?" + "&".join(options) if options else ""),
)  # fmt: skip


def shown(text: str) -> list[str]:
    """Return the words of the URL that a text shows, plain or quoted."""
    return [word for word in WORDS if word in text or quote(word, safe="") in text]


@given(PARTS.map("".join))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_an_error_shows_nothing_of_the_url(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(module, "WAITING", 0.0)
    caplog.clear()
    caplog.set_level(logging.DEBUG)
    for attempt in (open_store, database_of):
        try:
            store = attempt(url)
            if attempt is open_store:
                assert shown(repr(store)) == []
                if "@127.0.0.1:1" in url and HOST not in url:  # nothing listens there, which is known at once
                    await store.open()  # type: ignore[union-attr]
                    raise AssertionError("there is no such engine")
        except TidingsError as error:
            trace = "".join(traceback.format_exception(error))
            assert shown(f"{error} {error!r} {error.problem()} {trace}") == []  # noqa: PT017
    assert shown(caplog.text) == []
    try:
        assert shown(repr(Settings.load(store=url))) == []
    except TidingsError as error:
        assert shown(str(error)) == []  # noqa: PT017


@pytest.mark.parametrize(
    "words", [("serve", "--port", "0", "--store"), ("backup", "x.db", "--store"), ("move", "sqlite:///x.db")]
)
def test_a_command_shows_nothing_of_the_url(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 0.0)
    done = command(*words, f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/{BASE}?passfile={FILE}")
    assert done.returncode in (1, 2)
    assert shown(done.stdout + done.stderr) == []
    assert done.stderr.count("\n") <= 2
