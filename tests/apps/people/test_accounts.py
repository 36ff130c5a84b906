"""The names of a provider's accounts: given once, kept, and never two accounts' at a time."""

from __future__ import annotations

import asyncio

import pytest

from tidings import Hub
from tidings.apps.people.accounts import name_of
from tidings.errors import Conflict

ISSUER = "https://id.example"


async def test_an_account_keeps_the_name_that_it_got_first(hub: Hub) -> None:
    assert await name_of(hub, ISSUER, "1", ["Mara", "mara"]) == "Mara"
    assert await name_of(hub, ISSUER, "1", ["Changed there"]) == "Mara"
    assert await name_of(hub, ISSUER, "1", []) == "Mara"


async def test_another_account_gets_the_next_name_that_is_free(hub: Hub) -> None:
    assert await name_of(hub, ISSUER, "1", ["Mara"]) == "Mara"
    assert await name_of(hub, ISSUER, "2", ["Mara", "Mara L"]) == "Mara L"
    assert await name_of(hub, "https://other.example", "1", ["Mara", "Mara O"]) == "Mara O"


@pytest.mark.parametrize("alike", ["MARA", "mara", "Ｍａｒａ"])
async def test_names_that_differ_by_case_or_by_form_are_one(hub: Hub, alike: str) -> None:
    await name_of(hub, ISSUER, "1", ["Mara"])
    with pytest.raises(Conflict, match="valid and free"):
        await name_of(hub, ISSUER, "2", [alike])


async def test_a_text_that_is_no_name_is_passed_over(hub: Hub) -> None:
    assert await name_of(hub, ISSUER, "1", ["", "a\nb", "x" * 61, "Mara"]) == "Mara"
    with pytest.raises(Conflict):
        await name_of(hub, ISSUER, "2", ["", "a\nb"])


async def test_two_processes_that_name_an_account_at_once_agree(hub: Hub) -> None:
    names = await asyncio.gather(*(name_of(hub, ISSUER, "1", [f"Mara {n}"]) for n in range(5)))
    assert len(set(names)) == 1


async def test_a_name_wanted_by_two_accounts_goes_to_the_first(hub: Hub) -> None:
    wanted = [["Mara", f"Mara {n}"] for n in range(5)]
    names = await asyncio.gather(*(name_of(hub, ISSUER, str(n), wanted[n]) for n in range(5)))
    assert len(set(names)) == 5
    assert "Mara" in names
