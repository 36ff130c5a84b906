"""Tests of the fold of all processes' beats."""

from __future__ import annotations

from tidings.apps.people.here import GONE, Beat, Here, Process


def test_the_connections_of_a_person_add_up_over_the_processes() -> None:
    here = Here()
    assert here.hear(Beat("a", 1, {"Mara": 2, "Tom": 1}), 0.0)
    assert here.hear(Beat("b", 1, {"Mara": 1, "Ada": 1}), 1.0)
    assert list(here.people(1.0).items()) == [("Ada", 1), ("Mara", 3), ("Tom", 1)]


def test_a_beat_changes_the_people_that_it_names() -> None:
    here = Here()
    here.hear(Beat("a", 1, {"Mara": 2, "Tom": 1}), 0.0)
    assert here.hear(Beat("a", 2, {"Mara": 1, "Tom": 0, "Ada": 1}), 1.0)
    assert here.people(1.0) == {"Ada": 1, "Mara": 1}
    assert here.hear(Beat("a", 2), 2.0)
    assert here.people(2.0) == {"Ada": 1, "Mara": 1}


def test_a_process_that_missed_a_change_knows_it_and_keeps_what_it_has_until_it_gets_all() -> None:
    here = Here()
    here.hear(Beat("a", 1, {"Mara": 1}), 0.0)
    assert not here.hear(Beat("a", 3, {"Tom": 1}), 1.0)
    assert not here.hear(Beat("a", 3), GONE)
    assert here.people(GONE) == {"Mara": 1}
    here.replace(Process("a", 3, {"Ada": 1, "Tom": 1}), GONE)
    assert here.hear(Beat("a", 4, {"Ada": 0}), GONE)
    assert here.people(GONE) == {"Tom": 1}


def test_a_process_that_was_there_before_this_one_is_asked_for_all() -> None:
    here = Here()
    assert not here.hear(Beat("a", 7), 0.0)
    assert not here.hear(Beat("a", 8, {"Mara": 1}), 0.0)
    assert here.people(0.0) == {}


def test_a_process_without_beats_is_forgotten() -> None:
    here = Here()
    here.hear(Beat("a", 1, {"Mara": 1}), 0.0)
    here.hear(Beat("b", 1, {"Tom": 1}), 5.0)
    assert here.people(GONE - 0.1) == {"Mara": 1, "Tom": 1}
    assert here.people(GONE) == {"Tom": 1}
    assert not here.hear(Beat("a", 1), GONE + 1), "it must tell all again"
