"""A text that a stranger wrote, as HTML: inert, with the signs that turn its direction by name.

The boxes that it stands in are isolated (`dir="auto"`), so nothing of it reaches what is around
them. Within, a turning sign is a mark instead of an order: what a handler reads is what was
written. The weak marks of right-to-left writing have a mark too and stay: they move no letter but
the signs next to them, and a Persian text may need them.
"""

from __future__ import annotations

import re
from typing import Final

from markupsafe import Markup, escape

from wallflower.host.inert import TURNING, inert

_WEAK: Final = {"\u200e": "LRM", "\u200f": "RLM", "\u061c": "ALM"}
_NAMES: Final = TURNING | _WEAK
_SIGN: Final = re.compile(f"([{''.join(_NAMES)}])")


def shown(text: str) -> Markup:
    """The text as HTML, each sign of direction as `<bdi class="sign">` with its name."""
    pieces = _SIGN.split(text)
    return Markup("").join(
        _named(piece) if at % 2 else escape(inert(piece)) for at, piece in enumerate(pieces)
    )


def _named(sign: str) -> Markup:
    kept = sign if sign in _WEAK else ""
    # Behind the weak mark: there it stands between the same two neighbours as the mark itself.
    return Markup('{}<bdi class="sign">{}</bdi>').format(kept, _NAMES[sign])


def has_signs(text: str) -> bool:
    """Whether the text holds a sign that `shown` names."""
    return _SIGN.search(text) is not None
