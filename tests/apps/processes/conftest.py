"""A program that publishes to processes and reads them."""

from __future__ import annotations

import pytest

from tests.apps.processes.miner import Miner
from tests.http.conftest import Server


@pytest.fixture
def miner(server: Server, id: str) -> Miner:
    return Miner(server, id)
