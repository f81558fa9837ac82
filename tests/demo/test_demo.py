"""The demo as a stranger runs it: real processes, real HTTP, a real Chromium."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WALLFLOWER = Path(sys.executable).with_name("wallflower")
# A quiet machine takes half a minute. How long another takes is no fault: waiting for ever is one.
LIMIT_S = 400


def demo(folder: Path, *more: str) -> tuple[dict[str, Any], subprocess.CompletedProcess[str]]:
    """One walk without people; its JSON object and how it ended."""
    done = subprocess.run(
        [WALLFLOWER, "demo", "--once", "--json", "--keep", str(folder / "demo"), *more],
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout + done.stderr
    result: dict[str, Any] = json.loads(lines[0])
    return result, done


# With a Chromium it computes for most of its time, and the demo waits 20 s for a page at most: so
# it has the machine to itself.
@pytest.mark.parametrize(
    "browser",
    [
        pytest.param(False, marks=pytest.mark.waits),
        pytest.param(True, marks=[pytest.mark.browser, pytest.mark.alone]),
    ],
)
def test_one_letter_goes_there_and_its_answer_comes_back(tmp_path: Path, browser: bool) -> None:
    result, done = demo(tmp_path, *(["--browser"] if browser else []))
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("letter_delivered", "reply_read", "receipt_verified"):
        assert result[name] is True, name
    assert result["viewers"] >= 200
    assert result["cells"] >= 12 * 2  # the source's own two hums at the very least
    assert result["hums"] > result["floor"]
    assert result["floor_reached"] >= result["floor"]
    assert result["pool_high_water"]["a"] > 1
    assert result["pool_high_water"]["b"] >= 1
    assert (result["pace_hums"], result["demo_days"] >= 3) == (60, True)
    assert result["wall_s"] < LIMIT_S
    assert {"ingress", "mix-a", "mix-b", "organisation", "desk"} <= set(result["pids"])
    for name, pid in result["pids"].items():
        assert not _runs(pid), f"{name} was left running"
    for log in (tmp_path / "demo").glob("*.log"):
        assert log.read_text() == "", f"{log.name} is not empty"


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.waits
def test_a_demo_whose_mix_never_releases_ends_red(tmp_path: Path) -> None:
    """The control: nobody else hums, so B's floor is never met, and the demo says so."""
    result, done = demo(tmp_path, "--viewers", "0", "--patience", "12")
    assert done.returncode != 0
    assert result.get("letter_delivered") is not True
