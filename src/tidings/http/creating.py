"""Counting the topics that people create: one is taken from the person's amount before, and given back if none came."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial

from tidings.access.limits import Limits
from tidings.access.subject import Subject
from tidings.delivery.hub import Hub
from tidings.errors import TooManyRequests


@asynccontextmanager
async def creating(hub: Hub, limits: Limits, subject: Subject, topic: str) -> AsyncGenerator[Callable[[], None], None]:
    """Count a topic among those that the subject creates, if the block calls the function that this yields.

    The topic counts while the block runs, once for all requests of the person that may create it: of many requests at
    once, no more get through than the limit allows. Raises TooManyRequests before the block, unless the topic exists.
    """
    this = subject.name or "", topic
    if this in limits.creating:
        yield partial(limits.count, subject, "topics")
        return
    with ExitStack() as amount:
        try:
            created = partial(amount.enter_context(limits.up_to(subject, "topics", 1)), 1)
            limits.creating.add(this)
            amount.callback(limits.creating.discard, this)
        except TooManyRequests:
            # Only now is it worth a look whether the topic exists.
            if await hub.log.describe(topic) is None:
                raise
            created = partial(limits.count, subject, "topics")
        yield created
