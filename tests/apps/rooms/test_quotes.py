"""Quotes are taken out of replies in few commits, and out of what the replies say now."""

from __future__ import annotations

from pathlib import Path

from tests.apps.rooms.processes import TOPIC, WORD, Failing, Process, made, process
from tidings.apps.rooms.quotes import Quotes
from tidings.events import Offset


async def test_many_replies_cost_few_commits_and_the_text_goes_before_their_quotes(tmp_path: Path) -> None:
    replies = 700
    async with process(tmp_path, Failing) as here:
        store = here.hub.log.store
        assert isinstance(store, Failing)
        message = await made(here)
        reply = "message.posted", {"text": "Me too", "reply": str(message)}
        await here.say("Ann", *[reply] * replies)
        before, tail = store.updated[TOPIC], (await here.hub.log.describe(TOPIC)).tail  # type: ignore[union-attr]
        await here.say("Ann", ("message.deleted", {"message": str(message)}))
        spent = store.updated[TOPIC] - before
        assert spent < 40, "4 for the edits, 22 for the redactions, and a few for the message itself"
        assert WORD not in await here.texts()
        redacted = [n for n, _ in await here.hub.log.redacted(TOPIC, await here.hub.log.describe(TOPIC), 0)]  # type: ignore[arg-type]
        assert len(redacted) == replies + 3 + 2
        page = await here.hub.read(TOPIC, Offset(message.epoch, tail))
        edits = [event for event in page.events if event.type == "message.edited"]
        assert len(edits) == replies + 3
        room = (await here.rooms.states.get(TOPIC)).state
        assert not room.unerased
        assert not any(room.replies.values())


async def test_an_edit_that_comes_between_is_kept(tmp_path: Path) -> None:
    async with process(tmp_path) as here:
        message = await made(here)
        reply = await here.say("Bob", ("message.posted", {"text": "Yes", "reply": str(message)}))
        append, late = here.hub.log.append, Process(here.hub)

        async def overtaken(*args: object, **settings: object) -> object:
            here.hub.log.append = append  # type: ignore[method-assign]
            await late.say("Bob", ("message.edited", {"message": str(reply), "text": "Yes, indeed"}))
            return await append(*args, **settings)  # type: ignore[arg-type]

        here.hub.log.append = overtaken  # type: ignore[method-assign, assignment]
        await Quotes(here.hub, here.rooms).take_out(TOPIC, [reply.n, message.n])
        found = await here.rooms.states.get(TOPIC)
        text = await here.rooms.message(found, reply)
        assert text is not None
        assert text.quote
        assert (text.text, text.quote.text) == ("Yes, indeed", "")
