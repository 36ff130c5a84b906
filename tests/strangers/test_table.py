"""The words of the table: each is said of what it means, and of nothing else."""

from __future__ import annotations

import json
import re

import pytest

from tests.strangers.follower import ROOT
from tests.strangers.situations import FIRST, SITUATIONS, THEN, Outcome
from tests.strangers.table import ALL, table, verdict


@pytest.mark.parametrize(
    ("situation", "texts", "ended", "expected"),
    [
        ("kill", ALL, "", "all"),
        ("kill", ALL, "TimeoutError", "all"),
        ("kill", FIRST, "TimeoutError", "raises"),
        ("kill", FIRST, "returned", "stops"),
        ("kill", FIRST, "", "5 lost"),
        ("kill", [*FIRST, *THEN[1:]], "", "1 lost"),
        ("kill", [*FIRST, *FIRST, *THEN], "", "5 doubled"),
        ("kill", [*THEN, *FIRST], "", "out of order"),
        ("kill", [*FIRST, "6 â\x82¬"], "", "garbled"),
        ("close", ALL, "returned", "ends"),
        ("close", ALL, "HTTPError", "raises"),
        ("close", ALL, "", "asks for ever"),
        ("close", FIRST, "", "5 lost"),
        ("close", FIRST, "returned", "stops"),
    ],
)
def test_an_outcome_of_a_situation_gets_its_verdict(
    situation: str, texts: list[str], ended: str, expected: str
) -> None:
    assert verdict(situation, Outcome(texts, ended)) == expected


def test_a_row_has_a_cell_for_each_situation() -> None:
    found = {name: {"a": Outcome(ALL, "returned"), "b": Outcome(FIRST, "Error")} for name in SITUATIONS}
    assert table(found).splitlines() == [
        "| client | live | kill | SIGTERM | close |",
        "| --- | --- | --- | --- | --- |",
        "| a | all | all | all | ends |",
        "| b | raises | raises | raises | raises |",
    ]


NAMES = {"htmx-2": "htmx", "htmx-4": "htmx", "@hotwired/turbo": "Turbo", "@starfederation/datastar": "Datastar"}
"""The names that the pages give to packages, where they are not the packages' own."""

TRIED = {
    "docs/clients/comparison.md": """
        event-source-polyfill reconnecting-eventsource @microsoft/fetch-event-source htmx-2 htmx-4 htmx-ext-sse
        eventsource eventsource-client github.com/r3labs/sse/v2 github.com/tmaxmax/go-sse
        httpx-sse sseclient-py requests-sse aiohttp-sse-client2 launchdarkly-eventsource""",
    "docs/how-to/hypermedia.md": "htmx-2 htmx-4 htmx-ext-sse @hotwired/turbo @starfederation/datastar",
    "docs/clients/resumable-fetch.md": "openai eventsource",
}


def pinned() -> dict[str, str]:
    """Return the version of each package that the tests use: of npm, Go and Python."""
    npm: dict[str, str] = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    go = re.findall(r"^\t(\S+) v(\S+)$", (ROOT / "tests/strangers/go/go.mod").read_text("utf-8"), re.M)
    python = re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements/dev.txt").read_text("utf-8"), re.M)
    return {**dict(go), **dict(python), **{name: version.rpartition("@")[2] for name, version in npm.items()}}


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, names in TRIED.items() for name in names.split()])
def test_a_page_names_the_version_that_is_tried(page: str, name: str) -> None:
    shown = NAMES.get(name, name.removeprefix("github.com/").removesuffix("/v2").removeprefix("@microsoft/"))
    text = (ROOT / page).read_text("utf-8").replace("`", "")
    assert f"{shown} {pinned()[name]}" in " ".join(text.split())
