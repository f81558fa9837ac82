"""The pins inside of a built page, and what else it says of itself there. Spec: bundle.md 6.

The page of a bundle is data like any other here: a text with a mark in it that anybody can have
written.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any, Final

from wallflower.errors import Refused

_PINS_MARK: Final = re.compile(r'<meta name="wallflower-pins" content="([^"]*)"')
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


def check_pins_text(text: str, pins: bytes) -> None:
    """A page carries the pins that the offline keys signed, or Refused (bundle 6.17)."""
    signed = json.loads(pins)
    if any([v.get(n) for n in _PINNED] != [signed[n] for n in _PINNED] for v in page_pins(text)):
        raise Refused(
            "bundle 6.17", "The page pins other record keys than the offline keys signed",
            "Build it again with the pins.json of the folder of keys.",
        )  # fmt: skip
