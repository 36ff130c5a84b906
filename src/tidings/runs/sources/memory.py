"""The memory of a graph that has none: the checkpoints of one run, from which the graph goes on after a question."""

from __future__ import annotations

import sys
from typing import Any


def with_memory(runnable: Any) -> Any:
    """Return a graph with a checkpointer of its own, if it has none; any other runnable as it is.

    A graph that was written for LangGraph's server has no checkpointer, since that server brings one. A run ends with
    its process, so checkpoints in memory are enough; they are forgotten with the copy of the graph.
    """
    module = sys.modules.get("langgraph.pregel")
    kind = getattr(module, "Pregel", None)
    if kind is None or not isinstance(runnable, kind) or runnable.checkpointer is not None:
        return runnable
    from langgraph.checkpoint.memory import InMemorySaver

    return runnable.copy(update={"checkpointer": InMemorySaver()})
