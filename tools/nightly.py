"""Runs the parts of a night one after another. Each has its own limit and its own dated file, and
none hides what became of the others.

    python tools/nightly.py [--short] [--list] [PART...]

`make nightly` runs all of them, those first that say most in least time. docs/nightly/ gets a
DATE-PART.txt with each part's output, and in DATE.txt a line a part as soon as it has ended: so a
night that is cut short keeps what it has. Ends red when one part did.

`--short` cuts every part to a size that ends in minutes. It proves that the commands start and end,
and nothing else; its files are called DATE-short.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "nightly"
SHARE = "0.01"  # of the sizes that tests/night.py cuts
_QUIET_S = 60
_GRACE_S = 60
# What a test says stays readable: by day one that takes five minutes hangs, here some take thirty.
_PYTEST = ("pytest", "-rs", "-s", "--durations=10", "-o", "faulthandler_timeout=7200")
_NIGHT = ("-m", "nightly")
_COLLECT = ("--collect-only", "-q")


@dataclass(frozen=True)
class Part:
    """One command; the minutes that it took or is thought to take, and its limit in minutes."""

    name: str
    minutes: float
    limit: float
    command: tuple[str, ...] = _PYTEST
    paths: tuple[str, ...] = ()
    options: tuple[str, ...] = _NIGHT
    short: tuple[str, ...] = _NIGHT

    def line(self, short: bool) -> list[str]:
        """What is run: its paths, less those within that other parts have."""
        inner = [p for p in named() if any(p.startswith(f"{own}/") for own in self.paths)]
        ignored = [f"--ignore={path}" for path in inner]
        return [*self.command, *(self.short if short else self.options), *self.paths, *ignored]


_BROWSER = "tests/browser"
PARTS = (
    Part("usual", 12, 60, ("sh", "tools/tests.sh"), options=(), short=_COLLECT),
    Part("kills", 9, 60, paths=("tests/faults/test_kill.py",)),
    Part("machine", 10, 60, paths=("tests/lab/test_machine.py",)),
    Part("faults", 19, 90, paths=("tests/faults",), short=(*_NIGHT, "-k", "without_seats")),
    Part("models", 2, 60, paths=("tests/models",), short=(*_NIGHT, "-k", "APART")),
    Part("month", 6, 60, paths=("tests/lab/test_month.py",), short=("-m", "not nightly")),
    Part("crowd", 6, 60, paths=("tests/lab/test_survival.py",), short=(*_NIGHT, "-k", "mean")),
    Part("lab", 1, 60, paths=("tests/lab",), short=(*_NIGHT, "-k", "clock")),
    Part("fuzz", 25, 120, paths=("tests/fuzz",)),
    Part("page", 3, 60, paths=(_BROWSER,), short=(*_NIGHT, *_COLLECT)),
    Part("pairs", 28, 180, paths=(f"{_BROWSER}/test_pairs.py",), short=(*_NIGHT, *_COLLECT)),
    # Whatever is marked nightly and lies nowhere above.
    Part("rest", 24, 60, paths=("tests",)),
)
_NO_TESTS = 5  # of pytest: it is well where nothing is left for `rest`


def named() -> list[str]:
    """Every path that a part names."""
    return [path for part in PARTS for path in part.paths]


def end(process: subprocess.Popen[str]) -> None:
    """End a part and everything that it has started: they are one group."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(_GRACE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def ended_by(process: subprocess.Popen[str], until: float) -> bool:
    """Whether a part that says nothing any more has also ended by a moment."""
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def follow(process: subprocess.Popen[str], part: Part, until: float, file: TextIO) -> bool:
    """Show and keep what a part says until it ends; whether it did so in time."""
    assert process.stdout is not None  # noqa: S101  # it was started with a pipe
    descriptor = process.stdout.fileno()
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while time.monotonic() < until:
            if not selector.select(min(_QUIET_S, max(0.0, until - time.monotonic()))):
                gone = f"{(time.monotonic() - began) / 60:.0f} of at most {part.limit:g} minutes"
                print(f"    {part.name}: {gone}", flush=True)
                continue
            data = os.read(descriptor, 65536)
            if not data:
                return ended_by(process, until)
            said = data.decode(errors="replace")
            for stream in (file, sys.stdout):
                stream.write(said)
                stream.flush()
    return False


def run(part: Part, stem: str, short: bool) -> str:
    """Run a part; its outcome in a few words."""
    command = part.line(short)
    system = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    head = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {system}"
    beside = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": beside, "PYTHONUNBUFFERED": "1"}
    if short:
        environment["WALLFLOWER_NIGHT"] = SHARE
    with (OUT / f"{stem}-{part.name}.txt").open("w", encoding="utf-8") as file:
        file.write(f"{head}\n{' '.join(command)}\n")
        file.flush()
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            in_time = follow(process, part, time.monotonic() + 60 * part.limit, file)
        finally:
            if process.returncode is None:
                end(process)
            assert process.stdout is not None  # noqa: S101  # as above
            process.stdout.close()
        if not in_time:
            file.write(f"\nOut of time: {part.limit:g} minutes.\n")
            return "OUT OF TIME"
    code = process.returncode
    well = code == 0 or (part.name == "rest" and code == _NO_TESTS)
    return "passed" if well else f"FAILED ({code})"


def chosen() -> tuple[list[Part], bool]:
    """The parts that were asked for, and whether they are to be short."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--short", action="store_true", help="only prove that each starts and ends")
    parser.add_argument("--list", action="store_true", help="say what would be run, and how long")
    parser.add_argument("parts", nargs="*", metavar="PART", help="some parts only")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - {part.name for part in PARTS}:
        parser.error(f"no such part: {', '.join(sorted(unknown))} (--list names all)")
    parts = [part for part in PARTS if not asked.parts or part.name in asked.parts]
    if asked.list:
        for part in parts:
            usual = f"about {part.minutes:g} min, at most {part.limit:g}"
            print(f"{part.name:9} {usual:26} {' '.join(part.line(asked.short))}")
        sys.exit(0)
    return parts, asked.short


def main() -> int:
    """Run them all."""
    parts, short = chosen()
    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # whatever a test prints, and whatever this terminal can
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    stem = f"{datetime.now(UTC):%Y-%m-%d}" + ("-short" if short else "")
    OUT.mkdir(exist_ok=True)
    bad = 0
    with (OUT / f"{stem}.txt").open("a") as table:
        for part in parts:
            began = datetime.now(UTC)
            print(f"\n==> {part.name}: at most {part.limit:g} minutes", flush=True)
            outcome = run(part, stem, short)
            bad += outcome != "passed"
            minutes = (datetime.now(UTC) - began).total_seconds() / 60
            row = f"{began:%Y-%m-%d %H:%M} UTC  {part.name:9} {outcome:12} {minutes:6.1f} min\n"
            table.write(row)
            table.flush()
            print(row, end="", flush=True)
    print((OUT / f"{stem}.txt").read_text(), end="")
    return int(bad > 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
