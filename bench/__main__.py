"""`python -m bench [--quick]`: a table, and on the last line one JSON object."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import mixing, people, raw, receivers
from bench.parts import Part, figures, table
from bench.place import no_step, open_place
from wallflower.host.serve import calm_collector

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    hums: int
    rounds: int
    seconds: float
    times: int


QUICK = Size(hums=341, rounds=1, seconds=2.0, times=20)
WHOLE = Size(hums=1364, rounds=5, seconds=10.0, times=200)


async def measure(folder: Path, size: Size, slow: mixing.Slow = no_step) -> dict[str, Part]:
    """Everything that is measured in this process."""
    parts = await mixing.measure(folder / "mixes", size.hums, size.rounds, slow)
    parts |= await mixing.by_two(folder / "two", 4 * size.hums, size.rounds)
    parts |= raw.by_two(2 * size.hums, max(3, size.rounds))
    place = await open_place(folder / "people", in_memory=False)
    parts |= people.waits(place, size.times)
    place.town.close()
    return parts


def loaded_mb(folder: Path) -> float:
    """The most memory that a process with mixes needs for full pages."""
    command = [sys.executable, "-m", "bench.loaded", str(folder)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)


async def run(folder: Path, size: Size) -> tuple[dict[str, Part], dict[str, object]]:
    """All parts and all figures."""
    others: dict[str, Any] = {"load_1min": round(os.getloadavg()[0], 2)}
    parts = await measure(folder, size)
    peak = loaded_mb(folder / "loaded")
    parts["ingress"], parts["load on ingress"], stored = receivers.ingress(folder, size.seconds)
    parts["nginx"], parts["load on nginx"], read = receivers.nginx(folder / "nginx", size.seconds)
    others["rss_loaded_mb"] = {"ingress": stored.pop("peak_mb"), "mix": peak}
    others["received"] = {**stored, **read}
    others |= await people.idle_roles(folder / "roles")
    return parts, figures(parts, others)


def main() -> None:
    """Measure, print, end."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, under 50 s")
    parser.add_argument("--disk", type=Path, default=ROOT, help="a folder on the disk to measure")
    chosen = parser.parse_args()
    if receivers.nginx_path() is None:
        parser.exit(1, "nginx is missing. Type: make bench, which installs it.\n")
    # However it ends, the processes that it started end and its folder goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    calm_collector()  # as every role's process does
    with tempfile.TemporaryDirectory(prefix="wallflower-bench-", dir=chosen.disk) as folder:
        parts, said = asyncio.run(run(Path(folder), QUICK if chosen.quick else WHOLE))
    print(table(parts, said))
    print(f"\n{time.monotonic() - began:.0f} s, {os.cpu_count()} cores")
    print(json.dumps(said))


if __name__ == "__main__":
    main()
