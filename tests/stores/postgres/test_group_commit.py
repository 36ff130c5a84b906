"""Group commit."""

from __future__ import annotations

import asyncio

import pytest

from tests.stores.kit import put
from tests.stores.postgres.conftest import Open
from tidings.errors import Unavailable
from tidings.log.head import Known
from tidings.stores.postgres.writer import Group, Writer


async def test_many_topics_share_a_statement(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    write = Writer.write

    async def counted(self: Writer, connection: object, group: Group) -> Group:
        sizes.append(len(group))
        return await write(self, connection, group)

    monkeypatch.setattr(Writer, "write", counted)
    store = await opened()
    await asyncio.gather(*(store.update(f"t{n}", (), put()) for n in range(64)))
    assert sizes == [64]
    await asyncio.gather(*(store.update(f"t{n % 64}", (), put()) for n in range(640)))
    assert sizes == [64, 64]


async def test_a_cancelled_caller_hurts_nobody(opened: Open) -> None:
    store = await opened()
    updates = [asyncio.ensure_future(store.update("a", (), put())) for _ in range(4)]
    await asyncio.sleep(0)
    updates[1].cancel()
    updates[3].cancel()
    tails = [answer.head.tail for answer in await asyncio.gather(*updates, return_exceptions=True)
             if isinstance(answer, Known) and answer.head]  # fmt: skip
    assert len(tails) == 2
    known = await store.update("a", (), lambda known: None)
    assert known.head is not None
    assert known.head.tail == 4


async def test_a_broken_writer_fails_its_group_alone(
    opened: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(self: Writer, connection: object, group: Group) -> Group:
        raise ZeroDivisionError

    store = await opened()
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", broken)
        with pytest.raises(Unavailable):
            await store.update("a", (), put())
    assert "ZeroDivisionError" in caplog.text
    await store.update("a", (), put())
