"""Tests of the rooms app as other apps know it."""

from __future__ import annotations

from tidings.apps.rooms import facts, index, rooms, service


def test_other_apps_are_given_the_rooms_their_index_and_their_facts() -> None:
    assert (service.Rooms, service.Index, service.facts) == (rooms.Rooms, index.Index, facts)
    assert service.MessagePosted is facts.MessagePosted
