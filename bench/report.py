"""The results as Markdown: the machine, a row for each figure, each miss and by how much."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from bench import bounds, decode, processes, restart, rooms, stores
from bench.scenarios import SCENARIOS, Figure, Scenario, Trial
from bench.servers.launch import TIDINGS, Kind, available

BEGIN, END = "<!-- bench: written by `make bench` -->", "<!-- bench: end -->"
TITLES = {"alone": "encode one event alone", "page": "encode one event of a page of 100"}
Trials = dict[str, dict[str, list[Trial]]]
"""By scenario, then by server."""


def table(results: dict[str, Any]) -> str:
    """All of a run as Markdown. `results` is what `__main__` writes as JSON."""
    rivals = [kind for kind in available() if kind.name != TIDINGS.name]
    trials: Trials = {
        scenario: {kind: [Trial(**trial) for trial in runs] for kind, runs in row.items()}
        for scenario, row in results["trials"].items()
    }
    rows = [_row(trials[s.name], s, figure, rivals) for s in SCENARIOS if s.name in trials for figure in s.figures]
    rows += [_encode_row(encoded, TITLES[name], rivals) for name, encoded in results["encode"].items()]
    parts = [
        *(["Quick: shorter and smaller trials than the rows say."] if results["quick"] else []),
        _machine(results["machine"], results["rounds"]),
        _line("what", TIDINGS.label, "target", *(kind.label for kind in rivals))
        + _line(*["---"] * (3 + len(rivals)))
        + _line("an event is kept", TIDINGS.kept, "", *(kind.kept for kind in rivals))
        + "".join(rows).rstrip(),
        *(["### Reading an event stream", decode.table(results["decode"])] if results.get("decode") else []),
        *(["### Rooms", _rooms(results["rooms"])] if results.get("rooms") else []),
        *(["### Process maps", _our_rows(processes.rows(results["processes"]))] if results.get("processes") else []),
        *(["### Bounds", _our_rows(bounds.rows(results["bounds"]))] if results.get("bounds") else []),
        *(["### Workers", _our_rows(restart.rows(results["restart"]))] if results.get("restart") else []),
        *(["### Stores", stores.table(results["stores"])] if results.get("stores") else []),
        "### Lost, doubled, out of order",
        _flaws(trials),
        "### The load client's part, and everybody else's",
        _clients(trials, int(results["machine"]["cpu"].split()[0])),
    ]
    return "\n\n".join(parts)


def write(page: Path, text: str) -> None:
    """Replace what stands between the page's two marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


def number(value: float) -> str:
    """Three significant digits, thousands with a comma, infinity as a word."""
    if value == float("inf"):
        return "never"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def _machine(here: dict[str, Any], rounds: int) -> str:
    packages = [f"{name} {version}" for name, version in here["packages"].items()]
    versions = [f"Python {here['python']}", f"SQLite {here['sqlite']}", f"Tidings {here['tidings']}", *packages]
    if here["nchan"]:
        versions.append(f"nchan {here['nchan']}")
    return (
        f"{here['date']}. {here['cpu']}, {here['memory']}, Linux {here['kernel']}; the stores on {here['disk']}, "
        f"a disk where an append of 4 KB with `fdatasync` takes {here['sync_ms']} ms. {', '.join(versions)}. "
        f"Each cell is the median of {rounds}, ours with (lowest–highest)."
    )


def _row(runs: dict[str, list[Trial]], scenario: Scenario, figure: Figure, rivals: list[Kind]) -> str:
    mine = [figure.read(trial) for trial in runs.get(TIDINGS.name, [])]
    cells = list(_ours(mine, figure)) if mine else ["–", ""]
    if mine and _share(runs[TIDINGS.name]) < 1:
        cells = [f"{cells[0]}, {_share(runs[TIDINGS.name]) * 100:.2f} % delivered", "missed: not all was delivered"]
    for kind in rivals:
        theirs = [figure.read(trial) for trial in runs.get(kind.name, [])]
        cells.append(_theirs(theirs, mine, figure, _share(runs[kind.name])) if theirs else "–")
    return _line(f"{figure.title}, {figure.unit}", *cells)


