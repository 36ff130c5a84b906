"""Assistants in rooms: a message that mentions an assistant asks it, and its answer is posted in the room."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence

from tidings.api import Hub
from tidings.apps.files.service import Attachments
from tidings.apps.notifications.service import EXCERPT, Notifications, shortened
from tidings.errors import Conflict, NotFound, TooManyRequests
from tidings.events import Offset
from tidings.log.rules import Appended
from tidings.runs.assistant import DEFAULT, NamedAssistant
from tidings.runs.run import Run, is_id, topic_of
from tidings.slices import in_slices
from tidings.wire.run_events import BlockFinished, RunFailed, RunFinished, RunStarted, from_event

from . import context, facts, rules
from .facts import AnswerPosted, Fact, MessagePosted, RunCreated
from .notifying import link, place
from .room import Room
from .rooms import PREFIX, Rooms, Stored

log: logging.Logger = logging.getLogger("tidings.rooms")


AT_ONCE = 8
"""Unfinished runs that one room has at most. Each costs a model's time."""

LONGEST = 200_000
"""Characters of an answer that its room keeps. The run keeps all of it."""


_THOUGHT = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
"""The reasoning at the beginning of a text, as models write it whose provider does not tell it apart."""


class Answers:
    """Starts a run for each assistant that a message mentions, and posts the answer when the run has ended.

    A message that is published again with its key starts no second run. The process that ends the run posts the answer:
    the process that made it, or another that found its maker dead. A process that dies in between leaves the run's
    lease, and the process that finds the lease lapsed posts the answer (`Runs.on_end`). The run's key keeps it to once.
    """

    def __init__(
        self, hub: Hub, rooms: Rooms, notifications: Notifications, assistants: Mapping[str, NamedAssistant]
    ) -> None:
        self._hub = hub
        self._rooms = rooms
        self._notifications = notifications
        self._assistants = assistants
        rooms.assistants = [DEFAULT, *assistants] if assistants else []

    async def check(self, room: Room, given: Sequence[Fact], called: int = 0) -> None:
        """Raise TooManyRequests for more runs than a room may have at once. `called`: those that the facts start."""
        called += sum(isinstance(fact, RunCreated) for fact in given)
        # The room may have lost an answer with its trimmed events. The run's own log tells whether the run has ended.
        if called and len(room.runs) + called > AT_ONCE and await self._under_way(room) + called > AT_ONCE:
            raise TooManyRequests(
                f"This room has {AT_ONCE} answers under way, its limit. Wait for one to finish, or stop one."
            )

    async def _under_way(self, room: Room) -> int:
        heads = [await self._hub.log.describe(topic_of(run)) for run in room.runs if is_id(run)]
        return sum(head is not None and not head.closed for head in heads)

    async def calls(self, given: Sequence[Fact]) -> int:
        """Return the number of runs that these facts start, by calling assistants."""
        return sum([len(self._called(fact)) async for fact in in_slices(given)])

    async def ask(self, stored: Stored, begun: Callable[[str], None]) -> None:
        """Start a run for each call of an assistant, and call `begun` with the id of each that is new.

        Raises Unavailable: the publisher then repeats its request.
        """
        async for at, fact in in_slices(stored.facts):
            for assistant in self._called(fact):
                assert isinstance(fact, MessagePosted)
                run = await self._start(stored.topic, at, fact, assistant)
                if run.created:
                    begun(run.id)

    def _called(self, fact: Fact) -> list[NamedAssistant]:
        if not isinstance(fact, MessagePosted):
            return []
        default = next(iter(self._assistants), "")
        names = dict.fromkeys(default if name == DEFAULT else name for name in fact.asks or ())
        return [self._assistants[name] for name in names if name in self._assistants]

    async def _start(self, topic: str, at: Offset, asked: MessagePosted, assistant: NamedAssistant) -> Run:
        question = context.question_of(asked.words, [DEFAULT, *self._assistants])
        page = await self._hub.log.read_before(topic, at._replace(n=at.n - 1), context.EVENTS)
        messages = context.conversation(page.events, asked, question)
        given = await Attachments(self._rooms.files).give(topic, messages, assistant.files)
        # The question is not copied into the events of the run: with its message, its text is gone for good.
        return await self._hub.runs.start(
            *await assistant.ask(given),
            announce=topic,
            key=f"{topic}.{at}.{assistant.name}",
            about={
                "assistant": assistant.name,
                "model": assistant.model,
                "by": asked.by,
                "asked": at,
            },
        )

    async def post(self, run: str) -> None:
        """Post the answer of a run that has ended, if a room was told of the run, and notify its asker. Idempotent."""
        try:
            started, answer = await self._answer(run)
            topic = started.topic or ""
            head = await self._hub.log.describe(topic) if topic.startswith(PREFIX) else None
            if head is None:
                return
            if run not in (await self._rooms.states.get(topic)).state.runs:
                # The process that started the run died before it announced the run in the room.
                await self._append(topic, _created(started), f"run.{run}", head.epoch)
            done = await self._append(topic, answer, f"answer.{run}", head.epoch)
        except (NotFound, Conflict) as error:
            log.debug("the answer of run %s is not posted: %s", run, error)
            return
        await self._notify(topic, done.last, started, answer)

    async def _append(self, topic: str, fact: Fact, key: str, epoch: str) -> Appended:
        return await self._hub.log.append(topic, [facts.written(fact)], key=key, expected=epoch)

    async def _answer(self, run: str) -> tuple[RunStarted, AnswerPosted]:
        """Read the run's beginning, and the answer to post. Raises NotFound."""
        started, outcome = RunStarted(run=run, turn=run, assistant="", attempt=1), "interrupted"
        texts: list[str] = []
        # The first event tells whether to read the rest: most runs belong to no room.
        after: Offset | str = "earliest"
        limit = 1
        while True:
            page = await self._hub.read(f"runs.{run}", after, limit)
            for event in map(from_event, page.events):
                match event:
                    case RunStarted(topic=topic) if topic is None or not topic.startswith(PREFIX):
                        raise NotFound("The run belongs to no room.")
                    case RunStarted():
                        started = event
                    case BlockFinished(kind="text", content=str()) if text := _THOUGHT.sub("", event.content).strip():
                        texts.append(text)
                    case RunFinished():
                        outcome = event.outcome
                    case RunFailed():
                        outcome = "failed"
            if page.up_to_date:
                break
            after, limit = page.next, 1000
        return started, AnswerPosted(
            run=run,
            assistant=started.assistant,
            text="\n\n".join(texts)[:LONGEST],
            outcome=outcome,
            asked=started.asked,
        )

    async def _notify(self, topic: str, at: Offset, started: RunStarted, answer: AnswerPosted) -> None:
        room = (await self._rooms.states.get(topic, fresh=False)).state
        if started.by is None or not rules.may_read(room, started.by):
            return
        known = self._assistants.get(started.assistant)
        title = known.title if known else started.assistant or "Assistant"
        verb = "answered you" if answer.outcome == "success" else "could not finish its answer"
        await self._notifications.notify(
            started.by,
            "answer",
            f"{title} {verb} in {place(room)}",
            text=shortened(answer.text, EXCERPT),
            link=link(topic, at),
            topic=topic,
            event=at,
            by=title,
            key=f"{topic}.{at}",
        )
        if (await self._rooms.states.get(topic)).state.lacks(at.n):
            # The answer was deleted while its asker was notified.
            await self._notifications.withdraw(started.by, topic, at)


def _created(started: RunStarted) -> RunCreated:
    return RunCreated(
        by=started.by,
        run=started.run,
        assistant=started.assistant,
        parent=started.parent,
        asked=started.asked,
    )
