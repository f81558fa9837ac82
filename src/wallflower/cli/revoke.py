"""`wallflower revoke`: an operator asks the running process of this folder for other keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from wallflower.board.edge.records import REQUEST as AT_DESK_SERVER
from wallflower.cli.checks import role_of
from wallflower.cli.options import CONFIG
from wallflower.errors import Fault
from wallflower.host.disk import Folder
from wallflower.host.settings import load_settings
from wallflower.mix.edge.records import REQUEST as AT_MIX

_FOLDERS = {
    "organisation": ("data", AT_DESK_SERVER),
    "mix-a": ("data/records", AT_MIX),
    "mix-b": ("data/records", AT_MIX),
}


@click.command()
@CONFIG
@click.option("--drop", is_flag=True, help="the drop keys too (organisation only)")
@click.option("--desk", is_flag=True, help="the desk key too; waiting letters have to be rewritten")
def revoke(config: Path, drop: bool, desk: bool) -> None:
    """Replace stolen keys: the next record takes force today.

    CONFIG is organisation.toml, mix-a.toml or mix-b.toml. Without an option the hop keys of A and
    B. The process of this folder does it at its next look at the clock, at the latest when it is
    started again.
    """
    load_settings(config)  # a folder that is none is not asked
    role = role_of(config)
    if role not in _FOLDERS or ((drop or desk) and role != "organisation"):
        raise Fault(
            f"{config.name} cannot revoke that",
            "Use organisation.toml for drop and desk keys, mix-a.toml or mix-b.toml for its own.",
        )
    what = [name for name, on in (("drop", drop), ("desk", desk)) if on] or ["hops"]
    folder, name = _FOLDERS[role]
    _ask(config.parent / folder, name, what)
    click.echo("Asked. Look at the record's number: it rises within a few ticks.")
    if drop or desk:
        click.echo("The desk has to be unlocked: it makes the new keys.")


def _ask(folder: Path, name: str, what: list[str]) -> None:
    """Put a request beside one that was not read yet, as the user whom the folder belongs to."""
    if not folder.is_dir():
        raise Fault("This role has never run here", "It has no keys that could be replaced.")
    with _as_owner(folder):
        there = Folder(folder)
        asked = _asked(there, name).decode("ascii", "replace").split()
        there.write(name, " ".join(dict.fromkeys([*asked, *what])).encode("ascii"))


def _asked(there: Folder, name: str) -> bytes:
    """The request that waits; none where the folder's user, and so the process, may not read it:
    that one rings until another takes its place. Root does not read it for them, as it may be a
    link."""
    try:
        return there.read(name) or b""
    except PermissionError:
        return b""


@contextmanager
def _as_owner(folder: Path) -> Iterator[None]:
    """Root's own file could not be read by the process that is asked."""
    owner, root = folder.stat(), os.geteuid() == 0
    if root:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
            os.setegid(os.getgid())
