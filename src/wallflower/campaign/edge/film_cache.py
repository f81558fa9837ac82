"""What took long to make, kept under the hash of all that it was made of.

A folder of the cache is whole or not there: it is made aside and moved into place, and its index
tells every file to the byte, so that a damaged one is made again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Final

from wallflower.campaign.film.rendition import INDEX, RENDITIONS, VOICE
from wallflower.errors import Fault
from wallflower.host.disk import held

# The names of what is made: no index leads elsewhere, and nothing else of a folder is taken away.
_MADE: Final = (*(how.name for how in RENDITIONS), VOICE.name, "captions.vtt", "poster.jpg")
_MAKING: Final = "making-"  # before chance: where a film is made aside
_ASIDE: Final = "film"
_OF_A_FILM: Final = re.compile("|".join((*map(re.escape, _MADE), r"card-\d\d\.png")))


def cache_key(made_of: Mapping[str, Any]) -> str:
    """The hash of everything that decides about the bytes, in hexadecimal digits."""
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()


def kept(cache: Path, key: str, make: Callable[[Path], Mapping[str, Any]]) -> tuple[Path, bool]:
    """The folder `key` of a cache, and whether it lay there already.

    Where it is not, or not whole, `make` fills an empty folder and says what its index tells
    besides the files. A fault of `make` leaves nothing behind; what one left that was killed goes
    before the next is made.
    """
    folder = cache / key
    if is_whole(folder):
        return folder, True
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _clear(cache)
        making = tempfile.TemporaryDirectory(dir=cache, prefix=_MAKING)
    except OSError:
        raise Fault(
            "Encoded films cannot be kept in that cache", "Name another folder with --cache."
        ) from None
    with making as around, ExitStack() as hold:
        with suppress(Fault):  # of a disk on which nobody can: there nothing is cleared either
            hold.enter_context(held(Path(around)))
        aside = Path(around) / _ASIDE
        aside.mkdir()  # now that it is held: an empty one may be about to be
        try:
            _write_index(aside, make(aside))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise Fault(
                "The disk of the cache is full", "Make room, or name another folder with --cache."
            ) from None
        shutil.rmtree(folder, ignore_errors=True)
        try:
            aside.replace(folder)
        except OSError:
            if not is_whole(folder):  # else somebody made the same meanwhile
                raise
    return folder, False


def _clear(cache: Path) -> None:
    """Remove what stayed in a cache of films that were killed while they were made, and nothing
    else: such a folder has a name of ours, holds what is made alone, and is held by nobody."""
    busy = Fault("Another film is made in it at this moment", "Leave it.")
    for path in cache.glob(f"{_MAKING}*"):
        with suppress(Fault, OSError), held(path, busy):
            if not path.is_symlink() and [inside.name for inside in path.iterdir()] == [_ASIDE]:
                shutil.rmtree(path)


def _write_index(aside: Path, about: Mapping[str, Any]) -> None:
    """film.json, which is made last: a folder that has a true one is whole."""
    files = {path.name: entry_of(path.read_bytes()) for path in sorted(aside.iterdir())}
    text = json.dumps({**about, "files": files}, indent=1, sort_keys=True) + "\n"
    (aside / INDEX).write_text(text, encoding="utf-8", newline="\n")


def entry_of(data: bytes) -> dict[str, int | str]:
    """What an index says of a file."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def is_whole(folder: Path) -> bool:
    """Whether a folder of the cache holds what its index says, to the byte."""
    try:
        about = json.loads((folder / INDEX).read_bytes())
        return bool(about["files"]) and all(
            _OF_A_FILM.fullmatch(name) and entry_of((folder / name).read_bytes()) == one
            for name, one in about["files"].items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def place(folder: Path, out: Path) -> tuple[str, ...]:
    """Copy a film into `out`: what an older one left there goes, the index comes last."""
    names: Sequence[str] = sorted(json.loads((folder / INDEX).read_bytes())["files"])
    out.mkdir(parents=True, exist_ok=True)
    (out / INDEX).unlink(missing_ok=True)
    for old in out.iterdir():
        if _OF_A_FILM.fullmatch(old.name) and old.name not in names:
            old.unlink()
    for name in (*names, INDEX):
        beside = out / f"{name}.new"
        try:
            shutil.copyfile(folder / name, beside)
            beside.replace(out / name)
        finally:
            beside.unlink(missing_ok=True)
    return (*names, INDEX)
