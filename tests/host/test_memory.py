"""A process that crashes leaves no image of its memory, whatever the system would have written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from wallflower.host.memory import is_swapped

GET_DUMPABLE = 3  # prctl(2)
SECRET = "words that were in memory"
# The child does what it is told, says what the system would do with it, and crashes.
CHILD = f"""
import ctypes, os, sys
from wallflower.host.memory import leave_no_image
if sys.argv[1] == "guarded":
    leave_no_image()
kept = "{SECRET}" * 1000
print(ctypes.CDLL(None).prctl({GET_DUMPABLE}), flush=True)
os.kill(os.getpid(), {signal.SIGABRT})
"""


def crashed(folder: Path, how: str) -> tuple[str, list[str]]:
    """What a child said of itself, and the files that its crash left in its folder."""

    def allowed() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    done = subprocess.run(
        [sys.executable, "-c", CHILD, how], cwd=folder, preexec_fn=allowed, timeout=30,
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGABRT
    return done.stdout.strip(), os.listdir(folder)


def test_a_process_that_crashes_leaves_no_image_of_its_memory(tmp_path: Path) -> None:
    for how in ("guarded", "open"):
        (tmp_path / how).mkdir()
    assert crashed(tmp_path / "guarded", "guarded") == ("0", [])
    dumpable, left = crashed(tmp_path / "open", "open")
    assert dumpable == "1", "the control"
    # Where this system writes images beside the program, the control leaves one.
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if resource.getrlimit(resource.RLIMIT_CORE)[1] and "/" not in pattern and "|" not in pattern:
        assert left


@pytest.mark.parametrize(
    ("listed", "swapped"),
    [
        ("", False),
        ("/dev/zram0 partition 8388604 0 100\n", False),
        ("/dev/sda2 partition 8388604 0 -2\n", True),
        ("/dev/zram0 partition 8388604 0 100\n/swapfile file 2097148 0 -2\n", True),
    ],
)
def test_swap_on_a_disk_is_seen_and_swap_in_memory_is_none(
    tmp_path: Path, listed: str, swapped: bool
) -> None:
    (tmp_path / "swaps").write_text("Filename Type Size Used Priority\n" + listed)
    assert is_swapped(tmp_path / "swaps") is swapped
    assert not is_swapped(tmp_path / "none"), "a system without such a list"
