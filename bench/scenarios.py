"""What is asked of the servers: the words for load.c, and the figures that are read off its answer.

Every server gets the same words, except where it cannot: `needs` says what it must be able to do. Times are of the full
run and shrink by `--quick`. All events are 100 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Words = list[str]
Unit = Literal["µs", "ms", "s", "KB", "events/s"]


@dataclass(frozen=True)
class Trial:
    """One run of one scenario on one server. CPU in seconds, between "go" and the result; memory in bytes."""

    result: dict[str, Any]
    open: int  # readers connected when it began
    server_cpu: float
    client_cpu: float
    elapsed: float
    others_cpu: float  # what everybody else on the machine used meanwhile
    memory_before: int
    memory_after: int

    def sub(self, name: str) -> dict[str, Any]:
        return next(sub for sub in self.result["subs"] if sub["name"] == name)

    @property
    def got(self) -> int:
        return sum(sub["got"] for sub in self.result["subs"])

    @property
    def missing(self) -> int:
        return sum(sub["missing"] for sub in self.result["subs"])

    def wrong(self) -> list[str]:
        """What should never happen: anything but events that are merely late. Orders compare only complete readers."""
        sums = {key: sum(sub[key] for sub in self.result["subs"]) for key in ("gaps", "duplicates", "foreign", "dropped", "refused")}
        if not self.missing:
            sums["other orders"] = sum(sub["orders"] for sub in self.result["subs"])
        sums["failed publications"] = sum(pub["errors"] for pub in self.result["pubs"])
        return [f"{count} {key}" for key, count in sums.items() if count]


@dataclass(frozen=True)
class Figure:
    """One row of the table. `target` is design.md's, None where it has none; `more` if a higher figure is the better."""

    key: str
    title: str
    unit: Unit
    read: Callable[[Trial], float]
    target: float | None = None
    more: bool = False


@dataclass(frozen=True)
class Scenario:
    """`words(quick)` for load.c. `needs` names what a server must offer; `auth` connects every reader with a JWT."""

    name: str
    title: str
    words: Callable[[bool], Words]
    figures: tuple[Figure, ...]
    needs: tuple[Literal["batches", "replays", "auth"], ...] = ()
    settle: float = 0.3  # seconds between the last connection and "go"


def _hot(readers: int = 1000) -> Words:
    return ["sub", "name=hot", "topic=hot", "path=/events?topic=hot", f"count={readers}"]


def _publish(*words: str) -> Words:
    return ["pub", "topic=hot", "path=/topics/hot/events", *words]


def _paced(rate: int, seconds: int, readers: int) -> Callable[[bool], Words]:
    # Four connections: a publication that waits for its reply does not hold up the next one, so the rate is kept.
    return lambda quick: [*_hot(readers), *_publish(f"rate={rate}", "conns=4", f"seconds={seconds // 3 if quick else seconds}")]


def _closed(connections: int, batch: int, readers: int) -> Callable[[bool], Words]:
    return lambda quick: [*_hot(readers), *_publish(f"conns={connections}", f"batch={batch}", f"seconds={2 if quick else 5}")]


def _idle(quick: bool) -> Words:
    return [*_hot(1000 if quick else 5000)]


def _storm(live: str) -> Callable[[bool], Words]:
    def words(quick: bool) -> Words:
        count = 500 if quick else 2000
        return [
            *["sub", "name=live", f"topic={live}", f"path=/events?topic={live}", "count=200"],
            *["sub", "name=keeper", "topic=past", "path=/events?topic=past", "record=1"],
            *["sub", "name=back", "topic=past", "path=/events?topic=past", "ids=keeper", f"count={count}"],
            *["low=251", "high=750", "delay=1", "spread=1"],
            *["pub", "topic=past", "path=/topics/past/events", "history=1", "count=1000"],
            *["pub", f"topic={live}", f"path=/topics/{live}/events", "rate=50", "conns=4", "seconds=4"],
        ]

    return words


def _fair(hot: int) -> Callable[[bool], Words]:
    def words(quick: bool) -> Words:
        seconds = 2 if quick else 6
        return [
            *_hot(),
            *["sub", "name=quiet", "topic=quiet", "path=/events?topic=quiet.%d", "each=1", "count=1000"],
            *_publish(f"conns={hot}", f"seconds={seconds}"),
            *["pub", "topic=quiet", "path=/topics/quiet.%d/events", "topics=1000", "rate=200", "conns=4", f"seconds={seconds}"],
        ]

    return words


