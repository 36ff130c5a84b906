"""Tests of what the index is told."""

from __future__ import annotations

from tidings.apps.file import File
from tidings.apps.search.texts import Said

PLAN = File("01JD9W3K5T8Q2R7V4X6Y9Z0ABC", "plan.pdf", "application/pdf", 3)


def test_the_names_of_files_are_searched_with_the_text() -> None:
    assert Said(1, "Look", "Mara", 1.0, files=[PLAN, PLAN]).words == "Look\nplan.pdf, plan.pdf"
    assert Said(1, "", "Mara", 1.0, files=[PLAN]).words == "plan.pdf"
    assert Said(1, "Look", "Mara", 1.0).words == "Look"
