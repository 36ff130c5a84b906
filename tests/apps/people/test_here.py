"""The merged view of who is here: pure."""

from __future__ import annotations

from tidings.apps.people.here import GONE, Here


def test_the_connections_of_a_person_add_up_over_the_processes() -> None:
    here = Here()
    here.hear("a", {"Mara": 2, "Tom": 1}, 0.0)
    here.hear("b", {"Mara": 1, "Ada": 1}, 1.0)
    assert here.people(1.0) == {"Ada": 1, "Mara": 3, "Tom": 1}
    assert list(here.people(1.0)) == ["Ada", "Mara", "Tom"]


def test_what_a_process_says_replaces_what_it_said() -> None:
    here = Here()
    here.hear("a", {"Mara": 2, "Tom": 1}, 0.0)
    here.hear("a", {"Mara": 1}, 1.0)
    assert here.people(1.0) == {"Mara": 1}
    here.hear("a", {}, 2.0)
    assert here.people(2.0) == {}


def test_a_process_that_says_nothing_is_forgotten() -> None:
    here = Here()
    here.hear("a", {"Mara": 1}, 0.0)
    here.hear("b", {"Tom": 1}, 5.0)
    assert here.people(GONE - 0.1) == {"Mara": 1, "Tom": 1}
    assert here.people(GONE) == {"Tom": 1}
    here.hear("b", {"Tom": 1}, GONE)
    here.hear("a", {"Mara": 1}, GONE + 1)
    assert here.people(GONE + 1) == {"Mara": 1, "Tom": 1}
