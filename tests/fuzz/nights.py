"""One night of fuzzing: a target, its seeds, how often, and what came of it."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS, seeds

HERE = Path(__file__).parent
KEPT = HERE / "corpus"
LARGEST_KEPT = 512
MOST_KEPT = 24

_USUAL = 650_000
# What checks a key, a signature or a chain at each execution is slower, and gets less of the night.
_LESS = {
    "record": 150_000, "body": 150_000, "offer": 40_000, "offer-of-b": 40_000,
    "words": 200_000, "hum": 400_000, "cells": 400_000, "reply": 300_000, "chain": 400_000,
}  # fmt: skip
RUNS = {name: _LESS.get(name, _USUAL) for name in TARGETS}


@dataclass(frozen=True)
class Night:
    """What libFuzzer said of one target."""

    code: int
    executed: int
    a_second: int
    said: str


def fuzz(name: str, folder: Path, *options: str) -> Night:
    """Run one target of targets.py (or `planted`, on the seeds of a cell) in its own process."""
    folder.mkdir(parents=True)
    for number, seed in enumerate(seeds("cell" if name == "planted" else name)):
        (folder / f"seed-{number:03}").write_bytes(seed)
    kept = [str(KEPT / name)] if (KEPT / name).is_dir() else []
    prefix = f"-artifact_prefix={folder.parent}/{name}-"
    command = [sys.executable, str(HERE / "fuzz.py"), name, str(folder)]
    done = subprocess.run(
        [*command, "-print_final_stats=1", "-timeout=20", prefix, *options, *kept],
        capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    numbers = dict(re.findall(r"stat::(\w+):\s+(\d+)", said))
    return Night(
        done.returncode, int(numbers.get("number_of_executed_units", 0)),
        int(numbers.get("average_exec_per_sec", 0)), said[-3000:],
    )  # fmt: skip


def keep(name: str, folder: Path) -> None:
    """Add the smallest of those that reached something new to the corpus."""
    into = KEPT / name
    into.mkdir(parents=True, exist_ok=True)
    here = {file.read_bytes() for file in into.iterdir()}
    known = here | set(seeds(name))
    found = {file.read_bytes() for file in folder.iterdir()} - known
    small = sorted(data for data in found if len(data) <= LARGEST_KEPT)
    for data in sorted(small, key=len)[: MOST_KEPT - len(here)]:
        (into / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
