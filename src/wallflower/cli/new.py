"""`wallflower new`: a role's own folder with its keys, its tokens and a configuration to edit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import tomli_w

from wallflower.campaign.edge.whole import filling
from wallflower.cli.options import FOLDER
from wallflower.crypto import sign
from wallflower.host.disk import BESIDE, Folder
from wallflower.host.entropy import OsEntropy
from wallflower.wire.loop import LOOP_KEY

DRAW = OsEntropy().draw
PORTS = {
    "ingress": 7600, "ingress-inner": 7601, "mix-a": 7602, "mix-b": 7603,
    "organisation": 7604, "mirror": 7605, "desk": 7606,
    "ingress-status": 7610, "mix-a-status": 7612, "mix-b-status": 7613, "organisation-status": 7614,
    "mirror-status": 7615,
}  # fmt: skip
LOOPS_A_DAY = 96
Config = dict[str, Any]


def token() -> bytes:
    """A bearer token of 256 bits, as hexadecimal text."""
    return DRAW(32).hex().encode("ascii") + b"\n"


def _loops(folder: Folder) -> Config:
    """A loop key, which the watcher keeps and the operator's sender gets a copy of."""
    folder.write("loop.key", DRAW(LOOP_KEY))
    return {"key": "loop.key", "per_day": LOOPS_A_DAY}


def _local(port: str) -> str:
    return f"http://127.0.0.1:{PORTS[port]}"


def _key(folder: Folder, name: str) -> bytes:
    seed = DRAW(32)
    folder.write(f"{name}.key", seed)
    public = sign.verify_key(seed)
    folder.write(f"{name}.pub", public.hex().encode("ascii") + b"\n")
    return public


def _organisation(folder: Folder) -> Config:
    for name in ("record", "board"):
        _key(folder, name)
    for name in ("desk", "b", "status"):
        folder.write(f"{name}.token", token())
    return {
        "host": "127.0.0.1", "port": PORTS["organisation"], "pins": "pins.json", "desk": "Office",
        "record_key": "record.key", "board_key": "board.key", "desk_token": "desk.token",
        "b_token": "b.token", "status_token": "status.token", "loops": _loops(folder),
        "status_page": {"port": PORTS["organisation-status"]},
        "parameters": {
            "mean_a": 6 * 3600, "mean_b": 18 * 3600, "tick": 600, "slots": 32, "floor": 50,
            "replies": 13, "receipts": 100, "period": 4 * 3600, "segments": 84,
        },
        "ways": {
            "cells_per_connection": 12, "ingress": [_local("ingress") + "/"],
            "board": [_local("organisation") + "/"],
        },
    }  # fmt: skip


def _mix(folder: Folder, position: str) -> Config:
    _key(folder, "record")
    folder.write("next.token", token())
    folder.write("status.token", token())
    source = {"a": _local("ingress-inner") + "/cells", "b": _local("mix-a") + "/parcels"}
    config: Config = {
        "position": position, "host": "127.0.0.1", "port": PORTS[f"mix-{position}"],
        "pins": "pins.json", "record_key": "record.key", "keys": "keys", "token": "next.token",
        "status_token": "status.token",
        "source": {"url": source[position], "token": "source.token"},
        "board": {"url": _local("organisation")}, "loops": _loops(folder),
        "status_page": {"port": PORTS[f"mix-{position}-status"]},
    }  # fmt: skip
    if position == "b":
        _key(folder, "drop")
        config["drop_key"] = "drop.key"
        config["board"]["token"] = "board.token"  # noqa: S105  # a file's name
    return config


def _ingress(folder: Folder) -> Config:
    folder.write("a.token", token())
    return {
        "host": "127.0.0.1", "port": PORTS["ingress"], "token": "a.token",
        "inner": {"host": "127.0.0.1", "port": PORTS["ingress-inner"]},
        "status_page": {"port": PORTS["ingress-status"]},
    }  # fmt: skip


