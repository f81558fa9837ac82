"""Runs SPIN on town.pml: every interleaving within bounds, and what the search says of itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

MODEL = Path(__file__).with_name("town.pml")
_DEPTH = 100_000


@dataclass(frozen=True)
class Search:
    """One search: complete or not, what it met first, and how large it was."""

    complete: bool
    errors: int
    violated: str
    states: int
    depth: int
    unreached: list[str]

    def __str__(self) -> str:
        whole = "complete" if self.complete else "stopped at the first error"
        return f"{self.states:>10,} states, depth {self.depth:>4}, {whole} {self.violated}"


def _need(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.fail(f"{', '.join(missing)} missing: tools/setup.sh installs Debian's spin and gcc")


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [*command], cwd=folder, capture_output=True, text=True, check=False, timeout=3600
    )
    return done.stdout + done.stderr


def search(folder: Path, *defines: str, liveness: str = "", optimise: str = "-O0") -> Search:
    """Make the checker of town.pml under these #defines, run it to its end, read its summary.

    With `liveness` the LTL property of this name is checked instead, accepting cycles and all.
    """
    _need("spin", "gcc")
    folder.mkdir(parents=True)
    said = _run(folder, "spin", *(f"-D{define}" for define in defines), "-a", str(MODEL))
    assert (folder / "pan.c").is_file(), said
    # NFAIR: fairness needs a bit for each process.
    kind = ["-DNFAIR=3"] if liveness else ["-DSAFETY", "-DNOCLAIM"]
    made = _run(folder, "gcc", optimise, "-w", "-DCOLLAPSE", *kind, "-o", "pan", "pan.c")
    assert (folder / "pan").is_file(), made
    options = ["-a", "-f", "-N", liveness] if liveness else []
    said = _run(folder, "./pan", f"-m{_DEPTH}", *options)
    return _read(said)


def _read(said: str) -> Search:
    depth, errors = re.findall(r"depth reached (\d+), errors: (\d+)", said)[-1]
    states = re.findall(r"(\d+(?:\.\d+e\+\d+)?) states, stored", said)[-1]
    violated = re.search(r"assertion violated (.+?) \(at depth", said)
    whole = "Search not completed" not in said and "max search depth too small" not in said
    # An end state that is not reached is that of a process that never ends: none of ours does.
    lines = re.findall(r"town\.pml:(\d+), state \d+, \"(.+?)\"", said)
    unreached = [f"{line}: {what}" for line, what in lines if what != "-end-"]
    return Search(
        whole, int(errors), violated[1] if violated else "", int(float(states)), int(depth),
        unreached,
    )  # fmt: skip
