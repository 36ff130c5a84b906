"""The end of a run: the events that close all that is open, and the one terminal event.

producer.py asks for them when the model is done, fails, is stopped or must go away, and reaper.py when the process of a
run has died.
"""

from __future__ import annotations

from typing import Any, Literal

from tidings.wire.run_events import RunEvent, RunFailed, RunFinished

from .failures import explain
from .progress import Progress

Cut = Literal["cancelled", "interrupted"]
"""The outcome of a run that ends before its model does: somebody stopped it, or its process went away."""


def ending(
    progress: Progress, *, cut: Cut | None = None, error: BaseException | None = None, result: Any = None
) -> list[RunEvent]:
    """Return the last events of a run that came as far as `progress`. The last of them is terminal.

    `cut`: the run is cut off with this outcome. `error`: its model failed. With neither the run is a success, and
    `result` is its value; an open message of a success has the finish `error`, since its provider never ended it.
    """
    if cut is not None:
        return [*progress.closing("interrupted"), _finished(progress, cut, "interrupted")]
    if error is not None:
        return [*progress.closing("error"), failed(progress.run, error)]
    return [*progress.closing("error"), _finished(progress, "success", progress.finish, result)]


def failed(run: str, error: BaseException) -> RunFailed:
    """Return the terminal event of a run that an error ended: what it was, and whether trying again can help."""
    failure = explain(error)
    return RunFailed(
        run=run, message=failure.message, code=failure.code, retryable=failure.retryable, retry_after=failure.wait
    )


def _finished(progress: Progress, outcome: Any, finish: Any, result: Any = None) -> RunFinished:
    return RunFinished(run=progress.run, outcome=outcome, finish=finish, usage=progress.usage, result=result)
