"""The promises of every store: `class TestX(StoreSuite)` with a `connect` fixture runs all of it over the store X.

`await connect()` opens one more store on the same data, as another process would (a store that lives in one process
answers itself). Nothing here may depend on which store it is.
"""

from __future__ import annotations

import random

import pytest
from msgspec import UNSET

from tests.stores.kit import Clock, items, quiet
from tests.stores.suite_order import OrderSuite
from tests.stores.suite_port import PortSuite
from tests.stores.suite_told import ToldSuite
from tidings.errors import Conflict, NotFound
from tidings.events import ORIGIN, Event, Offset, Page, Retention
from tidings.log.head import Head
from tidings.log.journal import Journal
from tidings.stores.memory import MemoryStore


class RandomSuite:
    @pytest.mark.parametrize("seed", range(4))
    async def test_any_store_answers_as_the_one_in_memory(self, log: Journal, clock: Clock, seed: int) -> None:
        pair = Pair(Journal(MemoryStore(clock=clock, steady=clock), clock=clock), log)
        dice = random.Random(seed)
        for _ in range(80):
            topic, n = dice.choice(["a", "b"]), dice.randrange(1, 5)
            match dice.randrange(12):
                case 0:
                    await pair.both("configure", topic, retention=Retention(max_events=n * 3), ttl=None)
                case 1:
                    await pair.both("trim", topic)
                case 2:
                    await pair.both("close_topic", topic)
                case 3:
                    await pair.both("delete", topic)
                case 4:
                    clock.now += 20
                    await pair.both("sweep")
                case 5:
                    await pair.both("topics")
                case _:
                    key, ttl = dice.choice([None, None, "k1", "k2"]), dice.choice([UNSET, UNSET, UNSET, 50.0])
                    batch = items(*map(str, range(n)))
                    await pair.both("append", topic, batch, key=key, close=dice.random() < 0.05, ttl=ttl)
            await pair.both("describe", topic)
            await pair.both("read", topic, None, n)
            await pair.both("read", topic, dice.choice(pair.offsets), dice.choice([2, 100]))
        assert len(pair.offsets) > 20


class Pair:
    """Two logs that are asked the same and must answer the same, but for their epochs, which they draw.

    `offsets` are pairs, one of each log: every tail that they had.
    """

    def __init__(self, *logs: Journal) -> None:
        self._logs = logs
        self._epochs: tuple[dict[str, int], ...] = ({}, {})
        self.offsets: list[tuple[Offset, ...]] = [(ORIGIN, ORIGIN)]

    async def both(self, what: str, *args: object, **options: object) -> None:
        answers = []
        for index, log in enumerate(self._logs):
            own = [each[index] if type(each) is tuple else each for each in args]
            try:
                answers.append(await getattr(log, what)(*own, **options))
            except (Conflict, NotFound) as error:
                answers.append(type(error))
            await quiet(log)
        told = [plain(answer, epochs) for answer, epochs in zip(answers, self._epochs, strict=True)]
        assert told[0] == told[1]
        if isinstance(answers[0], Page):
            self.offsets.append(tuple(answer.tail for answer in answers))


def plain(value: object, epochs: dict[str, int]) -> object:
    """`value` with its epochs replaced by numbers, in the order in which they were met."""
    if isinstance(value, Offset):
        return epochs.setdefault(value.epoch, len(epochs)), value.n
    if isinstance(value, Event):
        return plain(value.offset, epochs), value.type, value.data, value.time
    if isinstance(value, Head):
        return plain(Offset(value.epoch, value.tail), epochs), value.start, value.closed, value.size, value.retention
    if isinstance(value, list | tuple):
        return [plain(each, epochs) for each in value]
    return value


class StoreSuite(PortSuite, OrderSuite, ToldSuite, RandomSuite):
    """All of it."""
