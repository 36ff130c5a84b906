"""A server with a key, one for each module, people of it, and a room's id that no other test has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.apps.members import SECRET, Member
from tests.http.conftest import Server, serving


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[Server]:
    async with serving(secret=SECRET) as made:
        yield made


@pytest.fixture
def id(request: pytest.FixtureRequest) -> str:
    return "".join(c if c.isalnum() else "-" for c in request.node.name)[:60]


@pytest.fixture
def ann(server: Server) -> Member:
    return Member(server, "Ann")


@pytest.fixture
def bob(server: Server) -> Member:
    return Member(server, "Bob")


@pytest.fixture
def mara(server: Server) -> Member:
    return Member(server, "Mara Lindqvist")


@pytest.fixture
def tom(server: Server) -> Member:
    return Member(server, "Tom")
