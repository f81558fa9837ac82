"""One build, every way out: a site for any host, one file, a ZIP, an onion folder, picture cards.

The same folder and keys give the same bytes, whoever builds, where and when: no date, no path, no
name of a user, no order of a directory goes into them. SHA256SUMS lists them all.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Final

import tomli_w

from wallflower.campaign.authoring import Authored
from wallflower.campaign.build_budgets import Weights, check_origins, check_weights, weigh
from wallflower.campaign.edge.build import CARRIED, Campaign, build_carried, build_served
from wallflower.campaign.edge.whole import in_place_of
from wallflower.campaign.film.rendition import INDEX, SMALL
from wallflower.campaign.minisign import make_list
from wallflower.campaign.texts import Text
from wallflower.campaign.verify import SITE
from wallflower.errors import Fault
from wallflower.trust.pins import Pins

SUMS: Final = "SHA256SUMS"
ZIP: Final = "carry.zip"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the oldest date a ZIP can say: it tells nothing

# Draws a language's cards: each card's name and its PNG.
Cards = Callable[[Text, str], Iterable[tuple[str, bytes]]]
# Folders of made films, by the names of what they were made of.
Films = Mapping[str, Path]
_FILM_CARD: Final = re.compile(r"card-(\d+\.png)")

_TORRC: Final = """\
# An onion service for this site: put these lines into torrc. The folder 'site' is served by
# 'wallflower mirror mirror.toml', or by any static server on the same port.
HiddenServiceDir /var/lib/tor/wallflower
HiddenServicePort 80 127.0.0.1:8480
HiddenServicePoWDefensesEnabled 1
"""
_MIRROR: Final = (
    "# 'wallflower mirror mirror.toml' serves this folder's site to the onion service in torrc.\n"
)


@dataclass(frozen=True, slots=True)
class Built:
    """What came out: the weights of the page, and every file's hash by its name."""

    weights: Weights
    hashes: Mapping[str, str]


def build_bundle(
    authored: Authored, pins: Pins, page: Path, out: Path, channel: str, cards: Cards | None,
    films: Films = MappingProxyType({}),
) -> Built:  # fmt: skip
    """Build everything into `out`, in place of an earlier build of this command.

    `films` are what was made of the campaign's `films` (edge/film.py), by the names of their files;
    where there are none, the page gets the campaign's ready film, or none.

    Raises a Fault, and leaves an earlier build as it was, when a text cannot be shown, the page is
    too heavy, anything asks somebody else, or `out` cannot be replaced. `cards` None leaves the
    picture cards out.
    """
    campaign = _campaign(authored, pins, channel)
    may_replace(out)
    with in_place_of(out) as fresh:
        weights = _fill(_with_film(authored, films), campaign, page, fresh)
        if cards is not None:
            _draw(authored, fresh / "cards", cards)
        _hand_out(authored, films, fresh)
        hashes = _hashes(fresh)
        (fresh / SUMS).write_bytes(make_list(hashes))
    return Built(weights, hashes)


def _campaign(authored: Authored, pins: Pins, channel: str) -> Campaign:
    if channel not in authored.channels:
        names = ", ".join(sorted(authored.channels))
        raise Fault(f"The campaign has no channel '{channel}'", f"It has: {names}.")
    if not authored.ways or not authored.boards:
        raise Fault("The campaign names no ways or no boards", "Write the record's into it.")
    return Campaign(
        pins, authored.ways + authored.boards, authored.organisation, authored.texts,
        authored.boards, authored.hurry, authored.channels[channel],
    )  # fmt: skip


def is_build(folder: Path) -> bool:
    """Whether this command built a folder. Others, too, call a list of hashes SHA256SUMS."""
    return (folder / SUMS).is_file() and (folder / ZIP).is_file() and (folder / SITE).is_dir()


def may_replace(out: Path) -> None:
    """Raise a Fault unless `out` is empty, missing, or an earlier build."""
    if out.exists() and any(out.iterdir()) and not is_build(out):
        raise Fault(
            f"{out.name or 'That folder'} holds something that this command did not build",
            "Choose another folder; nothing was changed.",
        )


def _fill(authored: Authored, campaign: Campaign, page: Path, out: Path) -> Weights:
    site = out / "site"
    build_served(page, site, campaign, authored.film)
    carried = out / "carried" / CARRIED
    build_carried(page, carried, campaign, authored.carried_film)
    served = {path.name: path.read_bytes() for path in site.iterdir() if path.is_file()}
    weights = weigh(served)
    check_weights(weights)
    check_origins(served | {CARRIED: carried.read_bytes()})
    _pack(authored, out)
    _onion(authored, out)
    return weights


def _with_film(authored: Authored, films: Films) -> Authored:
    """The page gets the small one of the first made film, unless the campaign names a ready one."""
    if authored.film is not None or not films:
        return authored
    small = films[authored.films[0].stem] / SMALL.name
    return replace(authored, film=small, carried_film=authored.carried_film or small)


def _hand_out(authored: Authored, films: Films, out: Path) -> None:
    """What is not for the page: films in every size, their captions, their cards as pictures."""
    for film in authored.more_films:
        (out / "films").mkdir(exist_ok=True)
        (out / "films" / film.name).write_bytes(film.read_bytes())
    for name, folder in films.items():
        for path in (path for path in folder.iterdir() if path.name != INDEX):
            card = _FILM_CARD.fullmatch(path.name)
            to = f"cards/{name}-film-{card[1]}" if card else f"films/{name}/{path.name}"
            (out / to).parent.mkdir(parents=True, exist_ok=True)
            (out / to).write_bytes(path.read_bytes())


def _pack(authored: Authored, out: Path) -> None:
    """The ZIP for sticks and messengers: the carried page, its film, each text as plain text."""
    files = {path.name: path.read_bytes() for path in (out / "carried").iterdir()}
    for code, text in authored.texts.items():
        files[f"{code}.txt"] = f"{text.name}\n\n{text.lead}\n\n{text.body.strip()}\n".encode()
    (out / ZIP).write_bytes(packed(files))


def packed(files: Mapping[str, bytes]) -> bytes:
    """A ZIP whose bytes follow from the files alone.

    Stored, not compressed: what a compressor makes differs between its versions, and two people
    have to get the same bytes.
    """
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # whatever the system is
            entry.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(entry, files[name])
    return out.getvalue()


def _onion(authored: Authored, out: Path) -> None:
    """A folder that can be put beside a Tor as it is."""
    board = authored.boards[0].rstrip("/")
    mirror = {"host": "127.0.0.1", "port": 8480, "site": "site", "board": board}
    shutil.copytree(out / "site", out / "onion" / "site")
    for name, text in (("torrc", _TORRC), ("mirror.toml", _MIRROR + tomli_w.dumps(mirror))):
        (out / "onion" / name).write_text(text, encoding="utf-8", newline="\n")


def _draw(authored: Authored, folder: Path, cards: Cards) -> None:
    folder.mkdir()
    for text in authored.texts.values():
        for name, picture in cards(text, authored.address):
            (folder / name).write_bytes(picture)


def _hashes(folder: Path) -> dict[str, str]:
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: hashlib.sha256(paths[name].read_bytes()).hexdigest() for name in sorted(paths)}
