"""The XES that is written. How it is read again is in test_process.py."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tidings.cli import exporting
from tidings.cli.exporting import export
from tidings.errors import NotFound
from tidings.events import Event, Offset, Page


class Pages:
    """A client that reads prepared pages."""

    def __init__(self, *pages: Page) -> None:
        self.pages = list(pages)

    def read(self, topic: str, after: Any, limit: int) -> Page:
        return self.pages.pop(0)


def page(epoch: str, numbers: range, tail: int) -> Page:
    data = '{"case": "c%d", "activity": "A", "timestamp": %d}'
    events = [Event("process.x", Offset(epoch, n), "message", data % (n % 3, n), 0.0) for n in numbers]
    last = Offset(epoch, numbers[-1])
    return Page(events, last, Offset(epoch, 1), Offset(epoch, tail), last.n == tail, False, None)


def test_pages_are_grouped_by_case_up_to_the_tail_of_the_first() -> None:
    stream = io.BytesIO()
    client: Any = Pages(page("e", range(1, 5), 6), page("e", range(5, 9), 8))
    assert export(client, "process.x", stream) == 6
    text = stream.getvalue().decode()
    assert text.count("<trace>") == text.count("</trace>") == 3
    assert text.count("<event>") == 6
    assert text.index('value="c1"') < text.index('value="c2"') < text.index('value="c0"')


def test_a_topic_that_begins_another_life_is_not_exported() -> None:
    client: Any = Pages(page("e", range(1, 5), 6), page("f", range(1, 3), 2))
    with pytest.raises(NotFound):
        export(client, "process.x", io.BytesIO())


@pytest.mark.parametrize("data", ["no JSON", "{}"])
def test_an_event_that_cannot_be_mined_is_left_out(data: str) -> None:
    event = Event("process.x", Offset("e", 1), "message", data, 0.0)
    only = Page([event], Offset("e", 1), Offset("e", 1), Offset("e", 1), True, False, None)
    stream = io.BytesIO()
    client: Any = Pages(only)
    assert export(client, "process.x", stream) == 0
    assert stream.getvalue().decode() == exporting.HEAD + "</log>\n"
