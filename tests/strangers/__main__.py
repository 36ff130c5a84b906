"""`python -m tests.strangers [SITUATION …]`: try the real clients, and print the table that the page shows."""

from __future__ import annotations

import asyncio
import sys

from .clients import all_clients
from .situations import SITUATIONS, Outcome
from .table import table, verdict


async def main(wanted: list[str]) -> None:
    found: dict[str, dict[str, Outcome]] = {}
    async with all_clients() as clients:
        for name in wanted or SITUATIONS:
            found[name] = await SITUATIONS[name](clients)
            for client, outcome in found[name].items():
                print(f"{name}: {client}: {verdict(name, outcome)} {outcome}", file=sys.stderr)
    if not wanted:
        print(table(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
