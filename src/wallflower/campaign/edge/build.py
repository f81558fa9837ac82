"""Makes both shapes of a campaign's page: the built page with a campaign's pins, ways and film.

*Served* is a folder that any host can serve. *Carried* is one file, for messengers and USB sticks,
that works from the disk. The same inputs give the same bytes: no date, no path and no chance goes
into either, so that two people can build them and compare.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from wallflower.campaign.addresses import parts_of
from wallflower.campaign.texts import Text, outdated
from wallflower.errors import Fault
from wallflower.trust.pins import Pins
from wallflower.wire.census import CHANNELS

FILM_PIECE: Final = 32 * 1024
MAX_PIECES: Final = 1024  # one a second: nobody waits longer
FILES: Final = ("app.js", "hum.js", "seal.js", "style.css")
CARRIED: Final = "carried.html"
_BUILD: Final = "Type: cd page && npm ci --ignore-scripts && npm run build"
_WAY: Final = re.compile(r"https?://[!-~]+")
_FORBIDDEN_IN_POLICY: Final = frozenset(";,'\"<>")
# A place that the build fills (`@PINS@`, `@TEXT ru@`), and a part that only some campaigns keep.
_MARK: Final = re.compile(r"@([A-Z]+(?: [A-Za-z-]+)?)@")
_PART: Final = re.compile(
    r"<!--(?P<when>in|unreviewed|outdated) (?P<code>[A-Za-z-]+)-->(?P<part>.*?)"
    r"<!--/(?P=when) (?P=code)-->",
    re.S,
)
_ONCE: Final = frozenset({"PINS", "CONNECT", "ORGANISATION", "LANGUAGE", "TITLE"})


def packaged_page() -> Path:
    """Where `npm run build` puts the page."""
    return Path(__file__).parent.with_name("page")


@dataclass(frozen=True, slots=True)
class Campaign:
    """What an organisation puts into the page.

    `ways` are the URLs of the record's ways: the page may talk to their origins and to its own, and
    to nothing else. `organisation` is the name that people know. `texts` by language, the source of
    the others first. `boards` are those of the ways that show records and the board, from which a
    carried copy begins (all of them when not told). `hurry` is whether a person may let a letter
    leave on the day of its writing (store 3.3). `channel` is the number of the channel that this
    copy is for (census 1), 0 when there is one.
    """

    pins: Pins
    ways: tuple[str, ...]
    organisation: str
    texts: Mapping[str, Text]
    boards: tuple[str, ...] = ()
    hurry: bool = True
    channel: int = 0


def build_served(page: Path, out: Path, campaign: Campaign, film: Path | None) -> None:
    """Fill `out` with the served shape; a site that lies there is replaced, other files stay."""
    template, copies = _read_page(page)
    moving = film.read_bytes() if film else b""
    pieces = [moving[i : i + FILM_PIECE] for i in range(0, len(moving), FILM_PIECE)]
    if film and not 1 <= len(pieces) <= MAX_PIECES:
        raise Fault("The film is empty or larger than 32 MiB", "Encode it smaller.")
    about_film = {"film": {"pieces": len(pieces), "bytes": len(moving)}}
    index = _fill(template, campaign, about_film, {})
    shutil.rmtree(out / "film", ignore_errors=True)  # a longer film may have lain there
    (out / "film").mkdir(parents=True)
    (out / "index.html").write_text(index, encoding="utf-8", newline="\n")
    for name, data in copies.items():
        (out / name).write_bytes(data)
    for number, piece in enumerate(pieces):
        (out / "film" / f"{number:02d}").write_bytes(piece)


def build_carried(page: Path, out: Path, campaign: Campaign, film: Path | None = None) -> None:
    """Write the carried shape to the file `out`, and its film, if it has one, beside it.

    The film is played as a browser plays any file, so nothing is claimed about who plays it where a
    copy of this shape is served over a network.
    """
    template = _read(page / CARRIED)
    boards = campaign.boards or campaign.ways
    beside = out.with_suffix(".mp4")
    marks = {
        "MEDIA": " 'self'" if film else " 'none'",
        "FILM": f' controls preload="metadata" src="{quote(beside.name)}"' if film else "",
    }
    text = _fill(template, campaign, {"boards": list(boards)}, marks)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8", newline="\n")
    if film:
        beside.write_bytes(film.read_bytes())


def _read_page(page: Path) -> tuple[str, dict[str, bytes]]:
    template = _read(page / "index.html")
    return template, {name: _read(page / name).encode() for name in FILES}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Fault("The page has not been built", _BUILD) from None


def _origins(ways: list[str]) -> list[str]:
    """The origins that the page's policy lets it reach, each once, in order of the ways."""
    origins: dict[str, None] = {}
    for way in ways:
        parts = parts_of(way)
        # A way goes into a policy inside an attribute: what could end either is refused.
        if not _WAY.fullmatch(way) or _FORBIDDEN_IN_POLICY & set(parts.netloc) or not parts.netloc:
            raise Fault("A way is not an http or https address", "Correct the record's ways.")
        origins[f"{parts.scheme}://{parts.netloc}"] = None
    return list(origins)


