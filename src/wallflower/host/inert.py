"""A text that somebody else wrote, before it is shown on a screen or in a terminal."""

from __future__ import annotations

_LAST_CONTROL = 0x9F  # of C1; what stands above may be needed, as the joiners of Persian are


def inert(text: str) -> str:
    """The text with its control characters made visible; line ends and tabs stay.

    A terminal obeys such characters: it moves, renames its window, and answers some as if a person
    had typed.
    """
    return "".join(
        c if c in "\n\t" or c.isprintable() or ord(c) > _LAST_CONTROL else "\ufffd" for c in text
    )
