"""Files and folders that nobody sees half: made beside, and put into their place when whole.

Whatever ends the work in the middle (a full disk, a kill, a power cut) leaves what was there.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import Final

from wallflower.errors import Fault
from wallflower.host.disk import BESIDE, held, write_synced

_HALF: Final = ".wallflower-"  # between a folder's name and chance: what is to take its place
_NEW: Final = "new"
_OLD: Final = "old"


def put_whole(path: Path, data: bytes) -> None:
    """Write a file, synced; one that was there keeps its rights, so that a draft that nobody else
    may read stays so. A link of that name is replaced, and never written through."""
    rights = stat.S_IMODE(path.stat().st_mode) if path.is_file() else None
    beside = path.with_name(f"{path.name}{BESIDE}")
    beside.unlink(missing_ok=True)
    try:
        with beside.open("xb") as file:
            if rights is not None:
                os.fchmod(file.fileno(), rights)
            write_synced(file, data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def filling(
    folder: Path, mode: int = 0o777, clear: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Hold an empty folder, made with these rights if it is missing, while it is filled. A Fault
    where it is not empty, or another command fills it; then it is as it was. `clear` takes away
    what a command that was killed left there, once nobody else holds the folder."""
    name = folder.name or "That folder"
    busy = Fault(f"Another command fills {name} at this moment", "Choose another folder.")
    folder.mkdir(mode, parents=True, exist_ok=True)
    with held(folder, busy):
        clear()
        if any(folder.iterdir()):  # looked at only now that nobody else can be about to fill it
            raise Fault(f"{name} is not empty", "Choose another folder; nothing was changed.")
        yield


@contextmanager
def in_place_of(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends without an error.

    What was there goes only then. Raises Fault where it cannot be exchanged, and leaves it.
    """
    to = folder.resolve()  # a link stays one
    if Path.cwd().is_relative_to(to):
        raise Fault("You stand in the folder that is to be replaced", "Leave it first: cd ..")
    to.parent.mkdir(parents=True, exist_ok=True)
    _clear(to)
    with (
        tempfile.TemporaryDirectory(prefix=f"{to.name}{_HALF}", dir=to.parent) as beside,
        ExitStack() as hold,
    ):
        with suppress(Fault):  # of a disk on which nobody can: there nothing is cleared either
            hold.enter_context(held(Path(beside)))
        fresh = Path(beside) / _NEW
        fresh.mkdir()
        yield fresh
        _exchange(to, fresh, Path(beside) / _OLD)


def _clear(to: Path) -> None:
    """Remove what stayed beside `to` of commands that were killed, and nothing else: such a folder
    has a name of ours, holds nothing but ours, and is held by nobody. One that was killed between
    two renames had put aside what lay at `to`: that comes back."""
    busy = Fault("Another command fills it at this moment", "Leave it.")
    for path in to.parent.glob(f"{escape(to.name)}{_HALF}*"):
        with suppress(Fault, OSError), held(path, busy):
            if path.is_symlink():
                continue
            names = {inside.name for inside in path.iterdir()}
            if _OLD in names and not to.exists():
                (path / _OLD).rename(to)
            if names and names <= {_NEW, _OLD}:
                shutil.rmtree(path)


def _exchange(to: Path, fresh: Path, old: Path) -> None:
    try:
        if to.exists():
            to.rename(old)
        fresh.rename(to)
    except OSError:  # a disk is mounted there, or somebody else builds into it at this moment
        if old.exists() and not to.exists():
            old.rename(to)
        raise Fault(
            "What was made could not be put in its place, so all is as it was",
            "Name a folder that is no disk of its own and that nobody else writes into.",
        ) from None
