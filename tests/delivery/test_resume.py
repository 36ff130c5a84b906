from __future__ import annotations

import asyncio

import pytest

from tidings.delivery.resume import Resume


async def told(heard: list[str], waits: list[asyncio.Future[str]]) -> None:
    for waited in waits:
        try:
            heard.append(await waited)
        except ValueError as error:
            heard.append(f"refused: {error}")


async def test_the_rest_of_a_coroutine_gets_what_it_waits_for() -> None:
    heard: list[str] = []
    waits = [asyncio.get_running_loop().create_future() for _ in range(3)]
    coroutine = told(heard, waits)
    first = coroutine.send(None)
    assert first is waits[0]
    assert heard == []
    rest = asyncio.ensure_future(awaited(Resume(coroutine, first)))
    waits[0].set_result("a")
    waits[1].set_exception(ValueError("b"))
    waits[2].set_result("c")
    await rest
    assert heard == ["a", "refused: b", "c"]


async def test_the_rest_of_a_coroutine_is_cancelled_where_it_waits() -> None:
    waits: list[asyncio.Future[str]] = [asyncio.get_running_loop().create_future()]
    coroutine = told([], waits)
    rest = asyncio.ensure_future(awaited(Resume(coroutine, coroutine.send(None))))
    await asyncio.sleep(0)
    rest.cancel()
    with pytest.raises(asyncio.CancelledError):
        await rest
    assert waits[0].cancelled()


async def awaited(rest: Resume) -> None:
    await rest
