"""Tokens: how a hum says that its letter is of some known conversation. Spec: token.md.

B gets hashes only, in a set of one size, so it learns that a conversation is known and never which.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wallflower.crypto.derive import derive, mac16, sha256
from wallflower.errors import Refused
from wallflower.wire.sizes import (
    TOKEN,
    TOKEN_ENTRIES,
    TOKEN_ENTRY,
    TOKEN_SET,
    TOKEN_WEEKS,
    TOKENS,
    VERSION,
)

_DOMAIN = b"wallflower/1 token\0"
SALT = 16
_HEADER = 4


def token_key(conversation: bytes) -> bytes:
    """K_tok, 32 bytes, from a conversation's id (token 1.1)."""
    return derive(conversation, b"token", 32)


def token(key: bytes, week: int, index: int) -> bytes:
    """One token, TOKEN bytes (token 1.2)."""
    return mac16(key, week.to_bytes(2) + index.to_bytes(1))


def tokens_of_week(conversation: bytes, week: int) -> list[bytes]:
    """All TOKENS tokens of a conversation and week."""
    key = token_key(conversation)
    return [token(key, week, i) for i in range(TOKENS)]


def tokens_of_letter(conversation: bytes, week: int, mark: int) -> bytes:
    """What lies beside a waiting letter that is sealed in `week`: its tokens of that week and the
    next ones, TOKEN_WEEKS of them in one (token 1.4, 1.5)."""
    key = token_key(conversation)
    return b"".join(token(key, week + n, index_of(mark)) for n in range(TOKEN_WEEKS))


def token_for(tokens: bytes, sealed_in: int, week: int) -> bytes | None:
    """The token of `week` out of those beside a letter sealed in `sealed_in`; None when it leaves
    later than they reach, as after days without a record (token 1.5, 1.6)."""
    at = (week - sealed_in) * TOKEN
    return tokens[at : at + TOKEN] if 0 <= at < len(tokens) else None


def index_of(mark: int) -> int:
    """Which token a letter takes (token 1.4)."""
    return mark % TOKENS


def entry_of(salt: bytes, value: bytes) -> bytes:
    """What a set holds in place of a token (token 2.2)."""
    return sha256(_DOMAIN + salt + value)[:TOKEN_ENTRY]


@dataclass(frozen=True, slots=True, repr=False)
class TokenSet:
    """The known tokens of one week, as B has them (token 2.1)."""

    week: int
    salt: bytes
    entries: frozenset[bytes]

    def holds(self, value: bytes) -> bool:
        """Whether a token is one of this set's."""
        return entry_of(self.salt, value) in self.entries


def make_set(week: int, tokens: Iterable[bytes], draw: Callable[[int], bytes]) -> bytes:
    """TOKEN_SET bytes that hold these tokens among random entries (token 2.1-2.3).

    `draw(n)` gives n uniform bytes: the salt first, then the padding.
    """
    salt = draw(SALT)
    entries = {entry_of(salt, value) for value in tokens}
    if len(entries) > TOKEN_ENTRIES:
        raise ValueError("a set has one size")
    while missing := TOKEN_ENTRIES - len(entries):
        entries |= set(_cut(draw(missing * TOKEN_ENTRY)))
    return bytes([VERSION, 0]) + week.to_bytes(2) + salt + b"".join(sorted(entries))


def parse_set(data: bytes) -> TokenSet:
    """Read a set, or Refused (token 4.1-4.3)."""
    if len(data) != TOKEN_SET:
        raise Refused("token 4.1", "A set of tokens has the wrong length")
    if data[0] != VERSION or data[1]:
        raise Refused("token 4.2", "A set's version or reserved byte is wrong")
    first = _HEADER + SALT
    entries = _cut(data[first:])
    if any(a >= b for a, b in itertools.pairwise(entries)):
        raise Refused("token 4.3", "A set's entries do not ascend")
    return TokenSet(int.from_bytes(data[2:4]), data[_HEADER:first], frozenset(entries))


def _cut(entries: bytes) -> list[bytes]:
    return [entries[at : at + TOKEN_ENTRY] for at in range(0, len(entries), TOKEN_ENTRY)]
