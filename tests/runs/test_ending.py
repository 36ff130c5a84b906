"""The end of a run: all that is open is closed, then comes one terminal event."""

from __future__ import annotations

from typing import Any

import pytest

from tidings.errors import TooManyRequests
from tidings.runs.ending import ending, failed
from tidings.runs.progress import Progress
from tidings.wire.run_events import BlockFinished, BlockStarted, MessageFinished, MessageStarted, RunFailed, RunFinished

MESSAGE: dict[str, Any] = {"run": "R", "message": "m1", "role": "assistant"}
BLOCK: dict[str, Any] = {"run": "R", "message": "m1", "block": "m1.0", "index": 0, "kind": "text"}


def answering() -> Progress:
    """The progress of a run in the middle of its second message. The first message ended for its length."""
    progress = Progress("R")
    progress.apply(MessageStarted(**MESSAGE))
    progress.apply(MessageFinished(**MESSAGE, finish="length", usage={"model": "m", "output_tokens": 3}))
    progress.apply(MessageStarted(**MESSAGE))
    progress.apply(BlockStarted(**BLOCK))
    return progress


@pytest.mark.parametrize("cut", ["cancelled", "interrupted"])
def test_a_run_that_is_cut_off_is_closed_and_tells_how(cut: Any) -> None:
    # An error or a result that arrives after the cut changes nothing.
    assert ending(answering(), cut=cut, error=ValueError(), result=1) == [
        BlockFinished(**BLOCK, content="", status="incomplete"),
        MessageFinished(**MESSAGE, finish="interrupted"),
        RunFinished(run="R", outcome=cut, finish="interrupted", usage=[{"model": "m", "output_tokens": 3}]),
    ]


def test_an_error_closes_a_run_and_says_what_it_was() -> None:
    *closing, end = ending(answering(), error=TooManyRequests("Too many.", wait=7.0))
    assert closing == [
        BlockFinished(**BLOCK, content="", status="incomplete"),
        MessageFinished(**MESSAGE, finish="error"),
    ]
    assert isinstance(end, RunFailed)
    assert end == failed("R", TooManyRequests("Too many.", wait=7.0))
    assert "Too many." in end.message


def test_a_success_has_its_result_and_the_finish_of_its_last_message() -> None:
    progress = Progress("R")
    progress.apply(MessageStarted(**MESSAGE))
    progress.apply(MessageFinished(**MESSAGE, finish="length"))
    assert ending(progress, result={"total": 3}) == [
        RunFinished(run="R", outcome="success", finish="length", usage=[], result={"total": 3})
    ]
