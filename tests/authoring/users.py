"""Another user of this machine, who builds what we build."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534
RUN = "import sys; from wallflower.cli import main; sys.argv[0] = 'wallflower'; main()"


def python_of(user: int | None) -> list[str]:
    """The command of our Python as that user, or as we are. Where ours lies in a closed home, the
    user may look into it, and is somebody else all the same.
    """
    if user is None:
        return [sys.executable]
    # By its path: what runs next may have none to look in.
    change = [
        shutil.which("setpriv") or "setpriv",
        f"--reuid={user}",
        f"--regid={user}",
        "--clear-groups",
    ]
    said = ""
    for right in ([], ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]):
        command = [*change, *right, sys.executable]
        asked = [*command, "-c", "import os, wallflower.cli; print(os.getuid())"]
        run = subprocess.run(asked, cwd="/", capture_output=True, text=True, check=False)
        if run.stdout == f"{user}\n":
            return command
        said = run.stderr[-500:]
    pytest.fail(f"no other user can be had here: {said}")


def open_to_others(path: Path) -> None:
    """Let another user pass through every folder of ours above a path."""
    for folder in (path, *path.parents):
        status = folder.stat()
        if status.st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(status.st_mode | stat.S_IXOTH | stat.S_IXGRP)
