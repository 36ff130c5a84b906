"""Changes that a journal asks for: what they make of a log that has changed since they were worked out."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from tidings.errors import Closed, Conflict, Unavailable
from tidings.events import Offset, Retention
from tidings.log import retention, rules
from tidings.log.commit import Commit, Delete, Job, Redact, Trim
from tidings.log.head import Change, Head, Known
from tidings.log.records import pack
from tidings.log.rules import Append, Appended

RECORDS = [pack(n, [("m", "xxxx")], float(n), b"id")[0] for n in range(4)]
SIZE = len(RECORDS[0].blob)
HEAD = Head("e", tail=4, size=4 * SIZE, retention=Retention(max_events=2))


def commit(*appends: Append) -> Commit:
    return Commit("t", [Job(append, None, 9) for append in appends], 1.0, b"id")


async def test_each_caller_gets_its_own_answer() -> None:
    made = commit(
        Append([("m", "1"), ("m", "2")], key="k"), Append([("m", "3")], expected="other"), Append([("m", "4")])
    )
    assert made.keys == ["k"]
    assert [job.events for job in made.jobs] == [2, 1, 1]
    change = made(Known(None))
    assert change is made.change
    made.jobs[2].answer.cancel()
    made.answer_all(None)
    answer = await made.jobs[0].answer
    assert isinstance(answer, Appended)
    assert (answer.first.n, answer.last.n) == (1, 2)
    with pytest.raises(Conflict):
        await made.jobs[1].answer
    assert made.jobs[2].answer.cancelled()
    assert [(event.topic, event.data) for event in made.events(Offset("e", 0))] == [("t", "1"), ("t", "2"), ("t", "4")]


async def test_each_caller_gets_its_own_copy_of_an_error() -> None:
    made = commit(Append([("m", "1")]), Append([("m", "2")]))
    error = Unavailable("away", retry=3)
    made.answer_all(error)
    first, second = [job.answer.exception() for job in made.jobs]
    assert first is not second
    assert (type(first), str(first), first.members) == (Unavailable, "away", {"retry": 3})  # type: ignore[union-attr]
    other = commit(Append([("m", "1")]))
    other.answer_all(broken := ZeroDivisionError())
    assert other.jobs[0].answer.exception() is broken


async def test_known_events_are_not_part_of_the_commit() -> None:
    made = commit(Append([("m", "1")], key="k"), Append([("m", "2")]))
    made(Known(HEAD, {"k": (2, 2)}))
    assert [(event.offset, event.data) for event in made.events(Offset("e", 4))] == [(Offset("e", 5), "2")]


async def test_another_plan_has_no_events_and_its_answer_is_none() -> None:
    made = Commit("t", [Job(None, Delete(), 0)], 1.0, b"id")
    assert made(Known(None)) is None
    assert made(Known(HEAD)) == Change(None)
    assert made.events(Offset("e", 4)) == []
    assert made.keys == []
    made.answer_all(None)
    assert await asyncio.wait_for(made.jobs[0].answer, 1) is None


def test_a_deletion_of_one_life_leaves_another_alone() -> None:
    plan = Delete("e")
    assert plan(Known(HEAD)) == Change(None)
    assert not plan.refused
    assert plan(Known(msgspec.structs.replace(HEAD, epoch="f"))) is None
    assert plan.refused
    assert plan(Known(None)) is None
    assert not plan.refused


def test_a_trim_goes_through_beside_appends() -> None:
    after = retention.trimmed(HEAD, RECORDS, 9.0)
    assert after
    assert (after.start, after.size, after.single) == (2, 2 * SIZE, False)
    grown = msgspec.structs.replace(HEAD, tail=9, size=9 * SIZE, closed=True)
    change = Trim(HEAD, after)(Known(grown))
    assert change
    assert change.head == msgspec.structs.replace(grown, start=2, size=7 * SIZE, oldest=2.0)


def test_a_log_that_grew_after_a_trim_to_one_record_is_not_single() -> None:
    head = msgspec.structs.replace(HEAD, retention=Retention(max_events=1))
    after = retention.trimmed(head, RECORDS, 9.0)
    assert after
    assert after.single
    same, grown = (Trim(head, after)(Known(msgspec.structs.replace(head, tail=tail))) for tail in (4, 5))
    assert same
    assert same.head
    assert same.head.single
    assert grown
    assert grown.head
    assert not grown.head.single


def test_a_trim_that_left_several_records_says_so() -> None:
    after = retention.trimmed(HEAD, RECORDS, 9.0)
    assert after
    change = Trim(HEAD, after)(Known(HEAD))
    assert change
    assert change.head == after
    assert not change.head.single


def test_a_redaction_goes_through_beside_appends() -> None:
    change = rules.redact(HEAD, RECORDS, [2])
    assert change
    assert change.head
    plan = Redact(HEAD, change)
    grown = msgspec.structs.replace(HEAD, tail=9, size=9 * SIZE, closed=True)
    made = plan(Known(grown))
    assert plan.done
    assert made
    assert made.replaced == change.replaced
    size = 9 * SIZE + change.head.size - HEAD.size
    assert made.head == msgspec.structs.replace(grown, size=size, redactions=1, redacted=((2, "m"),))


@pytest.mark.parametrize("changed", [{"epoch": "f"}, {"start": 1}, {"redactions": 1}, None])
def test_a_log_whose_records_have_changed_is_left_alone(changed: dict[str, object] | None) -> None:
    now = Known(None if changed is None else msgspec.structs.replace(HEAD, **changed))
    after = retention.trimmed(HEAD, RECORDS, 9.0)
    change = rules.redact(HEAD, RECORDS, [2])
    assert after
    assert change
    plan = Redact(HEAD, change)
    assert Trim(HEAD, after)(now) is None
    assert plan(now) is None
    assert not plan.done


def test_closing_twice_is_told_apart_from_a_conflict() -> None:
    change, answers = rules.decide(Known(Head("e", closed=True)), [Append(close=True)], 1.0, b"id")
    assert change is None
    assert type(answers[0]) is Closed