def _desk(folder: Folder) -> Config:
    folder.write("status.token", token())
    return {
        "port": PORTS["desk"], "name": "Office", "pins": "pins.json",
        "b": {"url": _local("mix-b"), "token": "b.token"},
        "board": {"url": _local("organisation"), "token": "board.token"},
        "status": {"token": "status.token"},
    }  # fmt: skip


def _mirror(_folder: Folder) -> Config:
    return {
        "host": "127.0.0.1", "port": PORTS["mirror"], "site": "site",
        "board": _local("organisation"), "status_page": {"port": PORTS["mirror-status"]},
    }  # fmt: skip


def _loop_sender(_folder: Folder) -> Config:
    return {
        "mirror": _local("mirror"), "pins": "pins.json", "keys": ["loop.key"],
        "per_day": LOOPS_A_DAY,
    }  # fmt: skip


MAKERS: dict[str, Callable[[Folder], Config]] = {
    "organisation": _organisation,
    "ingress": _ingress,
    "mix-a": lambda folder: _mix(folder, "a"),
    "mix-b": lambda folder: _mix(folder, "b"),
    "desk": _desk,
    "mirror": _mirror,
    "loops": _loop_sender,
}


_HALF = f"toml{BESIDE}"  # ROLE.toml.new is there from the first moment until ROLE.toml is
_MADE = {".key", ".pub", ".token"}


def _made(path: Path) -> bool:
    """Whether a maker writes a file of this name, half or whole."""
    return (
        Path(path.name.removesuffix(BESIDE)).suffix in _MADE and path.is_file()
        and not path.is_symlink()
    )  # fmt: skip


def _erase(folder: Folder) -> None:
    """Erase all that a maker wrote, and the half configuration last: a kill on the way leaves that,
    so that the next command does the rest."""
    for path in filter(_made, list(folder.path.iterdir())):
        folder.erase(path.name)
    for role in MAKERS:
        folder.erase(f"{role}.{_HALF}")


def _clear(folder: Folder) -> None:
    """Erase what a command that was killed made here: a half configuration and perhaps keys, which
    nobody has used. Where anything else is, a whole configuration above all, nothing is touched."""
    halves = {f"{role}.{_HALF}" for role in MAKERS}
    found = list(folder.path.iterdir())
    half = [path for path in found if path.name in halves]
    if half and all(_made(path) for path in found if path not in half):
        _erase(folder)


def make(role: str, path: Path, change: Callable[[Config], None] = lambda _: None) -> Path:
    """Make a role's folder and return its configuration file, which `change` may alter before it
    is written. A Fault where the folder is not empty, or another command fills it; then it is as it
    was. What stops it in the middle leaves no key behind; where it was killed, the next does so.

    The configuration comes last, and no command of a role does anything without it: a folder has
    all of its keys or is not there. It is not made beside and renamed, since an operator's folder
    may be a disk of its own, or lie where its owner may make no other.
    """
    config_path = path / f"{role}.toml"
    folder = Folder(path)
    with filling(path, 0o700, lambda: _clear(folder)):
        try:
            (path / f"{role}.{_HALF}").touch(0o600)
            folder.sync()
            config = MAKERS[role](folder)
            change(config)
            folder.write(config_path.name, tomli_w.dumps(config).encode("utf-8"))
        except BaseException:
            folder.erase(config_path.name)
            _erase(folder)  # nobody has used these keys yet
            raise
    return config_path


@click.command()
@click.argument("role", type=click.Choice(sorted(MAKERS)))
@click.argument("folder", type=FOLDER)
def new(role: str, folder: Path) -> None:
    """Make a role's folder: keys, tokens and a configuration.

    FOLDER is new or empty, and gets ROLE.toml, which is for you to edit.

    \b
      wallflower new ingress /srv/ingress
    """
    click.echo(f"Made {make(role, folder)}. Read it, and docs/handbook for what to exchange.")
