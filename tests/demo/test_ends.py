"""However a demo is stopped, nothing of it goes on running, and what it wrote is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.host.waiting import wait_until

from wallflower.lab.demo.town import ROLES, ending_with

pytestmark = pytest.mark.waits

WALLFLOWER = Path(sys.executable).with_name("wallflower")
LIMIT_S = 60.0
_ALL = 1 + len(ROLES)


def _of(session: int) -> int:
    """How many processes of a session run (proc(5), stat)."""
    found = 0
    for entry in Path("/proc").iterdir():
        try:
            said = (entry / "stat").read_text("utf-8") if entry.name.isdigit() else ""
        except OSError:
            continue
        state, _, _, of = (*said.rpartition(")")[2].split(), "", "", "", "")[:4]
        found += of == str(session) and state != "Z"
    return found


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (signal.SIGTERM, 130), (signal.SIGKILL, -9),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.nightly),
        pytest.param(signal.SIGHUP, 130, marks=pytest.mark.nightly),
    ],
)  # fmt: skip
def test_a_demo_that_is_stopped_leaves_no_process_and_no_folder(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    # As a shell starts what it runs in the background.
    background = ["sh", "-c", 'trap "" INT; exec "$@"', "sh"]
    with subprocess.Popen(
        [*background, WALLFLOWER, "demo", "--once", "--viewers", "0"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as running:  # fmt: skip
        wait_until(lambda: _of(running.pid) >= _ALL, "the demo and its roles", LIMIT_S)
        running.send_signal(how)
        assert running.wait(LIMIT_S) == code
    wait_until(lambda: _of(running.pid) == 0, "no process outlives the demo", LIMIT_S)
    assert how is signal.SIGKILL or list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dead", [True, False])
def test_a_role_whose_demo_died_before_it_asked_to_be_told_never_begins(
    tmp_path: Path, dead: bool
) -> None:
    begun = tmp_path / "begun"
    parent = os.getpid()
    if dead:
        with subprocess.Popen(["true"]) as gone:
            parent = gone.pid
    ran = subprocess.run([*ending_with(parent), "touch", str(begun)], check=False, timeout=LIMIT_S)
    assert (ran.returncode, begun.exists()) == ((1, False) if dead else (0, True))
