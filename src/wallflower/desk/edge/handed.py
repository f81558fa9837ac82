"""The tokens that B and the desk server know this desk by: handed over in files, then sealed.

Each unlocking puts what lies in the files into the store, and erases the files. So the folder of a
locked desk lets nobody fetch drops, which B then forgets, or hand anything in. A locked desk needs
no token: it asks nobody.
"""

from __future__ import annotations

from pathlib import Path

from wallflower.desk.edge.store import Store
from wallflower.errors import Fault
from wallflower.host.disk import Folder, disk_trouble
from wallflower.host.settings import parse_token

NODES = {"b": "mix B", "board": "the desk server"}


def token(store: Store, node: str) -> str | None:
    """The sealed token of one of NODES; None where none was handed over yet. One that no request
    can carry counts as none: it may have been sealed before that was asked of it."""
    kept: str | None = store.get(_kept_as(node))
    return None if kept is None else parse_token(kept.encode())


def _kept_as(node: str) -> str:
    return f"token_{node}"


def take_in(folder: Folder, store: Store, files: dict[str, str]) -> list[str]:
    """Seal the tokens that lie in `files`, node -> file, and erase these; what is there wins over
    what was sealed before, since that is how a new one is handed over.

    All tokens are on the disk in the store before a file is overwritten; a power cut in between
    costs nothing, since both say the same. Returns what is still to be done by a person.

    Raises Fault where a file is there and holds no token; it stays as it is.
    """
    found = {
        node: data for node, name in files.items() if (data := _read(folder, name)) is not None
    }
    for node, data in found.items():
        if not _is_half_erased(data):  # else the token is in the store already
            store.put(_kept_as(node), _parsed(data, files[node]))
    left = (_erased(folder, name) for name in sorted({files[node] for node in found}))
    return [what for what in left if what]


def _erased(folder: Folder, name: str) -> str:
    """Erase a file, or say what a person has to do."""
    if not _is_own(folder, name):
        return _open(name, "it is no file of the desk's folder itself")
    try:
        with disk_trouble():
            folder.erase(name)
    except OSError:
        return _open(name, "this disk did not let it be erased")
    return ""


def _read(folder: Folder, name: str) -> bytes | None:
    try:
        return folder.read(name)
    except OSError:
        raise Fault(
            f"{Path(name).name} cannot be read", "Make it readable for the user of the desk."
        ) from None


def _parsed(data: bytes, name: str) -> str:
    found = parse_token(data)
    if found is None:
        raise Fault(
            f"{Path(name).name} holds no token",
            "Copy it again from whoever made it, or delete it to go on with the one before.",
        )
    return found


def _is_half_erased(data: bytes) -> bool:
    """Whether zeros have begun to overwrite a file. Those of UTF-16 stand between its letters."""
    left = data.strip(b"\0")
    return left != data and b"\0" not in left


def _is_own(folder: Folder, name: str) -> bool:
    """Whether the file is this folder's, so that nobody else loses it: B's own, perhaps."""
    return Path(name).name == name and not (folder.path / name).is_symlink()


def _open(name: str, why: str) -> str:
    return (
        f"The token in {Path(name).name} was sealed, but the file still shows it, since {why}:"
        " erase it by hand, if nobody else needs it"
    )
