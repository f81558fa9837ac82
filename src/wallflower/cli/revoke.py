"""`wallflower revoke`: an operator asks the running process of this folder for other keys."""

from __future__ import annotations

from pathlib import Path

import click

from wallflower.board.edge.records import REQUEST as AT_DESK_SERVER
from wallflower.cli.checks import role_of
from wallflower.cli.options import CONFIG
from wallflower.errors import Fault
from wallflower.host.disk import Folder
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
    role = role_of(config)
    if role not in _FOLDERS or ((drop or desk) and role != "organisation"):
        raise Fault(
            f"{config.name} cannot revoke that",
            "Use organisation.toml for drop and desk keys, mix-a.toml or mix-b.toml for its own.",
        )
    what = [name for name, on in (("drop", drop), ("desk", desk)) if on] or ["hops"]
    folder, name = _FOLDERS[role]
    Folder(config.parent / folder).write(name, " ".join(what).encode("ascii"))
    click.echo("Asked. Look at the record's number: it rises within a few ticks.")
    if drop or desk:
        click.echo("The desk has to be unlocked: it makes the new keys.")
