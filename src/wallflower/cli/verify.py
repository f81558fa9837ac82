"""`wallflower verify`: is this copy what the organisation signed, and is it up to date?"""

from __future__ import annotations

import json
import sys
from io import BytesIO
from pathlib import Path
from typing import Final

import click

from wallflower.campaign.addresses import parts_of
from wallflower.campaign.edge.verify import WITH_PAPERS, check, check_file
from wallflower.campaign.edge.verify_fetch import INDEX, MirrorPlace
from wallflower.campaign.edge.verify_metadata import Trust
from wallflower.campaign.edge.verify_places import FolderPlace, Place, ZipPlace
from wallflower.campaign.eightwords import check_typed
from wallflower.campaign.papers import cut
from wallflower.campaign.repository import METADATA
from wallflower.campaign.verify import SITE, Report, as_text, refused_report
from wallflower.cli.ceremony import now
from wallflower.cli.faults import fault_of
from wallflower.cli.leftovers import ending_in_order
from wallflower.cli.options import FILE, FOLDER
from wallflower.errors import Fault, Refused, typed
from wallflower.host.disk import DiskTrouble, disk_trouble

_FILES: Final = (".zip", ".html", ".htm", ".mp4", ".m4a", ".png", ".jpg")


@click.command()
@click.argument("what")
@click.option("--words", default="", help="the eight words (or digits) that you saw and heard")
@click.option("--root", "root", type=FILE, help="a 1.root.json that you got from the organisation")
@click.option("--remember", type=FOLDER, help="a folder that keeps what was seen, for next time")
@click.option("--bundle", help="what a single file came with: a URL, ZIP file or folder")
@click.option("--keep", type=FOLDER, help="leave the checked files in this new folder")
@click.option("--socks", default="", help="Tor's port, such as 127.0.0.1:9050, for onion addresses")
@click.option("--json", "as_json", is_flag=True, help="the report as one JSON object")
@ending_in_order()
def verify(
    what: str, words: str, root: Path | None, remember: Path | None, bundle: str | None,
    keep: Path | None, socks: str, as_json: bool,
) -> None:  # fmt: skip
    """Check a copy of a campaign, or one file of it.

    WHAT is a URL, carry.zip, carried.html, a folder, or a file. Only a URL is asked over a network.
    Nothing is kept unless you ask for it. Ends with 0 genuine, 1 not genuine, 3 genuine but perhaps
    old, 4 whole but words not compared, 2 nothing was checked.

    \b
      wallflower verify carry.zip --words 'THE EIGHT WORDS'
    """
    try:
        with disk_trouble():
            check_typed(words)
            trust = Trust(words, root.read_bytes() if root else b"", remember)
            report = _report(what, bundle, trust, keep, socks)
    except DiskTrouble:
        raise
    except KeyboardInterrupt:
        raise Unchecked("The check was stopped before its end", "Type it again.") from None
    except (Fault, OSError) as error:
        fault = error if isinstance(error, Fault) else fault_of(error)
        raise Unchecked(fault.what, fault.next_step) from None
    click.echo(json.dumps(report.as_json()) if as_json else as_text(report))
    sys.exit(report.exit)


class Unchecked(Fault):
    """Nothing was checked, so there is no verdict, and no exit code of one."""

    EXIT = 2


def _report(what: str, bundle: str | None, trust: Trust, keep: Path | None, socks: str) -> Report:
    single = _single(what, bundle is not None)
    if single is None and bundle is not None:
        raise Fault("--bundle goes with one file", "Leave it out to check the bundle itself.")
    if single is not None and keep is not None:
        raise Fault("--keep goes with a whole copy", "Leave it out to check one file.")
    try:
        place = _place(what, socks) if single is None else _behind(single, bundle, socks)
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
        _check_of_site(what)
        return MirrorPlace(what, socks)
    path = Path(what)
    if path.is_dir():
        site = path / SITE
        return FolderPlace(site if _is_signed(site) and not _is_signed(path) else path)
    if path.is_file():
        return _papers(path) or ZipPlace(path)
    raise Fault("There is nothing at that place", "Give a URL, a ZIP file, a folder or a file.")


def _check_of_site(url: str) -> None:
    """A Fault for the address of a file that is no page: asked for as a site, it is no bundle, and
    a right file would be called false."""
    path = parts_of(url).path.lower()
    if path.endswith(_FILES) and not path.endswith(INDEX):
        raise Fault(
            "That is the address of one file", "Fetch the file and check that, or give the site's."
        )


def _is_signed(folder: Path) -> bool:
    return (folder / METADATA).is_dir()


def _single(what: str, of_bundle: bool) -> Path | None:
    """One file, or None; a ZIP file is a bundle itself unless a bundle was named."""
    path = Path(what)
    alone = "://" not in what and path.is_file()
    return path if alone and (of_bundle or not _is_zip(path)) else None


def _is_zip(path: Path) -> bool:
    """By its name, or by the papers in it: messengers change names."""
    if path.suffix.lower() == ".zip":
        return True
    try:
        place = ZipPlace(path)
    except Refused:
        return False
    try:
        return place.has(f"{METADATA}/1.root.json")
    finally:
        place.close()


def _behind(file: Path, bundle: str | None, socks: str) -> Place:
    """What speaks for one file: a bundle that was named, its own papers, or the folder around."""
    if bundle is not None:
        return _place(bundle, socks)
    if (papers := _papers(file)) is not None:
        return papers
    for folder in file.resolve().parents:
        if _is_signed(folder):
            return FolderPlace(folder)
    raise Fault(
        "This file carries no papers that say who signed it",
        f"Say what it came with: wallflower verify {typed(file)} --bundle ADDRESS_OR_ZIP_OR_FOLDER",
    )


def _papers(file: Path) -> Place | None:
    if file.stat().st_size > WITH_PAPERS:
        return None
    papers = cut(file.read_bytes())[1]
    return ZipPlace(BytesIO(papers)) if papers else None
