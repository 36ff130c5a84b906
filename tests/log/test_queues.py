"""The queues of changes: their order, what they merge, and their bounds."""

from __future__ import annotations

import asyncio

import pytest

from tidings.errors import OutcomeUnknown, Unavailable
from tidings.log import queues, uncertain
from tidings.log.commit import Commit, Job
from tidings.log.head import Change, Known
from tidings.log.port import Plan
from tidings.log.queues import Queues
from tidings.log.rules import Append
from tidings.stores.memory import MemoryStore


class Slow(MemoryStore):
    """A store that makes a change when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[str, Plan, asyncio.Future[Known]]] = []

    def update(self, topic: str, keys: object, plan: Plan) -> asyncio.Future[Known]:
        answer: asyncio.Future[Known] = asyncio.get_running_loop().create_future()
        self.waiting.append((topic, plan, answer))
        return answer

    def go_on(self) -> None:
        """Make the first change that waits."""
        topic, plan, answer = self.waiting.pop(0)
        answer.set_result(super().update(topic, (), plan).result())


class Made:
    """A store and the queues over it, and what they have announced."""

    def __init__(self) -> None:
        self.store = Slow()
        self.commits: list[Commit] = []
        self.queues = Queues(self.store, lambda: 1.0, self.commits.append)

    def append(self, topic: str, data: str) -> asyncio.Future[object]:
        job = Job(Append([("m", data)]), None, len(data))
        return asyncio.ensure_future(self.queues.submit(topic, job))


@pytest.fixture
async def made() -> Made:
    return Made()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_appends_that_wait_are_one_change(made: Made) -> None:
    answers = [made.append("a", str(n)) for n in range(5)]
    assert len(made.store.waiting) == 1
    made.store.go_on()
    await settle()
    assert [answer.done() for answer in answers] == [True, False, False, False, False]
    made.store.go_on()
    await settle()
    assert all(answer.done() for answer in answers)
    assert [len(commit.jobs) for commit in made.commits] == [1, 4]
    assert made.commits[0].id != made.commits[1].id


async def test_another_plan_goes_alone_and_in_its_turn(made: Made) -> None:
    order: list[str] = []

    def plan(known: Known) -> Change | None:
        order.append(f"plan after {known.head.tail if known.head else None}")
        return None

    made.append("a", "1")
    made.append("a", "2")
    other = asyncio.ensure_future(made.queues.submit("a", Job(None, plan, 0)))
    made.append("a", "3")
    for _ in range(4):
        made.store.go_on()
        await settle()
    assert order == ["plan after 2"]
    assert other.done()
    assert [len(commit.jobs) for commit in made.commits] == [1, 1, 1]  # a plan that changes nothing announces nothing


@pytest.mark.parametrize(("limit", "value"), [("GROUP_EVENTS", 2), ("GROUP_BYTES", 20)])
async def test_a_change_is_bounded(made: Made, monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    monkeypatch.setattr(queues, limit, value)
    for n in range(6):
        made.append("a", f"{n:010}")
    while made.store.waiting:
        made.store.go_on()
        await settle()
    assert [len(commit.jobs) for commit in made.commits] == [1, 2, 2, 1]


async def test_topics_do_not_wait_for_each_other(made: Made) -> None:
    made.append("a", "1")
    made.append("b", "1")
    assert [topic for topic, _, _ in made.store.waiting] == ["a", "b"]


async def test_appends_wait_where_too_much_is_under_way(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "WAITING", 25)
    large = made.append("a", "x" * 100)  # larger than the limit, it goes when nothing else does
    small = [made.append(topic, "x" * 10) for topic in "bcd"]
    assert [topic for topic, _, _ in made.store.waiting] == ["a"]
    made.store.go_on()
    await settle()
    assert large.done()
    assert [topic for topic, _, _ in made.store.waiting] == ["b", "c"]
    made.store.go_on()
    await settle()
    assert [answer.done() for answer in small] == [True, False, False]
    assert [topic for topic, _, _ in made.store.waiting] == ["c", "d"]


async def test_appends_up_to_the_limit_go_at_once(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "WAITING", 25)
    for topic, size in (("a", 10), ("b", 15), ("c", 1)):
        made.append(topic, "x" * size)
    assert [topic for topic, _, _ in made.store.waiting] == ["a", "b"]
    made.store.go_on()
    made.store.go_on()
    await settle()
    made.store.go_on()
    await made.queues.close()


async def test_a_caller_hears_that_the_outcome_stays_unknown(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncertain, "PATIENCE", -1.0)
    answer = made.append("a", "1")
    for _ in range(2):
        _, plan, update = made.store.waiting.pop(0)
        plan(Known(None))
        update.set_exception(OutcomeUnknown("died"))
        await settle()
    assert answer.done()
    with pytest.raises(OutcomeUnknown, match="stored once, or not at all"):
        await answer


async def test_the_next_in_turn_goes_as_soon_as_there_is_room(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit counts up to its last byte. A change that is larger than the limit goes when no other is under way."""
    monkeypatch.setattr(queues, "WAITING", 25)
    sizes = {"a": 100, "b": 10, "c": 15, "d": 1, "e": 100}
    answers = [made.append(topic, "x" * size) for topic, size in sizes.items()]
    under_way: list[str] = []
    while made.store.waiting:
        under_way.append("".join(topic for topic, _, _ in made.store.waiting))
        made.store.go_on()
        await settle()
    assert under_way == ["a", "bc", "cd", "d", "e"]
    assert all(answer.done() for answer in answers)
    closing = asyncio.ensure_future(made.queues.close())
    await settle()
    assert closing.done()


async def test_work_in_the_background_ends_with_the_queues(made: Made) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("here")

    made.queues.spawn(work())
    await settle()
    closing = asyncio.ensure_future(made.queues.close())
    await settle()
    assert ended == ["here"]
    await closing


async def test_closing_waits_for_what_is_under_way_and_refuses_the_rest(made: Made) -> None:
    under_way, waiting = made.append("a", "1"), made.append("a", "2")
    closing = asyncio.ensure_future(made.queues.close())
    await settle()
    assert made.queues.closing
    with pytest.raises(Unavailable):
        await made.append("b", "1")
    assert not closing.done()
    made.store.go_on()
    await settle()
    made.store.go_on()
    await closing
    assert under_way.done()
    assert waiting.done()
    await made.queues.close()


async def test_closing_does_not_wait_for_ever(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "CLOSING", 0.0)
    made.append("a", "1")
    await made.queues.close()


async def test_a_failed_callback_does_not_stop_the_others(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    def fail_once(commit: Commit) -> None:
        seen.append(commit.topic)
        if len(seen) == 1:
            raise ZeroDivisionError

    made.queues = Queues(made.store, lambda: 1.0, fail_once)
    answers = [made.append(topic, "1") for topic in "ab"]
    made.store.go_on()
    made.store.go_on()
    await asyncio.gather(*answers)
    await settle()
    assert seen == ["a", "b"]
    assert "callback failed" in caplog.text
