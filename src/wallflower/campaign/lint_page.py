"""The page itself, as it was built: contrast of its colours, and whom it tells of a visit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from wallflower.campaign.build_budgets import foreign

FILES: Final = ("index.html", "style.css", "carried.html")
LEAST_CONTRAST: Final = 4.5  # WCAG 2.2, 1.4.3, text of usual size
_PAIRS: Final = (
    ("ink", "ground"), ("ink", "sheet"), ("quiet", "ground"), ("quiet", "sheet"),
    ("accent", "ground"), ("accent", "sheet"), ("accent-ink", "accent"), ("fault", "sheet"),
    ("done", "sheet"), ("fault", "ground"), ("done", "ground"),
)  # fmt: skip
_ROOT: Final = re.compile(r":root\s*\{([^}]*)\}")
_COLOUR: Final = re.compile(r"--([\w-]+):\s*(#[0-9a-f]{3}(?:[0-9a-f]{3})?)\b", re.I)


def judged(files: Mapping[str, bytes]) -> Iterator[tuple[str, str, str]]:
    """Rule, what, and next step for each fault of the built page, given its FILES."""
    step = "Use the page as it was released, or correct page/src."
    for fault in weak_contrasts(files["style.css"].decode()):
        yield "contrast", fault, step
    for name in ("index.html", "carried.html"):
        if b'<meta name="referrer" content="no-referrer">' not in files[name]:
            yield "referrer", f"{name} tells other sites where its reader came from", step
    for asked in foreign(files):
        yield "origins", f"the page asks somebody else: {asked}", step


def weak_contrasts(style: str) -> Iterator[str]:
    """Each pair of text and ground, light and dark, that is hard to read."""
    schemes = [dict(_COLOUR.findall(block)) for block in _ROOT.findall(style)]
    light = schemes[0] if schemes else {}
    for name, scheme in (("light", light), *(("dark", light | dark) for dark in schemes[1:])):
        for text, ground in _PAIRS:
            if text not in scheme or ground not in scheme:
                yield f"{name}: the page has no colour '{text}' or '{ground}'"
                continue
            ratio = contrast(scheme[text], scheme[ground])
            if ratio < LEAST_CONTRAST:
                yield f"{name}: {text} on {ground} has {ratio:.1f} : 1 of {LEAST_CONTRAST} : 1"


def contrast(one: str, other: str) -> float:
    """The ratio of two colours `#rgb` or `#rrggbb` (WCAG 2.2, 'contrast ratio')."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    whole = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    channels = (int(whole[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
