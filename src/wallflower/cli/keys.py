"""`wallflower keys`: what to do when a key is lost, stolen or grows old."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import click

from wallflower.campaign.ceremony import SIGNERS
from wallflower.campaign.edge.ceremony_keys import BOOK, Keys, ends, require_keys
from wallflower.campaign.edge.ceremony_replace import (
    renew,
    replace_medium,
    replace_record,
    replace_role,
)
from wallflower.campaign.edge.ceremony_restore import restore
from wallflower.campaign.edge.ceremony_sign import (
    as_missing,
    drop,
    finish,
    missing,
    sign_pending,
)
from wallflower.campaign.edge.sign_last import lost, way_back
from wallflower.campaign.repository import OFFLINE, ends_soon
from wallflower.cli.ceremony import DRAW, ceremony, now, read_public, say_clock, show
from wallflower.cli.options import FILE, FOLDER
from wallflower.errors import typed

_KEYS = click.argument("folder", metavar="KEYS", type=FOLDER)


@click.group()
def keys() -> None:
    """Keys of a campaign: make, sign, replace, renew, restore."""


keys.add_command(ceremony)


@keys.command()
@_KEYS
@click.option("--json", "as_json", is_flag=True, help="as one JSON object; times in UTC")
def status(folder: Path, as_json: bool) -> None:
    """Show what ends when, and what waits for signatures.

    Ends with 1 when something is due, or is lost.
    """
    held = require_keys(folder)
    due = ending(held)
    gone = lost(held, held.ceremony())
    waits = missing(held)
    half = bool(held.waiting()) and not waits  # the power went while it began to count
    unwritten = not half and not held.has_record()  # or right after
    if as_json:
        all_ends = {role: e.isoformat() for role, e in ends(held).items()}
        said = {
            "ends": all_ends, "due": sorted(due), "missing": waits, "stopped_half": half,
            "record_unwritten": unwritten, "lost": gone,
        }  # fmt: skip
        click.echo(json.dumps(said))
    else:
        for role, end in sorted(ends(held).items(), key=lambda item: item[1]):
            warning = f"  DUE, type: {_due(role, folder)}" if role in due else ""
            click.echo(f"{role}: until {end:%Y-%m-%d}{warning}")
        if gone:
            names = ", ".join(f"{role}.json" for role in gone)
            click.echo(f"LOST, and nothing is signed without: {names}, in 'metadata'.")
            click.echo(f"  {way_back(held)}")
        for role, count in waits.items():
            what = "signature is" if count == 1 else "signatures are"
            step = f"wallflower keys sign {typed(folder)} --medium FOLDER"
            click.echo(f"{role}: {count} {what} missing; type: {step}")
        if half:
            click.echo(f"A change has all its signatures and counts by half; type: {_sign(folder)}")
        if unwritten:
            click.echo(f"The record for the drawer is not written yet; type: {_sign(folder)}")
    sys.exit(1 if due or gone or waits or half or unwritten else 0)


def ending(held: Keys) -> dict[str, datetime]:
    """role -> when its signature ends, of those whose end is near or was (bundle 4)."""
    moment = now()
    return {role: end for role, end in ends(held).items() if ends_soon(role, end, moment)}


def warn_of_ends(folder: Path, only: tuple[str, ...] = ()) -> None:
    """Say which signatures end soon, or ended, of all roles or of some; nothing without keys."""
    if not (folder / BOOK).is_file():
        return
    for role, end in ending(require_keys(folder)).items():
        if not only or role in only:
            word = "ended" if end <= now() else "ends soon"
            step = _due(role, folder)
            click.echo(f"The signature of {role} {word}, on {end:%F}; type: {step}", err=True)


def _due(role: str, folder: Path) -> str:
    if role in OFFLINE:
        return f"wallflower keys renew {typed(folder)}"
    return _sign(folder)


def _sign(folder: Path) -> str:
    return f"wallflower campaign sign bundle --keys {typed(folder)}"


@keys.command()
@_KEYS
@click.option("--medium", "media", multiple=True, required=True, type=FOLDER,
              help="the folder that a medium shows as; several can be named")  # fmt: skip
def sign(folder: Path, media: tuple[Path, ...]) -> None:
    """Sign with removable media what waits for it.

    They sign one after the other. KEYS is the folder of keys, here on the computer without a
    network.

    \b
      wallflower keys sign keys --medium /media/usb1
    """
    held = require_keys(folder)
    with held.alone():
        for number, medium in enumerate(media):
            if number == 0 or held.waiting():
                click.echo(f"Medium {sign_pending(held, medium)} has signed.")
                finish(held)
        _tell(held)


def _tell(held: Keys) -> None:
    waits = missing(held)
    if waits:
        click.echo(f"Signatures missing yet: {as_missing(waits)}")
        return
    show(held)
    _sign_again(held)


def _sign_again(held: Keys) -> None:
    click.echo(f"Now sign the bundle again: {_sign(held.folder.path)}")


@keys.command()
@_KEYS
@click.option("--role", help="a new key for this online role")
@click.option("--medium", "gone", help="the label of a medium that is lost or stolen")
@click.option("--by", "new", type=(str, FOLDER), help="label and folder of the medium instead")
@click.option("--record", "record", type=(click.Choice(SIGNERS), FILE), multiple=True,
              help="another record.pub of organisation, a or b")  # fmt: skip
def replace(
    folder: Path, role: str | None, gone: str | None, new: tuple[str, Path] | None,
    record: tuple[tuple[str, Path], ...],
) -> None:  # fmt: skip
    """Replace a key that was lost or stolen. It counts when enough media have signed it.

    KEYS is the folder of keys. 'wallflower keys status KEYS' names the roles.

    \b
      wallflower keys replace keys --role page
      wallflower keys replace keys --medium 2 --by 4 /media/usb4
      wallflower keys replace keys --record a record.pub
    """
    held = require_keys(folder)
    if [bool(role), bool(gone), bool(record)].count(True) != 1 or bool(gone) != bool(new):
        raise click.UsageError("Give one of --role, --medium with --by, or --record.")
    say_clock(now())
    with held.alone():
        if role:
            replace_role(held, role, now(), DRAW)
        elif gone and new:
            replace_medium(held, gone, new[0], new[1], now(), DRAW)
        else:
            replace_record(held, {name: read_public(path) for name, path in record}, now())
    _ask_for_media(folder)


@keys.command("renew")
@_KEYS
def renew_(folder: Path) -> None:
    """Let the same keys count for another term.

    The media sign new dates. KEYS is the folder of keys. Root counts for 730 days, targets for 365.
    """
    held = require_keys(folder)
    say_clock(now())
    with held.alone():
        renew(held, now())
    _ask_for_media(folder)


def _ask_for_media(folder: Path) -> None:
    click.echo("Prepared. Nothing has changed yet; now the media sign, one after the other:")
    click.echo(f"  wallflower keys sign {typed(folder)} --medium FOLDER")


@keys.command()
@_KEYS
@click.argument("published", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restored(folder: Path, published: Path) -> None:
    """Go on after the folder of keys came back from a backup.

    PUBLISHED is a folder of what was published last: 'wallflower verify ADDRESS --keep PUBLISHED'
    makes one. Versions go on above it; nobody believes a lower one.
    """
    held = require_keys(folder)
    with held.alone():
        if finish(held) or not held.has_record():
            show(held)
        roles = restore(held, published)
    click.echo(f"Taken over: {', '.join(roles)}." if roles else "Nothing there is newer.")
    _sign_again(held)


@keys.command("drop")
@_KEYS
def drop_(folder: Path) -> None:
    """Give up what waits for signatures; all stays as it was.

    KEYS is the folder of keys. What has all its signatures is not given up: it counts.
    """
    held = require_keys(folder)
    with held.alone():
        waited = bool(held.waiting())  # where nothing did, the last change counts: nothing undid it
        if drop(held):
            said = "Dropped. What counted before" if waited else "Nothing waited. What counts now"
            click.echo(f"{said} goes on counting.")
            return
        click.echo("It was too late: the change had all its signatures, and counts from now on.")
        show(held)
    _sign_again(held)
