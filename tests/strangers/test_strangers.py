"""Clients that we did not write, unmodified, over a live server, a kill, a deploy and the end of a topic.

The page docs/clients/comparison.md shows the table that `python -m tests.strangers` prints, cell by cell.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping

import pytest

from tests.strangers.clients import all_clients
from tests.strangers.follower import ROOT
from tests.strangers.situations import SITUATIONS, Outcome
from tests.strangers.table import table, verdict

PAGE = (ROOT / "docs" / "clients" / "comparison.md").read_text("utf-8")
BEGINNING = f"| client | {' | '.join(SITUATIONS)} |"
ROWS = PAGE.partition(f"{BEGINNING}\n")[2].partition("\n\n")[0].splitlines()[1:]
CELLS = {name.strip(): [cell.strip() for cell in cells] for _, name, *cells, _ in (row.split("|") for row in ROWS)}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    *[
        pytest.mark.skipif(shutil.which(program) is None, reason=f"no {program} (Debian: apt-get install {package})")
        for program, package in [("chromium", "chromium"), ("node", "nodejs"), ("go", "golang-go")]
    ],
]


@pytest.fixture(scope="module")
def found() -> Mapping[str, Mapping[str, Outcome]]:
    """The outcomes of each situation by client. All clients are in a situation at once."""

    async def follow() -> dict[str, dict[str, Outcome]]:
        async with all_clients() as clients:
            return {name: await situation(clients) for name, situation in SITUATIONS.items()}

    return asyncio.run(follow())


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("client", CELLS)
def test_the_page_says_what_a_client_does(
    found: Mapping[str, Mapping[str, Outcome]], client: str, situation: str
) -> None:
    outcome = found[situation][client]
    assert verdict(situation, outcome) == CELLS[client][list(SITUATIONS).index(situation)], outcome


def test_the_page_shows_the_table_that_the_script_prints(found: Mapping[str, Mapping[str, Outcome]]) -> None:
    printed = table(found)
    assert f"\n\n{printed}\n\n" in PAGE, f"the table is now:\n\n{printed}"
