"""Work that is repeated: when, and which failures end it."""

from __future__ import annotations

import pytest

from tidings.cli import repeating
from tidings.cli.json_lines import Failure
from tidings.cli.repeating import period_of, repeat, seconds_of
from tidings.errors import Closed, Forbidden, InvalidRequest, TidingsError, Unavailable


class Clock:
    """A clock that moves only by `sleep` and by work that takes time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(repeating, "monotonic", lambda: self.now)
        monkeypatch.setattr(repeating, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_times_that_pass_during_the_work_are_left_out(clock: Clock) -> None:
    takes, began = [0.0, 4.0, 5.0, 11.0, 1.0], []

    def work() -> None:
        if len(began) == len(takes):
            raise Closed("The end.")
        began.append(clock.now)
        clock.now += takes[len(began) - 1]

    with pytest.raises(Closed):
        repeat(work, 5.0)
    assert began == [100.0, 105.0, 110.0, 115.0, 130.0]


@pytest.mark.parametrize("error", [Unavailable("Away."), InvalidRequest("Wrong."), Failure("Failed.")])
def test_a_later_failure_that_may_pass_is_told_and_the_first_one_ends(
    clock: Clock, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: list[Exception | None] = [None, error, None, Forbidden("Not yours.")]

    def work() -> None:
        if (step := steps.pop(0)) is not None:
            raise step

    with pytest.raises(Forbidden):
        repeat(work, 1.0)
    assert steps == []
    assert capsys.readouterr().err == f"tidings: {error}\n"
    steps = [error]
    with pytest.raises((TidingsError, Failure), match=str(error)):
        repeat(work, 1.0)


def test_lengths_of_time() -> None:
    assert [seconds_of(text) for text in ("90", "90s", "30m", "12h", "7d")] == [90, 90, 1800, 43_200, 604_800]
    assert [period_of(text) for text in ("1s", "1d")] == [1, 86_400]
    for wrong in ("", "s", "-1s", "1.5s", "1w", "\u0661s"):
        with pytest.raises(Failure):
            period_of(wrong)
