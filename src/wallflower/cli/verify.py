"""`wallflower verify`: is this copy what the organisation signed, and is it up to date?"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from wallflower.campaign.edge.verify import check, check_file
from wallflower.campaign.edge.verify_fetch import MirrorPlace
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace, Place, ZipPlace
from wallflower.campaign.repository import METADATA
from wallflower.campaign.verify import Report, as_text, refused_report
from wallflower.cli.keys import now
from wallflower.errors import Fault, Refused

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("what")
@click.option("--words", default="", help="the eight words (or digits) that you saw and heard")
@click.option("--root", "root", type=_FILE, help="a 1.root.json that you got from the organisation")
@click.option("--remember", type=_FOLDER, help="a folder that keeps what was seen, for next time")
@click.option("--bundle", help="where a single file is said to come from: URL, ZIP or folder")
@click.option("--keep", type=_FOLDER, help="leave the checked files in this new folder")
@click.option("--socks", default="", help="Tor's port, such as 127.0.0.1:9050, for onion addresses")
@click.option("--json", "as_json", is_flag=True)
def verify(
    what: str, words: str, root: Path | None, remember: Path | None, bundle: str | None,
    keep: Path | None, socks: str, as_json: bool,
) -> None:  # fmt: skip
    """Check a copy of a campaign: a URL, a ZIP file, a folder, or one file of it.

    Folders and ZIP files are checked without a network. Nothing is kept unless you ask for it.
    Ends with 0 genuine, 1 not genuine, 3 genuine but perhaps old, 4 whole but words not compared.
    """
    trust = Trust(words, root.read_bytes() if root else b"", remember)
    report = _report(what, bundle, trust, keep, socks)
    click.echo(json.dumps(report.as_json()) if as_json else as_text(report))
    sys.exit(report.exit)


def _report(what: str, bundle: str | None, trust: Trust, keep: Path | None, socks: str) -> Report:
    single = _single(what, bundle is not None)
    if single is None and bundle is not None:
        raise Fault("--bundle goes with one file", "Leave it out to check the bundle itself.")
    try:
        place = _place(bundle or (what if single is None else str(_around(single))), socks)
    except Refused as refused:
        return refused_report(refused)
    try:
        if single is not None:
            return check_file(single, place, trust, now())
        return check(place, trust, now(), keep)
    finally:
        place.close()


def _place(what: str, socks: str) -> Place:
    if "://" in what:
        return MirrorPlace(what, socks)
    path = Path(what)
    if path.is_dir():
        return FolderPlace(path)
    if path.is_file():
        return ZipPlace(path)
    raise Fault("There is nothing of that name", "Give a URL, a ZIP file or a folder.")


def _single(what: str, of_bundle: bool) -> Path | None:
    """One file, or None; a ZIP file is a bundle itself unless a bundle was named."""
    path = Path(what)
    alone = "://" not in what and path.is_file()
    return path if alone and (of_bundle or path.suffix != ".zip") else None


def _around(file: Path) -> Path:
    """The bundle that a file lies in."""
    for folder in file.resolve().parents:
        if (folder / METADATA).is_dir():
            return folder
    raise Fault(
        "One file alone does not say who signed it",
        "Say where it comes from: wallflower verify FILE --bundle URL_OR_ZIP_OR_FOLDER",
    )
