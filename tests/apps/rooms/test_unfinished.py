"""Erasures that broke off at any step are finished by the next process, and cost no more than what changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.apps.rooms.processes import TOPIC, WORD, Failing, made, process
from tidings.apps.notifications.service import Notifications
from tidings.apps.rooms import erasing
from tidings.errors import Conflict, Unavailable


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "SOON", 0.01)


@pytest.mark.parametrize("kind", ["message.deleted", "message.edited"])
async def test_the_next_process_finishes_what_broke_off_at_any_step(tmp_path: Path, kind: str) -> None:
    steps, broke = 0, True
    while broke:
        steps += 1
        folder = tmp_path / str(steps)
        folder.mkdir()
        async with process(folder, Failing) as here:
            store = here.hub.log.store
            assert isinstance(store, Failing)
            message = await made(here)
            data: dict[str, object] = {"message": str(message)}
            change = kind, data | ({"text": "@Bob a pike"} if kind == "message.edited" else {})
            store.last = store.updates + steps
            broke = False
            try:
                await here.say("Ann", change)
            except Unavailable:
                broke = True
        async with process(folder) as here:
            here.eraser.open()
            await here.until_erased()
            texts = await here.texts()
            assert WORD not in texts, f"before step {steps}"
            assert all(f"Reply {n}" in texts for n in range(3))
            inbox, _ = await Notifications(here.hub).inbox("Bob")
            mentions = [item.text for item in inbox.items if item.kind == "mention"]
            assert mentions == (["@Bob a pike\nnotes.txt"] if kind == "message.edited" else [])
            if kind == "message.deleted":
                deletion = next(e.offset for e in (await here.hub.read(TOPIC)).events if e.type == kind)
                assert await here.say("Ann", change) == deletion, "deleting again is answered as the first time"
                with pytest.raises(Conflict):
                    await here.say("Bob", change)
    assert steps > 4


async def test_a_process_tries_again_what_its_store_has_refused(tmp_path: Path) -> None:
    async with process(tmp_path, Failing) as here:
        store = here.hub.log.store
        assert isinstance(store, Failing)
        message = await made(here)
        store.last = store.updates + 1
        with pytest.raises(Unavailable):
            await here.say("Ann", ("message.deleted", {"message": str(message)}))
        assert WORD in await here.texts()
        store.last = None
        await here.until_erased()
        assert WORD not in await here.texts()


async def test_an_edit_reads_and_redacts_what_changed_and_not_what_was_edited_before(tmp_path: Path) -> None:
    edits = 30
    async with process(tmp_path, Failing) as here:
        store = here.hub.log.store
        assert isinstance(store, Failing)
        message = await made(here)
        costs = []
        reads = 0
        read = here.hub.read

        async def counted(topic: str, *args: object) -> object:
            nonlocal reads
            reads += topic == TOPIC
            return await read(topic, *args)  # type: ignore[arg-type]

        here.hub.read = counted  # type: ignore[method-assign, assignment]
        for n in range(edits):
            before = store.updated[TOPIC], reads
            await here.say("Ann", ("message.edited", {"message": str(message), "text": f"Edit {n}"}))
            costs.append((store.updated[TOPIC] - before[0], reads - before[1]))
            await here.until_erased()
        # A look at the log beside it may fall into an edit or not.
        few = edits // 3
        assert max(changes for changes, _ in costs[-3:]) <= costs[1][0] + 2
        assert max(looks for _, looks in costs[-3:]) <= costs[1][1] + few
        room = (await here.rooms.states.get(TOPIC)).state
        assert (len(room.edited), len(room.edits), room.stale) == (4, 4, set()), "the message and three replies"
