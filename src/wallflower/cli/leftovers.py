"""What a command would leave below /tmp that is stopped: of a demo a folder with keys, which goes
with the next one; of a check the copy that it looked at, of a build or film what is half made."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "wallflower-demo-"
_LOCK: Final = "demo.lock"
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Have a supervisor's signal, and a terminal that was closed, end all as Ctrl-C does: what a
    shell starts in the background was told to ignore that one."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        if before[number] is not signal.SIG_IGN:  # as nohup asks
            signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that goes with the block. Those of demos that are gone go first."""
    clear(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    held = hold(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def hold(folder: Path) -> int:
    """Lock a folder for as long as this process lives; the open file that does. It gets its name
    only when it is locked, so that nobody finds it free."""
    beside = folder / f"{_LOCK}.new"
    held = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    beside.rename(folder / _LOCK)
    return held


def clear(place: Path) -> None:
    """Remove what demos of this user left in a folder when they were killed, and nothing else: a
    folder of that name and owner, with a lock that nobody holds. No link is followed."""
    for path in place.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # what cannot be looked at, or is held, stays
            _clear(path)


def _clear(path: Path) -> None:
    if not _is_ours(path.lstat(), stat.S_IFDIR):
        return
    lock = os.open(path / _LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _is_ours(os.fstat(lock), stat.S_IFREG):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path)
    finally:
        os.close(lock)


def _is_ours(found: os.stat_result, kind: int) -> bool:
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid == os.getuid()
