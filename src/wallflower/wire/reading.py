"""Fixed fields out of bytes, and a person's text into bytes; both refuse what does not fit."""

from __future__ import annotations

from wallflower.errors import Refused


def utf8(text: str, rule: str) -> bytes:
    """A person's text as bytes; a lone surrogate, which a terminal can hand in, is refused."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(rule, "The text holds a sign that is no character", "Delete it.") from None


class Reader:
    """Reads `data` from the front; every shortage is refused under one rule."""

    def __init__(self, data: bytes, rule: str) -> None:
        self._data = data
        self._at = 0
        self._rule = rule

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        end = self._at + size
        if end > len(self._data):
            raise Refused(self._rule, "The bytes end too early")
        piece = self._data[self._at : end]
        self._at = end
        return piece

    def number(self, size: int) -> int:
        """The next `size` bytes as an unsigned big-endian number."""
        return int.from_bytes(self.take(size))

    def end(self) -> None:
        """Refuse whatever is left."""
        if self._at != len(self._data):
            raise Refused(self._rule, "Bytes are left over")
