"""The pins inside of a built page, and what else it says of itself there. Spec: bundle.md 6.

The page of a bundle is data like any other here: a text with a mark in it that anybody can have
written.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

from wallflower.campaign.verify import NEXT
from wallflower.errors import Refused

_MARK: Final = "wallflower-pins"
_PINS_MARK: Final = re.compile(rf'<meta name="{_MARK}" content="([^"]*)"')
_CONTROLS: Final = re.compile(r"[^\t\n\f\r -\x7e\x80-\U0010ffff]")
_PAGES: Final = (".html", ".htm", ".xhtml", ".xht", ".svg", ".shtml")
_TAG: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_PINNED: Final = ("root", "organisation", "a", "b", "desk")


def page_pins(text: str) -> list[dict[str, Any]]:
    """The pins inside of a page; an unreadable mark counts as empty pins."""
    found = []
    for mark in _PINS_MARK.findall(text):
        try:
            value = json.loads(html.unescape(mark))
        except (ValueError, RecursionError):
            value = {}
        found.append(value if isinstance(value, dict) else {})
    return found


def unreviewed(text: str) -> set[str]:
    """The languages of a page that it says no reader has checked; what is no tag is left out."""
    said = [v.get("unreviewed") for v in page_pins(text)]
    lists = [one for one in said if isinstance(one, list)]
    return {tag for one in lists for tag in one if isinstance(tag, str) and _TAG.fullmatch(tag)}


def is_page(name: str) -> bool:
    """Whether a browser takes a file of this name for a page."""
    return name.lower().endswith(_PAGES)


def check_page_pins(page: bytes, pins: bytes) -> None:
    """A page carries the pins that the offline keys signed, in the one spelling that is looked at,
    or Refused (bundle 6.17). A script that ignores the mark is not seen here: whoever signs pages
    can write one."""
    signed = _signed(pins)
    text = _plain(page)
    said = page_pins(text)
    others = _spelled(html.unescape(text)) - len(said)
    if others or any([v.get(n) for n in _PINNED] != [signed[n] for n in _PINNED] for v in said):
        raise Refused(
            "bundle 6.17", "The page pins other record keys than the offline keys signed",
            "Build it again with the pins.json of the folder of keys.",
        )  # fmt: skip


def _signed(pins: bytes) -> dict[str, Any]:
    """The pins that the offline keys signed, who may be a stranger's."""
    try:
        value = json.loads(pins)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not all(isinstance(value.get(n), str) for n in _PINNED):
        raise Refused("bundle 6.17", "The bundle's own pins cannot be read", NEXT)
    return value


def _plain(page: bytes) -> str:
    """The text that every browser reads, whatever charset it is told: UTF-8 without controls."""
    try:
        text = page.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if _CONTROLS.search(text):
        raise Refused(
            "bundle 6.17", "The page can be read in two ways, and its pins with it",
            "Save it as UTF-8, without control characters.",
        )  # fmt: skip
    return text


def _spelled(text: str) -> int:
    """How often a text names the mark, but for the page's own script, which looks for it."""
    return text.lower().count(_MARK) - text.count(f'meta[name="{_MARK}"]')
