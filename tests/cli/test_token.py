"""`tidings token`: new secrets, and tokens as servers take them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest

from tests.cli.command import SECRET, tidings
from tests.serving import ServerProcess
from tidings.access.tokens import Authenticator


def test_a_new_secret_is_long_and_new() -> None:
    first, second = (tidings("token", "--new-secret").stdout.strip() for _ in range(2))
    assert re.fullmatch(r"[\w-]{43}", first)
    assert first != second


def test_a_token_says_what_it_was_told() -> None:
    done = tidings(
        "token", "ann", "--publish", "rooms.*", "--subscribe", "a", "--subscribe", "b.*", TIDINGS_SECRET=SECRET
    )
    subject = asyncio.run(Authenticator(secret=SECRET).verify(done.stdout.strip()))
    assert (subject.name, subject.publish.texts, subject.subscribe.texts) == ("ann", ("rooms.*",), ("a", "b.*"))


def test_a_person_s_token_names_the_topics_of_people() -> None:
    done = tidings(
        "token", "Mara Lindqvist", "--person", "--publish", "a", TIDINGS_SECRET=SECRET, TIDINGS_AUDIENCE="us"
    )
    subject = asyncio.run(Authenticator(secret=SECRET, audience="us").verify(done.stdout.strip()))
    assert (subject.name, subject.limits) == ("Mara Lindqvist", "person")
    assert subject.may_publish("a")
    for topic in ("rooms.a", "users.Mara_20Lindqvist", "users.Mara_20Lindqvist.conversations", "runs.new", "presence"):
        assert subject.may_publish(topic)
        assert subject.may_subscribe(topic)
    for topic in ("users.Mara", "users.Mara_20Lindqvist2", "names.mara", "accounts.1", "snapshots.rooms.a"):
        assert not subject.may_publish(topic)
        assert not subject.may_subscribe(topic)


def test_a_token_opens_a_server_that_asks(serve_process: Callable[..., ServerProcess]) -> None:
    server = serve_process(env={"TIDINGS_SECRET": SECRET})
    token = tidings("token", "ann", "--publish", "a", "--subscribe", "a", TIDINGS_SECRET=SECRET).stdout.strip()
    assert tidings("publish", "a", "x", to=server.url, TIDINGS_TOKEN=token).returncode == 0
    for more in ({}, {"TIDINGS_TOKEN": "rubbish"}):
        done = tidings("publish", "a", "x", to=server.url, **more)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert ("--token or TIDINGS_TOKEN" in done.stderr) == (not more)
    for args in (["read", "a"], ["read", "a", "-f"], ["topics"], ["publish", "a", "--lines"]):
        assert "--token or TIDINGS_TOKEN" in tidings(*args, to=server.url, input="x\n").stderr
    done = tidings("publish", "b", "x", to=server.url, TIDINGS_TOKEN=token)
    assert done.returncode == 1
    assert "does not allow" in done.stderr


@pytest.mark.parametrize(
    ("args", "secret", "sentence"),
    [
        (["ann"], "", "There is no secret to sign with"),
        (["ann"], "short", "shorter than 32 bytes"),
        ([], SECRET, "the person or program that the token is for"),
        (["ann", "--publish", "rooms*"], SECRET, "no topic pattern"),
        ([" ann", "--person"], SECRET, "a space"),
        (["ann", "--expires", "soon"], SECRET, "is not a length of time"),
    ],
)
def test_a_token_that_cannot_be_is_explained(args: list[str], secret: str, sentence: str) -> None:
    done = tidings("token", *args, TIDINGS_SECRET=secret)
    assert done.returncode == 2
    assert sentence in done.stderr
