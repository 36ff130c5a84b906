"""The results as Markdown: the machine, one row a figure, every miss by how much; written between two marks of a page."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from bench.scenarios import SCENARIOS, Figure, Scenario, Trial
from bench.servers.launch import Kind, available

BEGIN, END = "<!-- bench: written by `make bench` -->", "<!-- bench: end -->"
Results = dict[str, Any]


def number(value: float) -> str:
    """Three significant digits, thousands with a comma, infinity as a word."""
    if value == float("inf"):
        return "never"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _values(results: Results, scenario: str, kind: str, figure: Figure) -> list[float]:
    return [figure.read(Trial(**trial)) for trial in results["trials"].get(scenario, {}).get(kind, [])]


def _share(results: Results, scenario: str, kind: str) -> float:
    """The smallest part of its events that any round delivered in time."""
    trials = [Trial(**trial) for trial in results["trials"][scenario][kind]]
    return min(trial.got / (trial.got + trial.missing) if trial.missing else 1.0 for trial in trials)


def _ours(values: list[float], figure: Figure) -> tuple[str, str]:
    """Our cell and the verdict on the target."""
    middle = statistics.median(values)
    spread = f" ({number(min(values))}–{number(max(values))})" if len(values) > 1 else ""
    if figure.target is None:
        return f"**{number(middle)}**{spread}", ""
    sign = "≥" if figure.more else "≤"
    target = f"{sign} {number(figure.target)}"
    ratio = figure.target / middle if figure.more else middle / figure.target
    verdict = f"{target}: reached" if ratio <= 1 else f"{target}: missed by {(ratio - 1) * 100:.0f} %"
    return f"**{number(middle)}**{spread}", verdict


def _theirs(values: list[float], ours: float | None, figure: Figure, share: float) -> str:
    middle = statistics.median(values)
    text = number(middle)
    if ours and middle not in (0, float("inf")):
        text += f" (×{number(ours / middle if figure.more else middle / ours)})"
    return text if share >= 1 else f"{text}, {int(share * 100)} % delivered"


def _row(results: Results, scenario: Scenario, figure: Figure, kinds: list[Kind]) -> str:
    mine = _values(results, scenario.name, "tidings", figure)
    ours = statistics.median(mine) if mine else None
    cell, verdict = _ours(mine, figure) if mine else ("–", "")
    if mine and (share := _share(results, scenario.name, "tidings")) < 1:
        cell += f", {share * 100:.1f} % delivered"
    cells = []
    for kind in kinds:
        values = _values(results, scenario.name, kind.name, figure)
        cells.append(_theirs(values, ours, figure, _share(results, scenario.name, kind.name)) if values else "–")
    return f"| {figure.title}, {figure.unit} | {cell} | {verdict} | {' | '.join(cells)} |"


def _encode_row(encoded: dict[str, float], kinds: list[Kind]) -> str:
    figure = Figure("encode", "encode one event", "µs", lambda _: 0.0, 0.3)
    cell, verdict = _ours([encoded["tidings"]], figure)
    cells = [_theirs([encoded[k.name]], encoded["tidings"], figure, 1) if k.name in encoded else "–" for k in kinds]
    return f"| encode one event, µs | {cell} | {verdict} | {' | '.join(cells)} |"


def _clients(results: Results) -> str:
    """How much of the server's CPU the load client used, and how much of the machine others took: is the figure ours?"""
    lines = ["| scenario | server | server CPU s | client CPU s | client : server | others' share of the machine |", "|---|---|---|---|---|---|"]
    cores = int(results["machine"]["cpu"].split()[0])
    for scenario, row in results["trials"].items():
        for kind, raw in row.items():
            trials = [Trial(**trial) for trial in raw]
            server, client = (statistics.median(getattr(t, key) for t in trials) for key in ("server_cpu", "client_cpu"))
            others = max(trial.others_cpu / (trial.elapsed * cores) for trial in trials)
            ratio = f"{client / server:.2f}" if server else "–"
            lines.append(f"| {scenario} | {kind} | {server:.2f} | {client:.2f} | {ratio} | {others * 100:.0f} % |")
    return "\n".join(lines)


def _flaws(results: Results) -> str:
    """What a reader saw that must never be: said for every server, ours first."""
    lines = []
    for scenario, row in results["trials"].items():
        for kind, raw in row.items():
            for trial in (Trial(**trial) for trial in raw):
                if wrong := trial.wrong():
                    lines.append(f"- {scenario}, {kind}: {', '.join(wrong)} ({trial.result['complaint'] or 'no error was sent'})")
    return "\n".join(lines) or "- none: in every trial of every server, whatever was delivered was delivered once and in order."


def table(results: Results) -> str:
    """All of a run as Markdown."""
    here = results["machine"]
    kinds = [kind for kind in available() if kind.name != "tidings"]
    packages = ", ".join(f"{name} {version}" for name, version in here["packages"].items())
    head = [
        f"{here['date']}; {here['cpu']}, {here['memory']}, Linux {here['kernel']}, {here['disk']} on a disk where a 4 KB append with "
        f"`fdatasync` takes {here['sync_ms']} ms; Python {here['python']}, SQLite {here['sqlite']}, Tidings {here['tidings']}, {packages}"
        f"{', nchan ' + here['nchan'] if here['nchan'] else ''}. Median of {results['rounds']}, (lowest–highest).",
        "",
        f"| what | Tidings | target | {' | '.join(kind.label for kind in kinds)} |",
        f"|---|---|---|{'---|' * len(kinds)}",
        f"| an event is kept | {next(k.kept for k in available() if k.name == 'tidings')} | | {' | '.join(k.kept for k in kinds)} |",
    ]
    rows = [_row(results, scenario, figure, kinds) for scenario in SCENARIOS if scenario.name in results["trials"] for figure in scenario.figures]
    if results["encode"]:
        rows.append(_encode_row(results["encode"], kinds))
    tail = ["", "### Lost, doubled, out of order", "", _flaws(results), "", "### The load client's part", "", _clients(results)]
    return "\n".join([*head, *rows, *tail])


def write(page: Path, text: str) -> None:
    """Replace what stands between the page's two marks."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
