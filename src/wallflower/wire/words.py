"""The secret as a person keeps it: twelve words, or ten groups of four digits. Spec: words.md.

The secret is the 16 bytes, never the string. Errors name the place of a word and never repeat it.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from mnemonic import Mnemonic

from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.sizes import SECRET

LISTS: Final = {"en": "english", "zh-Hans": "chinese_simplified"}
_WORDS: Final = 12
_DIGITS: Final = 40
_CHECK: Final = 29
_RETRY: Final = "Compare it with what you wrote down."


@cache
def _list(language: str) -> Mnemonic:
    return Mnemonic(LISTS[language])


def to_words(secret: bytes, language: str) -> list[str]:
    """Twelve BIP-39 words of 16 bytes in "en" or "zh-Hans" (words 1)."""
    if len(secret) != SECRET:
        raise ValueError("a secret has 16 bytes")
    return _list(language).to_mnemonic(secret).split()


def to_digits(secret: bytes) -> str:
    """Ten groups of four digits (words 2)."""
    number = int.from_bytes(secret) * _CHECK + int.from_bytes(sha256(secret)) % _CHECK
    digits = f"{number:0{_DIGITS}d}"
    return " ".join(digits[i : i + 4] for i in range(0, _DIGITS, 4))


def from_person(typed: str) -> bytes:
    """The 16-byte secret out of what a person typed, or Refused (words 3, 4)."""
    seen = "".join(c for c in typed if unicodedata.category(c) != "Cf")
    digits = _digits(seen)
    if digits is not None:
        return _from_digits(digits)
    words = _split(seen)
    if len(words) != _WORDS:
        raise Refused("words 4.1", "That is neither twelve words nor forty digits", _RETRY)
    for language in LISTS:
        if all(word in _list(language).wordlist for word in words):
            return _from_words(words, language)
    raise Refused("words 4.2", _stranger(words), _RETRY)


def _split(typed: str) -> list[str]:
    words = unicodedata.normalize("NFKD", typed).lower().split()
    if len(words) != _WORDS and all(ord(c) > 0x2E80 for c in "".join(words)):
        return list("".join(words))
    return words


def _stranger(words: list[str]) -> str:
    best = min(
        ([i for i, w in enumerate(words, 1) if w not in _list(name).wordlist] for name in LISTS),
        key=len,
    )
    return f"Word number {best[0]} is not in the list"


def _from_words(words: list[str], language: str) -> bytes:
    try:
        return bytes(_list(language).to_entropy(words))
    except ValueError:
        raise Refused("words 4.3", "The words do not belong together", _RETRY) from None


def _digits(typed: str) -> str | None:
    marks = [c for c in typed if not c.isspace() and c not in "-\u2010\u2011\u2012\u2013"]
    values = [unicodedata.decimal(c, None) for c in marks]
    if not values or any(v is None for v in values):
        return None
    return "".join(str(v) for v in values)


def _from_digits(digits: str) -> bytes:
    if len(digits) != _DIGITS:
        raise Refused("words 4.1", "That is neither twelve words nor forty digits", _RETRY)
    number, check = divmod(int(digits), _CHECK)
    if number >= 2 ** (8 * SECRET):
        raise Refused("words 4.4", "The digits do not belong together", _RETRY)
    secret = number.to_bytes(SECRET)
    if int.from_bytes(sha256(secret)) % _CHECK != check:
        raise Refused("words 4.3", "The digits do not belong together", _RETRY)
    return secret
