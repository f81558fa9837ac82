"""What a built page may weigh on the wire, and whom it may ask.

Where a wall lets only the first 15-20 kB of a connection through, the whole instructions still have
to arrive: so they fit 12 kB in one response, as gzip packs them. Headers are not counted.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

from wallflower.errors import Fault

INSTRUCTIONS: Final = 12_000
WITHOUT_SCRIPT: Final = 60_000
WITH_SCRIPT: Final = 200_000
_HUM_LOADS: Final = 2  # hum.js is asked for once a Worker where nothing is cached
_FETCHES: Final = frozenset({
    "src", "href", "srcset", "action", "formaction", "poster", "data", "cite", "ping", "background",
    "manifest", "xlink:href", "imagesrcset",
})  # fmt: skip
_OWN: Final = re.compile(r"data:,|#[A-Za-z-]*|[A-Za-z0-9%][A-Za-z0-9%._-]*")
_IN_STYLE: Final = re.compile(r"""url\(\s*["']?(?!data:)[^)]*\)|@import[^;]*""")


@dataclass(frozen=True, slots=True)
class Weights:
    """Bytes on the wire of one load, packed by gzip, without film and board."""

    instructions: int
    without_script: int
    with_script: int

    def lines(self) -> list[str]:
        """Each weight beside its limit."""
        return [
            f"instructions in one response: {self.instructions:,} B of {INSTRUCTIONS:,}",
            f"page without script: {self.without_script:,} B of {WITHOUT_SCRIPT:,}",
            f"page with script: {self.with_script:,} B of {WITH_SCRIPT:,}",
        ]


def weigh(site: Mapping[str, bytes]) -> Weights:
    """The weights of a served site, by the names of its files."""

    def packed(name: str) -> int:
        return len(gzip.compress(site[name], mtime=0))

    page = packed("index.html")
    still = page + packed("style.css")
    script = packed("app.js") + packed("seal.js") + _HUM_LOADS * packed("hum.js")
    return Weights(page, still, still + script)


def check_weights(weights: Weights) -> None:
    """Raise a Fault for what is too heavy, with what to make shorter."""
    limits = (
        ("The instructions take", weights.instructions, INSTRUCTIONS,
         "Shorten the texts, or put fewer languages into one bundle."),
        ("The page without script takes", weights.without_script, WITHOUT_SCRIPT,
         "Shorten the texts."),
        ("The page with its script takes", weights.with_script, WITH_SCRIPT,
         "Use the page as it was released."),
    )  # fmt: skip
    for what, weight, limit, advice in limits:
        if weight > limit:
            raise Fault(f"{what} {weight:,} B on the wire; the limit is {limit:,}", advice)


class _Asked(HTMLParser):
    """The addresses that markup asks for by itself or by a click."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every attribute that a browser fetches or follows."""
        self.addresses += [
            value or ""
            for name, value in attrs
            if name in _FETCHES or (tag == "meta" and name == "content" and _refreshes(attrs))
        ]


def _refreshes(attrs: list[tuple[str, str | None]]) -> bool:
    return any(name == "http-equiv" and (value or "").lower() == "refresh" for name, value in attrs)


def foreign(files: Mapping[str, bytes]) -> list[str]:
    """What markup and styles ask of anybody else, as 'file: address'; scripts are held by the
    page's policy, which names the ways and nobody else.
    """
    found = []
    for name, data in sorted(files.items()):
        if not name.endswith((".html", ".css")):
            continue
        style = text = data.decode("utf-8", "replace")
        asked = _Asked()
        if name.endswith(".html"):
            style = "".join(re.findall(r"<style>(.*?)</style>", text, re.S))
            asked.feed(text)
        foreigners = [one for one in asked.addresses if not _OWN.fullmatch(one)]
        found += [f"{name}: {one}" for one in foreigners + _IN_STYLE.findall(style)]
    return found


def check_origins(files: Mapping[str, bytes]) -> None:
    """Raise a Fault when anything but the bundle's own files is asked for."""
    if found := foreign(files):
        raise Fault(f"The page asks somebody else: {found[0]}", "Use the page as it was released.")
