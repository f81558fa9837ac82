"""Signing a whole build: its site, and what leaves it by hand, each so that it is checked alone.

The site is signed in place, and the onion's copy of it. The ZIP is made anew with the metadata
inside, and the single file gets its papers. Of the same build, keys and moment come the same bytes.
Spec: bundle.md 1 and 4.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from wallflower.campaign import minisign
from wallflower.campaign.ceremony import MINISIGN_ROLE
from wallflower.campaign.edge.build import CARRIED
from wallflower.campaign.edge.ceremony_keys import Keys
from wallflower.campaign.edge.shapes import SUMS, ZIP, is_build, packed
from wallflower.campaign.edge.sign_folder import (
    SignedBundle,
    comment,
    digest_of,
    freshen,
    publish,
    published,
    sign_folder,
    signed_files,
)
from wallflower.campaign.edge.verify_places import BASE, ZipPlace, scan
from wallflower.campaign.edge.whole import put_whole
from wallflower.campaign.page_pins import check_page_pins, is_page
from wallflower.campaign.papers import cut, with_papers
from wallflower.campaign.repository import METADATA, PINS, Listed
from wallflower.campaign.verify import FILE_MAX, MADE, SITE, is_metadata
from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, typed
from wallflower.host.disk import BESIDE

_CARRIED: Final = "carried"  # a folder of the build, and the part that the ZIP holds
_ALONE: Final = ("films", "cards")  # folders whose files are handed out one by one
_ONION: Final = "onion/site"
_MINISIG: Final = ".minisig"
_BUILD_AGAIN: Final = "Build the campaign again, then sign."


def build_of(folder: Path) -> Path | None:
    """The build that a folder is, or whose site it is, the onion's too, by whatever way it was
    named: signed as a folder of its own, it would make false what the build hands out."""
    for place in (folder, folder.resolve()):
        for build in (place, *place.parents[:2]):
            if place in (build, build / SITE, build / _ONION) and is_build(build):
                return build
    return None


def sign_build(build: Path, keys: Keys, now: datetime) -> SignedBundle:
    """Sign everything that a build made. A Fault leaves all of it as it was."""
    carried = _carried(build)
    pins = keys.ceremony().pins().encode()
    for name, data in carried.items():
        if is_page(name):
            check_page_pins(data, pins)
    _check_onion(build)
    parts = _listed(carried)
    for part in (part for part in _ALONE if (build / part).is_dir()):
        for name in scan(build / part):
            parts[f"{part}/{name}"] = digest_of(build / part / name, part)
    made = sign_folder(build / SITE, keys, now, parts)
    _hand_out(build, keys, carried, comment(made.version, now))
    return made


def freshen_build(build: Path, keys: Keys, now: datetime) -> SignedBundle:
    """Promise again that a signed build is the newest, wherever its metadata lies."""
    carried = _carried(build)
    _check_onion(build)
    if not _listed(carried).items() <= signed_files(keys).items():
        raise Fault(
            f"{_CARRIED}/ is not what these keys signed last, so a new date alone would not fit it",
            f"Type: wallflower campaign sign {typed(build)} --keys {typed(keys.folder.path)}",
        )
    made = freshen(build / SITE, keys, now)
    _hand_out(build, keys, carried, comment(made.version, now))
    return made


def _carried(build: Path) -> dict[str, bytes]:
    """What the ZIP holds, without what signing put there, or a Fault."""
    place = ZipPlace(build / ZIP)
    try:
        names = [name for name in place.names() if name != PINS and not is_metadata(name)]
        files = {name: cut(place.download_bytes(f"{BASE}{name}", FILE_MAX))[0] for name in names}
    finally:
        place.close()
    for path in (build / _CARRIED).iterdir():
        if (
            path.suffix not in (_MINISIG, BESIDE)
            and files.get(path.name) != cut(path.read_bytes())[0]
        ):
            raise Fault(f"{ZIP} and {_CARRIED}/ do not hold the same", _BUILD_AGAIN)
    return files


def _listed(carried: Mapping[str, bytes]) -> dict[str, Listed]:
    return {name: Listed(len(d), sha256(d).hex(), _CARRIED) for name, d in carried.items()}


def _check_onion(build: Path) -> None:
    onion = build / _ONION
    if onion.is_dir() and _names(onion) - _names(build / SITE):
        raise Fault("The onion's folder holds files that the site has not", _BUILD_AGAIN)


def _names(folder: Path) -> set[str]:
    return {name for name in scan(folder) if not is_metadata(name) and name not in MADE}


def _hand_out(build: Path, keys: Keys, carried: Mapping[str, bytes], said: str) -> None:
    """Everything beside the site that holds metadata or a signature, made from what counts now."""
    pins = keys.ceremony().pins().encode()
    papers = {PINS: pins, **{f"{METADATA}/{n}": data for n, data in published(keys).items()}}
    page = with_papers(carried[CARRIED], _small(papers))
    files = {ZIP: packed({**carried, CARRIED: page, **papers}), f"{_CARRIED}/{CARRIED}": page}
    for name, data in files.items():
        signature = minisign.sign_list(keys.seed(MINISIGN_ROLE), data, said, Path(name).name)
        put_whole(build / name, data)
        put_whole(build / f"{name}{_MINISIG}", signature)
    if (build / _ONION).is_dir():
        for name in (*_names(build / SITE), *MADE):
            to = build / _ONION / name
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(build / SITE / name, to)
        publish(build / _ONION, keys)
    hashes = {name: digest_of(build / name).digest for name in scan(build) if name != SUMS}
    put_whole(build / SUMS, minisign.make_list(hashes))


def _small(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of papers, packed: their bytes need not be the same for somebody else."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name], zipfile.ZIP_DEFLATED)
    return out.getvalue()
