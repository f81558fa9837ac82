"""What an organisation installs: a wheel, no Node. Two users who build get the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from tests.authoring.users import NOBODY, RUN, open_to_others, python_of

from wallflower.campaign.edge.shapes import SUMS

pytestmark = pytest.mark.nightly

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A wheel of this tree, installed into a folder of its own."""
    wheels, target = tmp_path / "wheels", tmp_path / "installed"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=600)
    (wheel,) = wheels.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
               "--target", str(target), str(wheel)]  # fmt: skip
    subprocess.run(install, check=True, capture_output=True, timeout=600)
    return target


def _build(installed: Path, folder: Path, out: Path, env: dict[str, str], user: int | None) -> None:
    """`campaign build` out of the wheel, with no program in reach but Python."""
    packages = sysconfig.get_paths()["purelib"]
    done = subprocess.run(
        [*python_of(user), "-c", RUN, "campaign", "build", str(folder), "--out", str(out)],
        env={"PATH": "/nonexistent", "PYTHONPATH": f"{installed}:{packages}", **env},
        cwd="/", umask=0o077 if user else 0o022,
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_wheel_builds_without_node_and_another_user_gets_the_same_bytes(
    installed: Path, folder: Path, tmp_path: Path
) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import wallflower; print(wallflower.__file__)"],
        env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True, timeout=600,
    )  # fmt: skip
    assert where.stdout.startswith(str(installed))
    _build(installed, folder, tmp_path / "out", {"LANG": "C", "TZ": "UTC"}, None)
    user = NOBODY if os.getuid() == 0 else None
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere / "mine")
    if user:
        for path in (elsewhere, *elsewhere.rglob("*")):
            os.chown(path, user, user)
        open_to_others(tmp_path)
        for path in installed.rglob("*"):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    _build(
        installed, elsewhere / "mine", elsewhere / "out",
        {"LANG": "fa_IR.UTF-8", "TZ": "Asia/Tehran", "HOME": "/"}, user,
    )  # fmt: skip
    assert (elsewhere / "out" / SUMS).stat().st_uid == (user or os.getuid())
    assert (elsewhere / "out" / SUMS).read_bytes() == (tmp_path / "out" / SUMS).read_bytes()
