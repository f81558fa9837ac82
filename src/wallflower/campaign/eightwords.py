"""The eight words of a campaign: a fingerprint of its root keys for people. Spec: eightwords.md.

A film can show and speak them; they stay when the bundle or an online key changes. They are taken
over the keys themselves, never over names that a stranger could give to keys of his own.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from mnemonic import Mnemonic
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from wallflower.crypto.derive import sha256
from wallflower.errors import Fault, Refused

LISTS: Final = {"en": "english", "zh-Hans": "chinese_simplified"}
DIGITS: Final = "digits"
WORDS: Final = 8
_WORD_BITS: Final = 11
_BYTES: Final = WORDS * _WORD_BITS // 8
_GROUPS: Final = 7
_MAX_KEYS: Final = 255
# RFC 9106, section 4, the second recommended choice: t = 3, p = 4, 64 MiB, salt 16, tag 32.
_PASSES: Final = 3
_LANES: Final = 4
_MEMORY_KIB: Final = 64 * 1024
_TAG: Final = 32
_SALT: Final = b"wallflower/words"
_LABEL: Final = b"wallflower/1 eight words\x00"
_WORD: Final = re.compile(r"[^\W_]+")
_NEXT: Final = "Do not use this copy; ask the organisation for another one."


@dataclass(frozen=True, slots=True)
class RootKeys:
    """What the words are taken over: the ids of the root keys, sorted, and how many must sign."""

    ids: tuple[bytes, ...]
    threshold: int


def key_id(public: bytes) -> bytes:
    """SHA-256 of the canonical JSON of an Ed25519 key (eightwords 1): what TUF calls its key id."""
    value = {"keytype": "ed25519", "keyval": {"public": public.hex()}, "scheme": "ed25519"}
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii"))


def root_keys(root: bytes) -> RootKeys:
    """The root keys that a TUF root file names, or Refused (eightwords 3). No signature is checked
    here: the TUF client does that."""
    try:
        signed = Metadata[Root].from_bytes(root).signed
        role = signed.roles[Root.type]
        named = {i: bytes.fromhex(signed.keys[i].keyval["public"]) for i in role.keyids}
    except (RepositoryError, KeyError, ValueError, AttributeError, TypeError, RecursionError):
        raise Refused("eightwords 3.1", "That is no root file", _NEXT) from None
    if not 1 <= role.threshold <= len(named) <= _MAX_KEYS:
        raise Refused("eightwords 3.2", "The root file asks for keys that it has not", _NEXT)
    check_key_ids(named)
    return RootKeys(tuple(sorted(bytes.fromhex(i) for i in named)), role.threshold)


def check_key_ids(named: dict[str, bytes]) -> None:
    """Every key bears the id that follows from it, or Refused (eightwords 3.3)."""
    if any(key_id(public).hex() != name for name, public in named.items()):
        raise Refused("eightwords 3.3", "A root key bears the name of another key", _NEXT)


@cache
def fingerprint(keys: RootKeys) -> bytes:
    """The 11 bytes behind the words (eightwords 1). Takes 64 MiB and about 0.2 s; a Fault where
    they cannot be had."""
    message = _LABEL + bytes([keys.threshold, len(keys.ids)]) + b"".join(keys.ids)
    slow = Argon2id(
        salt=_SALT, length=_TAG, iterations=_PASSES, lanes=_LANES, memory_cost=_MEMORY_KIB
    )
    try:
        return slow.derive(message)[:_BYTES]
    except MemoryError:
        raise Fault(
            f"The eight words take {_MEMORY_KIB // 1024} MiB of memory for a moment, and this"
            " computer does not give them",
            "End other programs, or whatever limits this one's memory (such as ulimit -v), then"
            " type this again.",
        ) from None


def to_shown(mark: bytes, language: str) -> str:
    """The fingerprint in words of "en" or "zh-Hans", or as "digits" (eightwords 2)."""
    number = int.from_bytes(mark)
    if language == DIGITS:
        text = f"{number:0{4 * _GROUPS}d}"
        return " ".join(text[i : i + 4] for i in range(0, len(text), 4))
    words = _list(language)
    places = range(_WORD_BITS * (WORDS - 1), -1, -_WORD_BITS)
    return " ".join(words[number >> place & (1 << _WORD_BITS) - 1] for place in places)


def eight_words(root: bytes, language: str = "en") -> str:
    """The words of a root file, as a film shows them."""
    return to_shown(fingerprint(root_keys(root)), language)


def is_said(typed: str, mark: bytes) -> bool:
    """Whether what a person typed is this fingerprint, in any list or in digits of any script."""
    said = _plain(typed)
    return any(said == _plain(to_shown(mark, language)) for language in (*LISTS, DIGITS))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text).lower()
    digits = (unicodedata.decimal(c, None) for c in letters)
    return "".join(
        c if digit is None else str(digit)
        for c, digit in zip(letters, digits, strict=True)
        if c.isalnum()
    )


def check_typed(typed: str) -> None:
    """A Fault that names the slip when what a person typed can be no fingerprint at all: a word
    that is in no list, or too few. Spaces do not count here either (eightwords 2.3), and nothing
    typed is well."""
    plain = _plain(typed)
    if not typed or (plain.isdecimal() and len(plain) == 4 * _GROUPS) or WORDS in _counts(plain):
        return
    words = _WORD.findall(unicodedata.normalize("NFKD", typed).lower())
    if any(sign in _list("zh-Hans") for sign in plain):
        words = list(plain)
    unknown = [word for word in words if not _counts(word)]
    if unknown and not plain.isdecimal():
        raise Fault(
            f"'{unknown[0]}' is in no list of words", "Look for a slip in it, and try again."
        )
    many = (
        f"{len(plain)} digits"
        if plain.isdecimal()
        else f"{sum(min(_counts(word)) for word in words)} words"
    )
    raise Fault(
        f"Those are {many}", f"Give all {WORDS} words, or all {4 * _GROUPS} digits, in order."
    )


@cache
def _known() -> tuple[frozenset[str], int]:
    """All words of the lists, and the length of the longest."""
    known = frozenset(word for language in LISTS for word in _list(language))
    return known, max(map(len, known))


def _counts(text: str) -> set[int]:
    """In how many words of the lists a text without spaces can be cut, none more than fit."""
    known, longest = _known()
    counts: list[set[int]] = [{0}]
    for end in range(1, min(len(text), WORDS * longest) + 1):
        starts = range(max(0, end - longest), end)
        counts.append({n + 1 for at in starts if text[at:end] in known for n in counts[at]})
    return {n for n in counts[-1] if n <= WORDS} if len(text) < len(counts) else set()


@cache
def _list(language: str) -> tuple[str, ...]:
    return tuple(Mnemonic(LISTS[language]).wordlist)


def ids_of(publics: Iterable[bytes]) -> tuple[bytes, ...]:
    """Sorted key ids of public keys."""
    return tuple(sorted(key_id(public) for public in publics))


def organisation_root(keys: RootKeys) -> bytes:
    """The organisation root of pins and records: a hash of the first root (eightwords 4)."""
    sizes = bytes([keys.threshold, len(keys.ids)])
    return sha256(b"wallflower/1 organisation root\x00" + sizes + b"".join(keys.ids))
