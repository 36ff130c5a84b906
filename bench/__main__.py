"""`python -m bench [--quick] [--rounds N] [--only NAME]…`: run the scenarios and write docs/performance.md.

A partial run (`--only`, or `--quick`) prints its table and leaves the page and results/last.json as they are. What a
run that failed had measured is in results/partial.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench import bounds, decode, encode, machine, processes, report, restart, rooms, stores
from bench.client import BenchError, build
from bench.scenarios import SCENARIOS, Scenario, Trial
from bench.servers import nchan
from bench.servers.launch import Kind, available
from bench.trial import able, run

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PAGE = HERE.parent / "docs" / "performance.md"
BOUNDS = {"streams", "worst"}
BESIDES = {"encode", "decode", "rooms", "processes", "restart", "stores", *BOUNDS}
"""Parts of the benchmark that are measured without the scenarios' load client."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Tidings beside other servers.")
    parser.add_argument("--quick", action="store_true", help="short trials, one round: whether all works, not how fast")
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="trials of each cell; the median is shown (3)"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a scenario or a server; may be repeated"
    )
    parser.add_argument("--work", type=Path, default=HERE / "build", help="a directory on a disk, for the stores")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds is at least 1")
    names = {scenario.name for scenario in SCENARIOS} | {kind.name for kind in available()} | BESIDES
    if unknown := set(options.only) - names:
        parser.error(f"--only {', '.join(sorted(unknown))}: known are {', '.join(sorted(names))}")
    return options


def _chosen(only: Iterable[str]) -> tuple[list[Scenario], list[Kind]]:
    scenarios = [scenario for scenario in SCENARIOS if scenario.name in only]
    kinds = [kind for kind in available() if kind.name in only]
    wants_all = not scenarios and not BESIDES & set(only)
    return (list(SCENARIOS) if wants_all else scenarios), kinds or available()


def _say(kind: Kind, scenario: Scenario, trial: Trial) -> None:
    figures = ", ".join(f"{figure.key} {figure.read(trial):.3g} {figure.unit}" for figure in scenario.figures)
    flaws = [f"{trial.missing} of {trial.missing + trial.got} not delivered in time"] if trial.missing else []
    notes = "; ".join(flaws + trial.wrong() + ([trial.result["complaint"]] if trial.result["complaint"] else []))
    accounts = f"server {trial.server_cpu:.2f}, client {trial.client_cpu:.2f}, others {trial.others_cpu:.2f}"
    print(
        f"{scenario.name:13} {kind.name:14} {figures}  (CPU s: {accounts}, of {trial.elapsed:.1f})"
        f"{'  !! ' + notes if notes else ''}",
        flush=True,
    )


def _measure(options: argparse.Namespace, work: Path, results: dict[str, Any]) -> None:
    """Put each part into `results` as soon as it is measured, so that a part that fails costs no other."""
    scenarios, kinds = _chosen(options.only)
    rounds = 1 if options.quick else options.rounds
    wanted = BESIDES & set(options.only) if options.only else BESIDES
    program = build(work)
    trials: dict[str, dict[str, list[dict[str, Any]]]] = {scenario.name: {} for scenario in scenarios}
    results |= {
        "machine": machine.describe(work, nchan.version()),
        "rounds": rounds,
        "quick": options.quick,
        "trials": trials,
        "encode": {},
        "decode": {},
        "rooms": {},
        "bounds": {},
    }
    # The rounds are the outer loop, so that a disturbance of a minute hits one round of every cell, not all of one.
    for _ in range(rounds):
        for scenario in scenarios:
            for kind in kinds:
                if able(kind, scenario):
                    trial = run(program, work, kind, scenario, options.quick)
                    _say(kind, scenario, trial)
                    trials[scenario.name].setdefault(kind.name, []).append(asdict(trial))
    if "encode" in wanted:
        results["encode"] = encode.measure()
    if "decode" in wanted:
        results["decode"] = decode.measure()
    if "rooms" in wanted:
        results["rooms"] = rooms.measure(work, rounds, options.quick)
    if "processes" in wanted:
        results["processes"] = processes.measure(work, rounds, options.quick)
    if "restart" in wanted:
        results["restart"] = restart.measure(work, rounds, options.quick)
    if "stores" in wanted:
        results["stores"] = stores.measure(work, rounds, options.quick)
    results["bounds"] = bounds.measure(work, rounds, options.quick, BOUNDS & wanted)


def _keep(name: str, results: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")


def main() -> int:
    options = _arguments()
    try:
        machine.raise_file_limit()
        options.work.mkdir(parents=True, exist_ok=True)
        machine.filesystem(options.work.resolve())
        work = Path(tempfile.mkdtemp(dir=options.work.resolve()))
        work.chmod(0o711)  # PostgreSQL's user goes through to the folder of its own
        results: dict[str, Any] = {}
        try:
            _measure(options, work, results)
        except BenchError:
            _keep("partial", results)
            raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 1
    whole = not options.quick and not options.only
    _keep("last" if whole else "partial", results)
    table = report.table(results)
    print(table)
    if whole:
        report.write(PAGE, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
