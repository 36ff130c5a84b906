"""The memory of a graph that has none: the checkpoints of one run, from which the graph goes on after a question."""

from __future__ import annotations

import sys
from functools import cache
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

    return runnable.copy(update={"checkpointer": InMemorySaver(serde=_serializer()())})


@cache
def _serializer() -> type[Any]:
    """Make the class of the serializer. LangGraph is imported only where there is a graph."""
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    class Keeping(JsonPlusSerializer):
        """Keeps a value that cannot be written, such as a connection, as it is: a graph that works without a
        checkpointer must work with this one."""

        def __init__(self) -> None:
            super().__init__()
            self._kept: list[Any] = []

        def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
            try:
                return super().dumps_typed(obj)
            except Exception:  # each type that cannot be written fails in its own way
                self._kept.append(obj)
                return "kept", str(len(self._kept) - 1).encode()

        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            return self._kept[int(data[1])] if data[0] == "kept" else super().loads_typed(data)

    return Keeping
