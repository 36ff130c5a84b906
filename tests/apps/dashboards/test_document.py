"""The built-in dashboards: each of their cards names a figure that exists."""

from __future__ import annotations

from tests.apps.metrics.test_service import moment
from tidings.apps.dashboards.document import BUILT_IN, Dashboard
from tidings.apps.metrics.service import TOPIC, figures_between


def test_every_series_of_the_servers_dashboard_is_one_of_its_figures() -> None:
    times = [0.1]
    after = moment(2.0, published=3, times=times, store=1)
    for timings in (after.reading.commits, after.reading.lag, after.reading.first_token):
        timings.add(0.1)
    figures = figures_between(moment(1.0, published=1, times=[], store=1), after)
    series = [each for card in BUILT_IN["server"].cards for each in card.series]
    assert {each.topic for each in series} == {TOPIC}
    assert {each.field for each in series} <= set(figures)


def test_a_document_that_was_written_is_read_again() -> None:
    for board in BUILT_IN.values():
        assert Dashboard.model_validate_json(board.model_dump_json(exclude_defaults=True)) == board
