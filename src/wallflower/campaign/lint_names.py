"""Published names and addresses: what a place cuts off, and what an address tells of its reader.

A shortened handle is a name that somebody else can register: in 2023 one of a campaign's links was
shown cut, and those who typed what they saw wrote to a stranger.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from wallflower.campaign.addresses import parts_of
from wallflower.campaign.authoring import Authored, Published
from wallflower.errors import Fault

_LIMITS: Final = Path(__file__).with_name("lint_limits.toml")
_LINK: Final = re.compile(r"(?:https?://(?:[^\s/@]+@)?)?[^\s/@]+\.[^\s/@]{2,}(?:/\S*)?")
_SCHEME: Final = re.compile(r"\Ahttps?://(www\.)?")
_SHORTENERS: Final = frozenset({"bit.ly", "t.co", "tinyurl.com", "goo.gl", "is.gd", "cutt.ly"})


@dataclass(frozen=True, slots=True)
class Place:
    """What one place shows: up to `limit` characters (None: unknown) of a 'name' or a 'link'."""

    name: str
    kind: str
    limit: int | None
    least: int
    source: str
    read: date


@cache
def places() -> dict[str, Place]:
    """The places that are known, each with its source."""
    return {one.name: one for one in map(_place, _table("place"))}


@cache
def _hosts() -> dict[str, int]:
    return {entry["name"]: entry["least"] for entry in _table("host") if entry["source"]}


def _table(key: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = tomllib.loads(_LIMITS.read_text(encoding="utf-8"))[key]
    return entries


def _place(entry: dict[str, Any]) -> Place:
    if not entry.get("source") or not isinstance(entry.get("read"), date):
        raise Fault(f"{_LIMITS.name} asserts {entry['name']} without a source", "Add it.")
    return Place(
        entry["name"], entry["kind"], entry.get("limit"), entry.get("least", 1), entry["source"],
        entry["read"],
    )  # fmt: skip


def truncated(authored: Authored) -> Iterator[tuple[str, str]]:
    """Every prefix that is shown of something longer, unless we hold it ourselves."""
    for entry in authored.published:
        place = places().get(entry.place)
        if place is None or place.limit is None:
            continue
        for text, shown in _cut(entry, place):
            if shown.casefold().lstrip("@") in authored.owned or _last(shown) in authored.owned:
                continue
            yield (
                f"{text} is shown as '{shown}…' on {place.name} ({place.limit} characters; "
                f"{place.source}, read {place.read}); {_who(shown, place)}",
                "Register it and add it to 'owned', or change the name to one that is shown whole.",
            )


def _cut(entry: Published, place: Place) -> Iterator[tuple[str, str]]:
    """What is published and what is shown of it, where that is less."""
    limit = place.limit or 0
    if place.kind == "name":
        name = entry.text.strip().removeprefix("@")
        if len(name) > limit:
            yield name, name[:limit]
        return
    for link in _LINK.findall(entry.text):
        bare = _SCHEME.sub("", link)
        if len(bare) > limit:
            yield bare, bare[:limit]


def _last(shown: str) -> str:
    return re.split(r"[/@]", shown)[-1].casefold()


def _who(shown: str, place: Place) -> str:
    """Whether what is shown could be somebody's."""
    host, slash, rest = shown.partition("/")
    if place.kind == "name":
        return f"'{shown}' is a name that somebody else can register"
    if not slash:
        return f"'{host}' can be somebody else's address"
    if len(rest) >= _hosts().get(host.lower(), 1):
        return f"'{rest}' at {host} can be somebody else"
    return f"'{rest}' at {host} leads nobody to you"


def marked(authored: Authored) -> Iterator[tuple[str, str]]:
    """Addresses that tell where a reader found them, or that a stranger answers first."""
    texts = [entry.text for entry in authored.published] + [authored.address]
    texts += [*authored.ways, *authored.boards]
    for link in (link for text in texts for link in _LINK.findall(text)):
        parts = parts_of(link)
        if parts.query or parts.fragment or parts.username:
            yield (
                f"{link} carries more than an address",
                "Publish it without everything from '?' or '#' on: it says where a reader came "
                "from.",
            )
        if (parts.hostname or "") in _SHORTENERS:
            yield f"{link} goes by a shortener, who learns who follows it", "Publish the address."


def not_judged(authored: Authored) -> Iterator[str]:
    """Places without a known limit."""
    for name in sorted({entry.place for entry in authored.published}):
        place = places().get(name)
        if place is None:
            yield f"{name}: nothing is known of what it shows; look there on a phone and a computer"
        elif place.limit is None:
            yield (
                f"{name} cuts what it shows, at a length that nobody published ({place.source}); "
                "look there on a phone and a computer"
            )
