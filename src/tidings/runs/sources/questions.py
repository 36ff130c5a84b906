"""The questions that a graph asks by interrupting itself, and the answers with which it goes on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from tidings.wire.run_events import InputRequested

from .values import jsonable

Ask = Callable[[str], Awaitable[Any]]
"""Waits for the answer to a request of the run."""

INTERRUPT = "__interrupt__"
"""LangGraph's key of the questions in a graph's stream. Its value is empty at a breakpoint."""

NOT_TAKEN = "The answer was not in the form that the question needs."

RESUME = "__resume__"
"""LangGraph's channel of the answers that a task has taken."""

log: logging.Logger = logging.getLogger("tidings.runs")


class Questions:
    """The open questions of one run of a graph, by LangGraph's ids, and the requests of the run that ask them.

    LangGraph 1.2.19 gives all questions of one node the same id, and a question that is asked again keeps its
    id on every version. A request of a run is answered once, so each request has a name of its own.
    """

    def __init__(self, run: str, ask: Ask) -> None:
        self.run = run
        self.ask = ask
        self.open: dict[str, Any] = {}
        self.answered: bool = False
        """True if the graph goes on with a person's answers now."""
        self._asked = 0
        self._requests: dict[str, str] = {}
        self._names: set[str] = set()

    def requests(self, before: Sequence[str] = (), *, again: bool = False) -> Iterator[InputRequested]:
        """The open questions as requests; or one request to go on, if the graph stopped at a breakpoint.

        `before`: the nodes before which the graph stopped. `again`: the last answers were not taken.
        """
        error = NOT_TAKEN if again else None
        self._requests = {self._name(id): id for id in self.open or ("breakpoint",)}
        for request, id in self._requests.items():
            asked = self.open.get(id)
            yield InputRequested(
                run=self.run,
                request=request,
                kind="interrupt",
                value={"next": list(before)} if asked is None else jsonable(asked.value),
                schema=jsonable(getattr(asked, "response_schema", None)),
                error=error,
            )

    async def resume(self) -> Any:
        """The graph's next input, once every request is answered."""
        answers = {id: await self.ask(request) for request, id in self._requests.items()}
        self.answered = bool(self.open)
        if not self.open:
            return None  # a breakpoint: any answer lets the graph go on
        from langgraph.types import Command  # a graph has asked, so this is loaded

        return Command(resume=answers)

    def blames(self, error: Exception, *, worked: bool) -> bool:
        """True if the graph failed because of the answers that it goes on with.

        LangGraph says so of an answer against a question's schema. Without a schema it is an error of a value, before
        any model or tool has `worked`.
        """
        if not self.answered:
            return False
        blamed = is_invalid_answer(error) or (
            not worked and isinstance(error, TypeError | ValueError | LookupError | AttributeError)
        )
        if blamed:
            log.warning("runs.%s asks again, since an answer was not taken.", self.run, exc_info=error)
        return blamed

    def _name(self, id: str) -> str:
        self._asked += 1
        name = f"{id}.{self._asked}" if id in self._names else id
        self._names.add(id)
        return name


def is_invalid_answer(error: BaseException) -> bool:
    """True for LangGraph's error about an answer against a question's schema. Without LangGraph there is none."""
    try:
        from langgraph.errors import is_invalid_resume
    except ImportError:
        return False
    return bool(is_invalid_resume(error))


Taken = dict[tuple[str, str], tuple[Any, list[Any]]]
"""The answers that the tasks of a graph have taken, by namespace and task, each with the config of its checkpoint."""


async def answers_taken(graph: Any, state: Any) -> Taken:
    """The answers that a graph has taken by now, with those of its subgraphs."""
    found: Taken = {}
    for snapshot in _snapshots(state):
        saved = await graph.checkpointer.aget_tuple(snapshot.config)
        for task, channel, value in (saved and saved.pending_writes) or ():
            if channel == RESUME:
                place = saved.config["configurable"].get("checkpoint_ns", ""), task
                found[place] = saved.config, list(value) if isinstance(value, list) else [value]
    return found


async def take_back(graph: Any, state: Any, before: Taken) -> None:
    """Let a graph forget the answers that it has taken since `before`.

    LangGraph keeps the answer with which a node failed, and would give it to the node again.
    """
    for place, (config, answers) in (await answers_taken(graph, state)).items():
        kept = before[place][1] if place in before else []
        if kept != answers:
            await graph.checkpointer.aput_writes(config, [(RESUME, kept)], place[1])


def _snapshots(state: Any) -> Iterator[Any]:
    yield state
    for task in state.tasks:
        if hasattr(task.state, "tasks"):
            yield from _snapshots(task.state)
