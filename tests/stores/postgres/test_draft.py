"""The draft of a topic."""

from __future__ import annotations

from tests.stores.kit import labelled, put
from tidings.events import ORIGIN, Offset
from tidings.log.head import Change, Head, Known
from tidings.log.records import Record
from tidings.stores.postgres.draft import ALTERED, APPENDED, DELETED, REBORN, Draft, Kept

KEPT = Kept(7, 1, Head("epoch1", tail=3))


def gone(known: Known) -> Change:
    return Change(None)


def test_appends_follow_each_other_and_see_the_keys_before_them() -> None:
    draft = Draft("a", KEPT, {"old": (1, 1)})
    draft.decide(("k", "old"), put(2, keys=("k",)))
    seen: list[Known] = []
    draft.decide(("k", "old"), lambda known: seen.append(known))  # type: ignore[func-returns-value]
    assert seen == [Known(Head("epoch1", tail=5), {"k": (4, 5), "old": (1, 1)})]
    assert [answer.head.tail for answer in draft.answers] == [5, 5]  # type: ignore[union-attr]
    assert (draft.kind, draft.news) == (APPENDED, Offset("epoch1", 5))


def test_a_plan_that_fails_changes_nothing() -> None:
    def broken(known: Known) -> Change:
        raise ZeroDivisionError

    draft = Draft("a", None, {})
    draft.decide((), broken)
    assert isinstance(draft.answers[0], ZeroDivisionError)
    assert draft.kind is None


def test_a_new_topic_that_is_deleted_at_once_needs_no_writing() -> None:
    draft = Draft("a", None, {})
    draft.decide((), put())
    assert (draft.kind, draft.news) == (APPENDED, Offset("epoch1", 1))
    draft.decide((), gone)
    assert (draft.kind, draft.news, draft.records) == (None, None, [])


def test_a_log_that_ends_takes_all_of_the_draft_with_it() -> None:
    draft = Draft("a", KEPT, {"k": (1, 1)})
    draft.decide((), labelled(x=True))
    draft.decide((), gone)
    assert (draft.kind, draft.news, draft.records, draft.labels) == (DELETED, None, [], {})
    draft.decide(("k",), put(keys=("k",)))
    assert (draft.kind, draft.news, draft.keys) == (REBORN, ORIGIN, {"k": (1, 1, None)})
    assert [record.base for record in draft.records] == [0]


def test_a_cut_and_a_replacement_reach_the_records_that_wait() -> None:
    draft = Draft("a", KEPT, {})
    draft.decide((), put())
    new, old = Record(3, 4, b"id", b"new"), Record(1, 2, b"id", b"old")
    draft.decide((), lambda known: Change(Head("epoch1", tail=4), replaced=[new]))
    draft.decide((), lambda known: Change(Head("epoch1", tail=4), replaced=[old]))
    assert (draft.records, draft.replaced) == ([new], {1: old})
    assert (draft.kind, draft.news) == (ALTERED, ORIGIN)
    draft.decide((), lambda known: Change(Head("epoch1", start=4, tail=4)))
    assert (draft.records, draft.cut) == ([], 4)
