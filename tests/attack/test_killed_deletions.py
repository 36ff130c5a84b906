"""Attacks on deletion: the server is killed between the deletion of a message and the erasure of its text."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.apps.members import SECRET
from tests.attack.test_redacted_messages import EVENTS, TOPIC, WORD, ask, den, say, seen, stop
from tests.serving import PATIENCE, ServerProcess
from tidings import Hub
from tidings.apps.rooms.rules import UNERASED

STEPS = {
    "the text": 4,
    "the events of the replies": 6,
}
"""The step before which the server is killed, by what is not erased yet."""


class KilledServer(ServerProcess):
    """The server with a seam: see killed.py. It has the seam at its first start only."""

    step = 0

    def command(self) -> list[str]:
        words = super().command()
        return [sys.executable, "-m", "tests.attack.killed", str(self.step), *words[3:]] if self.step else words


async def erased(store: str) -> None:
    """Wait until the log has nothing to erase. Nobody reads the room meanwhile."""
    async with Hub(store) as hub:
        async with asyncio.timeout(PATIENCE):
            while await hub.log.heads(TOPIC, labels=[UNERASED]):  # noqa: ASYNC110 - nothing tells of a label
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("left", STEPS)
async def test_a_deleted_message_is_gone_though_the_server_was_killed(tmp_path: Path, left: str) -> None:
    store = f"sqlite:///{tmp_path}/tidings.db"
    KilledServer.step = STEPS[left]
    server = KilledServer(store, env={"TIDINGS_SECRET": SECRET})
    with server:
        await den(server)
        file = (await ask(server, "Ann", f"/rooms/den/files?name={WORD}.txt", "POST", WORD)).json()["id"]
        message = await say(server, "Ann", "message.posted", text=f"@Bob a {WORD}", files=[file])
        await say(server, "Bob", "message.posted", text="I see", reply=message)
        deletion = f"{EVENTS}?type=message.deleted", "POST", {"message": message}
        with pytest.raises((OSError, EOFError)):
            await ask(server, "Ann", *deletion)
        server.kill()
        KilledServer.step = 0
        await asyncio.to_thread(server.start)
        if left == "the text":
            # The author, who was not answered, deletes the message again.
            again = await ask(server, "Ann", *deletion)
            assert again.status == 200, again.body
            assert await seen((server,)) == []
            assert (await ask(server, "Bob", *deletion)).status == 409
        await erased(store)
        assert await seen((server,)) == []
        assert (await ask(server, "Bob", f"/rooms/den/files/{file}")).status == 404
        events = (await ask(server, "Bob", EVENTS)).json()["events"]
        assert [event["type"] for event in events].count("message.deleted") == 1
        edits = [event["data"] for event in events if event["type"] == "message.edited"]
        assert [(edit["text"], edit["quote"]) for edit in edits] == [("I see", {"by": "Ann", "text": ""})]
        assert WORD.encode() not in await stop((server,), tmp_path)
