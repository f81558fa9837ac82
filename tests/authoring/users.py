"""Another user of this machine, who builds what we build."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534
RUN = "import sys; from wallflower.cli import main; sys.argv[0] = 'wallflower'; main()"


def python_of(user: int | None) -> str:
    """A Python of this version that the user may run: ours may lie in a closed home."""
    same = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            run = subprocess.run([python, "-c", same], user=user, cwd="/", check=False)
        except OSError:
            continue
        if run.returncode == 0:
            return python
    pytest.fail("there is no Python that another user may run: apt-get install python3")


def open_to_others(path: Path) -> None:
    """Let another user pass through every folder of ours above a path."""
    for folder in (path, *path.parents):
        status = folder.stat()
        if status.st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(status.st_mode | stat.S_IXOTH | stat.S_IXGRP)