def _cpu(trial: Trial) -> float:
    return trial.server_cpu / max(trial.got, 1) * 1e6


def _latency(name: str, at: str, key: str = "latency") -> Callable[[Trial], float]:
    return lambda trial: float(trial.sub(name)[key][at])


def _delivered(trial: Trial) -> float:
    return float(trial.got / trial.elapsed)


def _per_connection(trial: Trial) -> float:
    return (trial.memory_after - trial.memory_before) / max(trial.open, 1) / 1024


def _three(words: str, target: tuple[float | None, float | None, float | None]) -> tuple[Figure, ...]:
    return (
        Figure("cpu", f"CPU per delivery, {words}", "µs", _cpu, target[0]),
        Figure("p50", f"p50 latency, {words}", "ms", _latency("hot", "p50"), target[1]),
        Figure("p99", f"p99 latency, {words}", "ms", _latency("hot", "p99"), target[2]),
    )


def _burst(words: str, target: float | None) -> tuple[Figure, ...]:
    return (
        Figure("cpu", f"CPU per delivery, {words}", "µs", _cpu, target),
        Figure("rate", f"deliveries, {words}", "events/s", _delivered, more=True),
    )


def _level(trial: Trial) -> float:
    back = trial.sub("back")
    return float(back["level_after"]) if back["level"] == back["count"] else float("inf")


def _storms(words: str) -> tuple[Figure, ...]:
    return (
        Figure("level", f"all 2,000 returned level after the last connected, {words}", "s", _level, 0.3),
        Figure("live", f"the live readers' p99 meanwhile, {words}", "ms", _latency("live", "p99", "storming"), 100),
        Figure("own", f"a returned reader's p50 from connecting to level, {words}", "ms", _latency("back", "p50", "catch_up")),
    )


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("fanout20", "1 topic, 1,000 readers, 20 events/s", _paced(20, 15, 1000), _three("20 events/s", (None, None, None))),
    Scenario("fanout200", "1 topic, 1,000 readers, 200 events/s", _paced(200, 9, 1000), _three("200 events/s", (4, 20, 45))),
    Scenario("burst1", "1,000 readers, 1 publisher as fast as it can", _closed(1, 1, 1000), _burst("1 publisher", None)),
    Scenario("burst16", "1,000 readers, 16 publishers as fast as they can", _closed(16, 1, 1000), _burst("16 publishers", 0.6)),
    Scenario(
        "burst-ndjson", "1,000 readers, ndjson ×100", _closed(1, 100, 1000), _burst("ndjson ×100", 0.1), needs=("batches",)
    ),
    Scenario("one", "1 reader, 50 tokens/s", _paced(50, 9, 1), _three("1 reader, 50/s", (None, 2, None))[1:]),
    Scenario("idle", "5,000 idle readers", _idle, (Figure("memory", "memory per idle connection", "KB", _per_connection),), settle=2),
    Scenario(
        "idle-auth",
        "5,000 idle readers, each with a JWT",
        _idle,
        (Figure("memory", "memory per idle connection, with auth", "KB", _per_connection, 12.5),),
        needs=("auth",),
        settle=2,
    ),
    *(
        Scenario(
            f"publish{connections}",
            f"ndjson ×100, {connections} publishers, 1 live reader",
            _closed(connections, 100, 1),
            (Figure("rate", f"published and read, ndjson ×100, {words}", "events/s", _delivered, 100_000, more=True),),
            needs=("batches",),
        )
        for connections, words in ((1, "1 publisher"), (4, "4 publishers"))
    ),
    Scenario("storm", "2,000 return in 1 s, 500 behind; 200 live beside", _storm("live"), _storms("live on another topic"), needs=("replays",)),
    Scenario("storm-same", "the same, live on the same topic", _storm("past"), _storms("live on the same topic"), needs=("replays",)),
    Scenario(
        "fair",
        "1,000 quiet topics beside a hot one, 1 publisher",
        _fair(1),
        (
            Figure("p99", "quiet topics' p99 beside a burst to 1,000, 1 publisher", "ms", _latency("quiet", "p99"), 20),
            Figure("p50", "quiet topics' p50 beside it", "ms", _latency("quiet", "p50")),
        ),
    ),
    Scenario(
        "fair16",
        "1,000 quiet topics beside a hot one, 16 publishers",
        _fair(16),
        (Figure("p99", "quiet topics' p99 beside a burst to 1,000, 16 publishers", "ms", _latency("quiet", "p99")),),
    ),
)
