"""The scenarios: the words that tell load.c what to ask of a server, and the figures in its answer.

Every server gets the same words; a scenario's `needs` name what a server must be able to do to take part. Times are
of the full run, and shorter with `--quick`. All events have 100 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["µs", "ms", "s", "KB", "events/s", "cores", "number"]
Need = Literal["batches", "replays", "auth"]


@dataclass(frozen=True)
class Trial:
    """A run of a scenario on a server. CPU is in seconds, between "go" and the result; memory in bytes."""

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
        """List the faults of a run, by number and kind. Late events are no fault; orders need complete readers."""
        keys = ["gaps", "duplicates", "foreign", "dropped", "refused", *([] if self.missing else ["orders"])]
        found = [(key, sum(sub[key] for sub in self.result["subs"])) for key in keys]
        found.append(("failed publications", sum(pub["errors"] for pub in self.result["pubs"])))
        return [f"{count} {key}" for key, count in found if count]


@dataclass(frozen=True)
class Figure:
    """A row of the table. `target`: the figure that the design asks for, if any; `more`: higher is better."""

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
    words: Callable[[bool], str]
    figures: tuple[Figure, ...]
    needs: tuple[Need, ...] = ()
    settle: float = 0.3  # seconds between the last connection and "go"


def _hot(readers: int = 1000) -> str:
    return f"sub name=hot topic=hot path=/events?topic=hot count={readers}"


def _publish(words: str) -> str:
    return f"pub topic=hot path=/topics/hot/events {words}"


def _paced(rate: int, seconds: int, readers: int) -> Callable[[bool], str]:
    # Four connections: a publication that waits for its reply does not hold up the next one, so the rate is kept.
    def words(quick: bool) -> str:
        return f"{_hot(readers)} {_publish(f'rate={rate} conns=4 seconds={seconds // 3 if quick else seconds}')}"

    return words


def _closed(connections: int, batch: int, readers: int) -> Callable[[bool], str]:
    def words(quick: bool) -> str:
        return f"{_hot(readers)} {_publish(f'conns={connections} batch={batch} seconds={2 if quick else 5}')}"

    return words


def _idle(quick: bool) -> str:
    return _hot(1000 if quick else 5000)


def _storm(live: str) -> Callable[[bool], str]:
    """2,000 readers return to the topic `past`, at 500 offsets, 251 to 750 events behind: 500 on average."""

    def words(quick: bool) -> str:
        return (
            f"sub name=live topic={live} path=/events?topic={live} count=200 "
            "sub name=keeper topic=past path=/events?topic=past record=1 "
            f"sub name=back topic=past path=/events?topic=past ids=keeper count={500 if quick else 2000} "
            "low=251 high=750 delay=1 spread=1 "
            "pub topic=past path=/topics/past/events history=1 count=1000 "
            f"pub topic={live} path=/topics/{live}/events rate=50 conns=4 seconds=4"
        )

    return words


def _fair(hot: int) -> Callable[[bool], str]:
    def words(quick: bool) -> str:
        seconds = 2 if quick else 6
        return (
            f"{_hot()} {_publish(f'conns={hot} seconds={seconds}')} "
            "sub name=quiet topic=quiet path=/events?topic=quiet.%d each=1 count=1000 "
            f"pub topic=quiet path=/topics/quiet.%d/events topics=1000 rate=200 conns=4 seconds={seconds}"
        )

    return words


def _cpu(trial: Trial) -> float:
    return trial.server_cpu / max(trial.got, 1) * 1e6


def _delivered(trial: Trial) -> float:
    return float(trial.got / trial.elapsed)


def _per_connection(trial: Trial) -> float:
    return (trial.memory_after - trial.memory_before) / max(trial.open, 1) / 1024


def _level(trial: Trial) -> float:
    back = trial.sub("back")
    return float(back["level_after"]) if back["level"] == back["count"] else float("inf")


def _latency(name: str, at: str, key: str = "latency") -> Callable[[Trial], float]:
    return lambda trial: float(trial.sub(name)[key][at])


def _p(at: str, words: str, target: float | None = None, name: str = "hot") -> Figure:
    return Figure(at, f"{at} latency, {words}", "ms", _latency(name, at), target)


def _per_delivery(words: str, target: float | None) -> Figure:
    return Figure("cpu", f"CPU per delivery, {words}", "µs", _cpu, target)


def _burst(words: str, target: float | None) -> tuple[Figure, ...]:
    return (
        _per_delivery(words, target),
        Figure("rate", f"deliveries, {words}", "events/s", _delivered, more=True),
    )


def _published(words: str) -> tuple[Figure, ...]:
    return (
        Figure("rate", f"published and read by 1, ndjson ×100, {words}", "events/s", _delivered, 100_000, more=True),
    )


def _memory(words: str, target: float | None) -> tuple[Figure, ...]:
    return (Figure("memory", f"memory per idle connection, {words}", "KB", _per_connection, target),)


def _storms(words: str) -> tuple[Figure, ...]:
    own = _latency("back", "p50", "catch_up")
    return (
        Figure("level", f"2,000 return in 1 s, {words}: all level after the last", "s", _level, 0.3),
        Figure("live", "… the live readers' p99 meanwhile", "ms", _latency("live", "p99", "storming"), 100),
        Figure("own", "… p50 of one that returns, from connecting to level", "ms", own),
    )


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "fanout20",
        _paced(20, 15, 1000),
        (_per_delivery("20 events/s", None), _p("p50", "20 events/s"), _p("p99", "20 events/s")),
    ),
    Scenario(
        "fanout200",
        _paced(200, 9, 1000),
        (_per_delivery("200 events/s", 4), _p("p50", "200 events/s", 20), _p("p99", "200 events/s", 45)),
    ),
    Scenario("burst1", _closed(1, 1, 1000), _burst("1 publisher as fast as it can", None)),
    Scenario("burst16", _closed(16, 1, 1000), _burst("16 publishers as fast as they can", 0.6)),
    Scenario("burst-ndjson", _closed(1, 100, 1000), _burst("1 publisher of ndjson ×100", 0.1), ("batches",)),
    Scenario("one", _paced(50, 9, 1), (_p("p50", "1 reader, 50 events/s", 2), _p("p99", "1 reader, 50 events/s"))),
    Scenario("idle", _idle, _memory("5,000", None), settle=2),
    Scenario("idle-auth", _idle, _memory("5,000, each with a JWT", 12.5), ("auth",), settle=2),
    Scenario("publish1", _closed(1, 100, 1), _published("1 publisher"), ("batches",)),
    Scenario("publish4", _closed(4, 100, 1), _published("4 publishers"), ("batches",)),
    Scenario("storm", _storm("live"), _storms("500 behind, 200 live on another topic"), ("replays",)),
    Scenario("storm-same", _storm("past"), _storms("500 behind, 200 live on the same topic"), ("replays",)),
    Scenario(
        "fair",
        _fair(1),
        (
            _p("p50", "1,000 quiet topics beside a burst to 1,000", name="quiet"),
            _p("p99", "1,000 quiet topics beside a burst to 1,000", 20, name="quiet"),
        ),
    ),
    Scenario(
        "fair16",
        _fair(16),
        (_p("p99", "the same, the burst being of 16 publishers", name="quiet"),),
    ),
)
