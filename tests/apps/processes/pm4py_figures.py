"""The figures of pm4py for small logs that this program makes, as `pm4py_figures.json` holds them.

pm4py has a licence of its own and is needed by no test. To make the figures again, in an environment that has
pm4py 2.7.23.11: `python tests/apps/processes/pm4py_figures.py`. With the name of a file of events, in any format that
pm4py reads, it prints the figures of that file.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_suffix(".json")

SEEDS = range(6)

DAY = 86_400_000_000


def log(seed: int) -> list[tuple[str, str, int]]:
    """Return events (case, activity, microseconds since 1970) in the order of a log: 20 to 120 cases that loop, skip
    steps, run at once and have equal times. Every second log has its events in disorder."""
    chance = random.Random(seed)
    steps = [f"step {letter}" for letter in "ABCDEFGH"[: 3 + seed]]
    events: list[tuple[str, str, int]] = []
    for case in range(20 * (seed + 1)):
        time = 1_700_000_000_000_000 + chance.randrange(30 * DAY)
        place = 0
        while place < len(steps):
            events.append((f"case-{case}", steps[place], time))
            time += chance.choice((0, 1, 1_500_000, chance.randrange(3_600_000_000), chance.randrange(9 * DAY)))
            place = max(place + chance.choice((1, 1, 1, 1, 2, 0, -1)), 0)
    events.sort(key=lambda event: event[2])
    if seed % 2:
        chance.shuffle(events)
    return events


def figures(frame: Any) -> dict[str, Any]:
    """Return the figures of a data frame with the columns of XES, sorted by case, time and place in the log."""
    import pm4py  # type: ignore[import-not-found]

    frequencies, start, end = pm4py.discover_dfg(frame)
    durations = pm4py.discover_performance_dfg(frame)[0]
    names = {"mean": "mean", "median": "median", "min": "min", "max": "max", "sum": "sum"}
    return {
        "events": len(frame),
        "cases": int(frame["case:concept:name"].nunique()),
        "activities": {name: int(count) for name, count in frame["concept:name"].value_counts().items()},
        "edges": [
            [*edge, int(count), *(float(durations[edge][name]) for name in names)]
            for edge, count in sorted(frequencies.items())
        ],
        "start": {name: int(count) for name, count in sorted(start.items())},
        "end": {name: int(count) for name, count in sorted(end.items())},
        "variants": sorted([list(trace), len_of(cases)] for trace, cases in pm4py.get_variants(frame).items()),
    }


def len_of(cases: Any) -> Any:
    """Return the number of cases of a variant, which pm4py gives as a number or as a list of them."""
    return cases if isinstance(cases, int) else len(cases)


def framed(events: list[tuple[str, str, int]]) -> Any:
    """Return events as a data frame."""
    import pandas  # type: ignore[import-untyped, import-not-found]

    frame = pandas.DataFrame(events, columns=["case:concept:name", "concept:name", "time:timestamp"])
    frame["time:timestamp"] = pandas.to_datetime(frame["time:timestamp"], unit="us", utc=True)
    return in_order(frame)


def in_order(frame: Any) -> Any:
    """Sort by case and time; what has the same time stays in the order of the log."""
    return frame.sort_values(["case:concept:name", "time:timestamp"], kind="stable").reset_index(drop=True)


def main() -> None:
    """Write the figures of the small logs, or print those of a file."""
    if len(sys.argv) > 1:
        import pm4py

        frame = pm4py.convert_to_dataframe(pm4py.read_xes(sys.argv[1]))
        print(json.dumps(figures(in_order(frame))))
        return
    found = {str(seed): figures(framed(log(seed))) for seed in SEEDS}
    lines = ",\n".join(f"{json.dumps(seed)}: {json.dumps(of)}" for seed, of in found.items())
    FIGURES.write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