def _fill(
    template: str, campaign: Campaign, more: Mapping[str, object], raw: Mapping[str, str]
) -> str:
    """The template with its marks filled; `raw` holds values of our own that are no text."""
    if not 0 <= campaign.channel < CHANNELS:
        raise Fault("The channel is out of bounds", f"Give a number from 0 to {CHANNELS - 1}.")
    choices = {"hurry": campaign.hurry, "channel": campaign.channel}
    unreviewed = [code for code, text in campaign.texts.items() if not text.reviewed]
    fields = json.loads(campaign.pins.encode()) | choices | {"unreviewed": unreviewed} | more
    origins = _origins(list(campaign.ways) + list(campaign.boards))
    source = next(iter(campaign.texts.values()))
    values = {
        "PINS": _escaped(json.dumps(fields, sort_keys=True, separators=(",", ":"))),
        "CONNECT": _escaped("".join(f" {origin}" for origin in origins)),
        "ORGANISATION": _escaped(campaign.organisation),
        "LANGUAGE": _escaped(source.language),
        "TITLE": _escaped(source.title),
        **_spoken(campaign.texts),
        **raw,
    }
    return _filled(_selected(template, campaign.texts), values, _ONCE | raw.keys())


def _spoken(texts: Mapping[str, Text]) -> dict[str, str]:
    """What fills the marks of each language. Only a text's body is HTML, of our own making."""
    values = {}
    for code, text in texts.items():
        values[f"NAME {code}"] = _escaped(text.name)
        values[f"TITLE {code}"] = _escaped(text.title)
        values[f"LEAD {code}"] = _escaped(text.lead)
        values[f"ABOUT {code}"] = _escaped(text.about)
        values[f"TEXT {code}"] = text.html()
    return values


def _selected(template: str, texts: Mapping[str, Text]) -> str:
    """The template without the languages that the campaign has not, and the notes it needs not."""
    source = next(iter(texts.values()))
    known = {found["code"] for found in _PART.finditer(template)}
    if not known:
        raise Fault("The built page is of another version", _BUILD)
    if unknown := texts.keys() - known:
        raise Fault(
            f"The page itself does not speak {', '.join(sorted(unknown))}",
            f"It speaks {', '.join(sorted(known))}; page/README.md says how a language is added.",
        )
    kept = {
        "in": texts.keys(),
        "unreviewed": {code for code, text in texts.items() if not text.reviewed},
        "outdated": {code for code, text in texts.items() if text is not source
                     and outdated(text, source)},
    }  # fmt: skip
    return _PART.sub(
        lambda found: found["part"] if found["code"] in kept[found["when"]] else "", template
    )


def _filled(template: str, values: Mapping[str, str], once: frozenset[str] | set[str]) -> str:
    """Every mark filled, in one pass, so that no value fills another's mark."""
    marks = _MARK.findall(template)
    if set(marks) != values.keys() or any(marks.count(mark) != 1 for mark in once):
        raise Fault("The built page is of another version", _BUILD)
    return _MARK.sub(lambda found: values[found[1]], template)


def _escaped(value: str) -> str:
    """Text as it may stand inside a quoted attribute; `@` too, so that no value fills a mark."""
    return re.sub(r"[&<>\"'@\x00-\x1f]", lambda sign: f"&#{ord(sign[0])};", value)
