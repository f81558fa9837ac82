"""Small disks that fill up, a filesystem in a file that can be read raw, and who may make them."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.crew import need

WITHOUT_ROOT = "WITHOUT_ROOT"  # a CI job that cannot be root says so by this variable


def need_root() -> None:
    """Mounting needs root: fail and say so, but where the run itself says that it has none."""
    if os.geteuid() != 0:
        _cannot("this test mounts small filesystems and has to run as root")
    need("mount", "umount")


def need_strace() -> None:
    """Our processes keep their memory to themselves, so that root alone may trace them."""
    if os.geteuid() != 0:
        _cannot("this test traces processes that protect their memory, and has to run as root")
    need("strace")


def _cannot(why: str) -> None:
    if os.environ.get(WITHOUT_ROOT):
        pytest.skip(f"{why} ({WITHOUT_ROOT} is set)")
    pytest.fail(f"{why}; set {WITHOUT_ROOT}=1 to leave it out")


@contextlib.contextmanager
def mounted(where: Path, *options: str) -> Iterator[Path]:
    """A filesystem mounted on a new folder, within."""
    need_root()
    where.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *options, str(where)], check=False, capture_output=True)
    if done.returncode:
        _cannot(f"this machine mounts nothing: {done.stderr.decode().strip()}")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True, capture_output=True)


def small_disk(where: Path, size: int) -> contextlib.AbstractContextManager[Path]:
    """A tmpfs of so many bytes."""
    return mounted(where, "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs")


@contextlib.contextmanager
def image_disk(image: Path, where: Path, size: int) -> Iterator[Path]:
    """An ext4 filesystem inside of a file, which can be read raw once this has ended."""
    need_root()
    need("mkfs.ext4")
    with image.open("wb") as file:
        file.truncate(size)
    make = ["mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "lazy_itable_init=0,nodiscard"]
    subprocess.run([*make, str(image)], check=True, capture_output=True)
    with mounted(where, "-o", "loop,nodiscard", str(image)):
        yield where


def fill(disk: Path) -> Path:
    """Take all that is free on a disk by one file; remove it to give the space back."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast
