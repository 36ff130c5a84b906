"""Measure how fast an event stream is decoded: MB/s of its bytes, the best of several rounds, in chunks of 16 KB.

Tidings' decoder is measured beside the Python libraries, and in Node our JavaScript decoder beside
`eventsource-parser` (bench/decode.js). Each decoder is fed as its users feed it: for httpx-sse and requests-sse the
time includes the decoding of bytes to text, as it does for ours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from bench.others import READERS
from tidings.wire.sse import Decoder

HERE = Path(__file__).parent
CHUNK = 16 * 1024
SIZE = 4_000_000

CASES: dict[str, Callable[[int], str]] = {
    "tokens": lambda n: f'id: k3Jx9-{n}\ndata: {{"type":"block.delta","delta":" word"}}\n\n',
    "100-byte events": lambda n: f"event: update\ndata: {'x' * 67}\nid: k3Jx9-{n % 9000 + 1000}\n\n",
    "1 KB events": lambda n: f"event: update\nid: k3Jx9-{n}\ndata: {'x' * 1000}\n\n",
    "lines": lambda n: f"data: {n}\ndata: a second line\ndata: and a third\n\n",
    "100 lines": lambda n: f"{'data: a line of many' + chr(10)}" * 100 + f"id: k3Jx9-{n}\n\n",
    "beyond ASCII": lambda n: f"id: {n}\ndata: {'€豆腐 ' * 20}\n\n",
    "long lines": lambda n: f"data: {'x' * (256 * 1024)}\n\n",
}
"""Name, and one event of the stream. Those of bench/decode.js have the same names."""


def _ours(chunks: Iterable[bytes]) -> int:
    decoder = Decoder()
    return sum(len(decoder.feed(chunk)) for chunk in chunks)


def measure(rounds: int = 7) -> dict[str, dict[str, float]]:
    """MB/s, by case and reader. Where there is no Node or no package of it, what runs there is left out."""
    readers: dict[str, Callable[[Iterable[bytes]], int]] = {"tidings": _ours}
    readers |= {name: (lambda chunks, read=read: sum(1 for _ in read(chunks))) for name, read in READERS.items()}
    results: dict[str, dict[str, float]] = {}
    for name, event in CASES.items():
        stream = "".join(event(n) for n in range(SIZE // len(event(0).encode()) + 1)).encode()
        chunks = [stream[at : at + CHUNK] for at in range(0, len(stream), CHUNK)]
        best, found = dict.fromkeys(readers, 0.0), set()
        for _ in range(rounds):  # by turns, so that a disturbance hits all of them
            for reader, read in readers.items():
                began = time.process_time()
                found.add(read(chunks))
                best[reader] = max(best[reader], len(stream) / 1e6 / (time.process_time() - began))
        if len(found) != 1:
            raise ValueError(f"the readers differ on {name}: {found} events")
        results[name] = best
    for name, row in _in_node().items():
        results.setdefault(name, {}).update(row)
    return results


def _in_node() -> dict[str, dict[str, float]]:
    node = shutil.which("node")
    if node is None or not (HERE.parent / "node_modules" / "eventsource-parser").is_dir():
        return {}
    done = subprocess.run([node, str(HERE / "decode.js")], capture_output=True, text=True, check=True, timeout=600)
    cases = json.loads(done.stdout)["cases"]
    return {name: {f"{reader} (Node)": speed for reader, speed in row.items()} for name, row in cases.items()}


def table(results: dict[str, dict[str, float]]) -> str:
    """The results as Markdown; beside a rival's figure, how many times faster ours of the same language is."""
    readers = list(dict.fromkeys(reader for row in results.values() for reader in row))
    lines = [f"| decode, MB/s | {' | '.join(readers)} |", f"|{' --- |' * (len(readers) + 1)}"]
    for name, row in results.items():
        cells = []
        for reader in readers:
            mine = row.get("tidings (Node)" if reader.endswith("(Node)") else "tidings", 0.0)
            speed = row.get(reader)
            ours = reader.startswith("tidings")
            text = "–" if speed is None else f"**{speed:,.0f}**" if ours else f"{speed:,.0f} (×{mine / speed:.1f})"
            cells.append(text)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    if not any("Node" in reader for reader in readers):
        lines += [
            "",
            "There is no Node here, or `eventsource-parser` is not installed, so JavaScript was not measured.",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measure()))