def _encode_row(encoded: dict[str, float], title: str, rivals: list[Kind]) -> str:
    figure, mine = Figure(title, title, "µs", lambda _: 0.0, 0.3), [encoded[TIDINGS.name]]
    theirs = [_theirs([encoded[kind.name]], mine, figure, 1) if kind.name in encoded else "–" for kind in rivals]
    return _line(f"{title}, µs", *_ours(mine, figure), *theirs)


def _rooms(results: dict[str, Any]) -> str:
    """Nobody else's server has rooms, so these figures have a table of their own."""
    return f"{_our_rows(rooms.rows(results))}\n\n{rooms.beside(results)}"


def _our_rows(rows: list[tuple[Figure, list[float]]]) -> str:
    lines = [_line("what", TIDINGS.label, "target"), _line(*["---"] * 3)]
    lines += [_line(f"{figure.title}, {figure.unit}", *_ours(values, figure)) for figure, values in rows]
    return "".join(lines).rstrip()


def _share(trials: list[Trial]) -> float:
    """The smallest part of its events that any round delivered in time."""
    return min(trial.got / (trial.got + trial.missing) if trial.missing else 1.0 for trial in trials)


def _ours(values: list[float], figure: Figure) -> tuple[str, str]:
    """Our cell, and the verdict on the target."""
    middle = statistics.median(values)
    cell = f"**{number(middle)}**" + (f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else "")
    if figure.target is None:
        return cell, ""
    ratio = figure.target / middle if figure.more else middle / figure.target
    verdict = "reached" if ratio <= 1 else f"missed by {(ratio - 1) * 100:.0f} %"
    return cell, f"{'≥' if figure.more else '≤'} {number(figure.target)}: {verdict}"


def _theirs(values: list[float], mine: list[float], figure: Figure, share: float) -> str:
    """A rival's cell, with how many times better than it we are; under 1: how much worse."""
    middle = statistics.median(values)
    text = number(middle)
    if mine and 0 < middle < float("inf"):
        ours = statistics.median(mine)
        text += f" (×{number(ours / middle if figure.more else middle / ours)})"
    return text if share >= 1 else f"{text}, {share * 100:.0f} % delivered"


def _flaws(trials: Trials) -> str:
    """List what no server may do: lost, doubled or reordered events that a reader saw."""
    lines = [
        f"- {scenario}, {kind}: {', '.join(wrong)} ({trial.result['complaint'] or 'no error was sent'})"
        for scenario, runs in trials.items()
        for kind, rounds in runs.items()
        for trial in rounds
        if (wrong := trial.wrong())
    ]
    return "\n".join(lines) or (
        "Every server delivered its events once and in order, apart from those that the table counts as not delivered."
    )


def _clients(trials: Trials, cores: int) -> str:
    """Show the CPU of the load client and of all else on the machine: where it is high, do not trust the figures."""
    text = _line(
        "scenario", "server", "server CPU, s", "client CPU, s", "client's part of a core", "others' part of all"
    )
    text += _line(*["---"] * 6)
    for scenario, runs in trials.items():
        for kind, rounds in runs.items():
            server = statistics.median(trial.server_cpu for trial in rounds)
            client = statistics.median(trial.client_cpu for trial in rounds)
            core = statistics.median(trial.client_cpu / max(trial.elapsed, 0.1) for trial in rounds)
            others = max(trial.others_cpu / max(trial.elapsed * cores, 0.1) for trial in rounds)
            text += _line(
                scenario, kind, f"{server:.2f}", f"{client:.2f}", f"{core * 100:.0f} %", f"{others * 100:.0f} %"
            )
    return text.rstrip()
