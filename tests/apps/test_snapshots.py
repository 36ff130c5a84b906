"""Snapshots: several events, of which the last describes the others."""

from __future__ import annotations

import pytest

from tidings import Hub
from tidings.apps import snapshots
from tidings.apps.snapshots import Snapshot, read, write
from tidings.errors import Conflict, NotFound


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "PART", 2)
    monkeypatch.setattr(snapshots, "PARTS", 3)


@pytest.mark.usefixtures("small")
async def test_the_last_snapshot_is_read(hub: Hub) -> None:
    with pytest.raises(NotFound):
        await read(hub, "t")
    for text in ("0123456789", "abc", "ABCDEFGHI", ""):
        await write(hub, "t", Snapshot(1, "e-5", 0, 7), text)
        found, read_text = await read(hub, "t")
        assert read_text == text
        assert (found.offset, found.redactions) == ("e-5", 7)


async def test_large_parts_are_read_in_several_pages(hub: Hub) -> None:
    text = "\u20ac" * (5 * snapshots.PART + 1)
    await write(hub, "t", Snapshot(1, "e-5", 0), text)
    assert (await read(hub, "t"))[1] == text


@pytest.mark.usefixtures("small")
async def test_a_snapshot_into_which_another_came_is_not_whole(hub: Hub) -> None:
    append = hub.log.append

    async def disturbed(topic: str, *args: object, **options: object) -> object:
        done = await append(topic, *args, **options)  # type: ignore[arg-type]
        await append(topic, [("snapshot.part", "other")])
        return done

    hub.log.append = disturbed  # type: ignore[method-assign, assignment]
    with pytest.raises(Conflict):
        await write(hub, "t", Snapshot(1, "e-5", 0), "0123456789")
