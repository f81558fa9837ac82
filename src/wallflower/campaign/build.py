"""Makes the static site of a campaign: the built page with a campaign's pins, ways and film.

The same inputs give the same bytes: no date, no path and no chance goes into a site, so that two
people can build it and compare.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from wallflower.errors import Fault
from wallflower.trust.pins import Pins

FILM_PIECE: Final = 32 * 1024
MAX_PIECES: Final = 1024  # one a second: nobody waits longer
FILES: Final = ("app.js", "hum.js", "style.css")
_BUILD: Final = "Type: cd page && npm ci --ignore-scripts && npm run build"
_WAY: Final = re.compile(r"https?://[!-~]+")
_FORBIDDEN_IN_POLICY: Final = frozenset(";,'\"<>")


def packaged_page() -> Path:
    """Where `npm run build` puts the page."""
    return Path(__file__).with_name("page")


def packaged_film() -> Path:
    """The film of the example campaign."""
    return Path(__file__).with_name("example") / "film.mp4"


def build_site(
    page: Path, out: Path, pins: Pins, ways: list[str], film: Path, organisation: str
) -> None:
    """Fill `out` with the site; a site that lies there is replaced, other files are left alone.

    `ways` are the URLs of the record's ways: the page may talk to their origins and to its own, and
    to nothing else. `organisation` is the name that people know, for the page's description.
    """
    template, copies = _read_page(page)
    moving = film.read_bytes()
    pieces = [moving[i : i + FILM_PIECE] for i in range(0, len(moving), FILM_PIECE)]
    if not 1 <= len(pieces) <= MAX_PIECES:
        raise Fault("The film is empty or larger than 32 MiB", "Encode it smaller.")
    index = _fill(template, pins, _origins(ways), len(pieces), len(moving), organisation)
    shutil.rmtree(out / "film", ignore_errors=True)  # a longer film may have lain there
    (out / "film").mkdir(parents=True)
    (out / "index.html").write_text(index, encoding="utf-8", newline="\n")
    for name, data in copies.items():
        (out / name).write_bytes(data)
    for number, piece in enumerate(pieces):
        (out / "film" / f"{number:02d}").write_bytes(piece)


def _read_page(page: Path) -> tuple[str, dict[str, bytes]]:
    try:
        template = (page / "index.html").read_text(encoding="utf-8")
        return template, {name: (page / name).read_bytes() for name in FILES}
    except FileNotFoundError:
        raise Fault("The page has not been built", _BUILD) from None


def _origins(ways: list[str]) -> list[str]:
    """The origins that the page's policy lets it reach, each once, in order of the ways."""
    origins: dict[str, None] = {}
    for way in ways:
        parts = urlsplit(way)
        # A way goes into a policy inside an attribute: what could end either is refused.
        if not _WAY.fullmatch(way) or _FORBIDDEN_IN_POLICY & set(parts.netloc) or not parts.netloc:
            raise Fault("A way is not an http or https address", "Correct the record's ways.")
        origins[f"{parts.scheme}://{parts.netloc}"] = None
    return list(origins)


def _fill(
    template: str, pins: Pins, origins: list[str], pieces: int, size: int, organisation: str
) -> str:
    fields = json.loads(pins.encode()) | {"film": {"pieces": pieces, "bytes": size}}
    for mark, value in (
        ("@PINS@", json.dumps(fields, sort_keys=True, separators=(",", ":"))),
        ("@CONNECT@", "".join(f" {origin}" for origin in origins)),
        ("@ORGANISATION@", organisation),
    ):
        if template.count(mark) != 1:
            raise Fault("The built page is of another version", _BUILD)
        template = template.replace(mark, _escaped(value))
    return template


def _escaped(value: str) -> str:
    """Text as it may stand inside a quoted attribute; `@` too, so that no value fills a mark."""
    return re.sub(r"[&<>\"'@\x00-\x1f]", lambda sign: f"&#{ord(sign[0])};", value)


def build_example(out: Path, pins: Pins, ways: list[str], organisation: str) -> None:
    """Build the packaged example campaign."""
    build_site(packaged_page(), out, pins, ways, packaged_film(), organisation)
