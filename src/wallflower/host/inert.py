"""A text that somebody else wrote, before it is shown on a screen or in a terminal."""

from __future__ import annotations

from typing import Final

_LAST_CONTROL = 0x9F  # of C1; what stands above may be needed, as the joiners of Persian are
# Signs that turn the direction of what follows, to the end of the paragraph if nothing ends them
# (UAX 9, explicit formatting), by the names that they have there.
TURNING: Final = {
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
}  # fmt: skip


def inert(text: str) -> str:
    """The text with its control characters made visible, and those that turn its direction; line
    ends, tabs, and the joiners and marks of right-to-left writing stay.

    A terminal obeys such characters: it moves, renames its window, and answers some as if a person
    had typed. Turned text reads as something that was not written.
    """
    return "".join(c if _is_harmless(c) else "\ufffd" for c in text)


def _is_harmless(c: str) -> bool:
    if c in TURNING:
        return False
    return c in "\n\t" or c.isprintable() or ord(c) > _LAST_CONTROL
