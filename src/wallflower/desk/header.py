"""The header beside the store: how a passphrase becomes the key of what is stored.

The store is sealed under a random data key; only that key is wrapped by the passphrase, so a new
passphrase rewrites this small file and nothing else. Who has an old copy of the header still needs
only the old passphrase: a passphrase that was seen calls for a new store, not for a change.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from wallflower.crypto import aead
from wallflower.crypto.derive import hkdf
from wallflower.crypto.hpke import Unopened
from wallflower.errors import Fault

SHORTEST: Final = 12
DATA_KEY: Final = 32
SALT: Final = 16
NONCE: Final = 12
_VERSION: Final = 1
_AAD: Final = b"wallflower/1 desk store"
_MOST_KIB: Final = 4 * 1024 * 1024  # a header that asks for more is damaged, not careful
_MOST_PASSES: Final = 64


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess at the passphrase costs (Argon2id, RFC 9106)."""

    memory_kib: int = 256 * 1024
    passes: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True, repr=False)
class Header:
    """Salt, cost and the wrapped data key; `fresh` until the store behind it was made whole."""

    cost: Cost
    salt: bytes
    wrapped: bytes
    fresh: bool

    def encode(self) -> bytes:
        """The header's file."""
        fields = {
            "version": _VERSION, "fresh": self.fresh,
            "memory_kib": self.cost.memory_kib, "passes": self.cost.passes,
            "lanes": self.cost.lanes, "salt": self.salt.hex(), "wrapped": self.wrapped.hex(),
        }  # fmt: skip
        return json.dumps(fields, indent=1).encode() + b"\n"


def parse_header(data: bytes) -> Header:
    """Read a header, or a Fault that says how to get a whole one."""
    try:
        fields = json.loads(data)
        cost = Cost(*(int(fields[n]) for n in ("memory_kib", "passes", "lanes")))
        header = Header(
            cost, bytes.fromhex(fields["salt"]), bytes.fromhex(fields["wrapped"]),
            bool(fields["fresh"]),
        )  # fmt: skip
        known = fields["version"] == _VERSION
    except (ValueError, KeyError, TypeError):
        raise _damaged() from None
    bounded = 0 < cost.passes <= _MOST_PASSES and 0 < cost.lanes <= cost.memory_kib // 8
    if not (known and bounded and cost.memory_kib <= _MOST_KIB and len(header.salt) == SALT):
        raise _damaged()
    return header


def _damaged() -> Fault:
    return Fault("The store's header is damaged", "Put store.json back from your last copy.")


def check_passphrase(passphrase: str, again: str) -> None:
    """Refuse a new passphrase that is short or was not typed the same way twice."""
    if passphrase != again:
        raise Fault("The two passphrases differ", "Type the same one twice.")
    if len(_canonical(passphrase)) < SHORTEST:
        raise Fault(
            f"The passphrase has fewer than {SHORTEST} characters",
            "Take a longer one; five or more random words are good.",
        )


def _canonical(passphrase: str) -> str:
    """The same passphrase from another keyboard is the same passphrase (NFC, RFC 8265)."""
    return unicodedata.normalize("NFC", passphrase)


def _wrapping_key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    slow = Argon2id(
        salt=salt, length=32, iterations=cost.passes, lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )  # fmt: skip
    try:
        stretched = slow.derive(_canonical(passphrase).encode("utf-8"))
    except MemoryError:
        raise Fault(
            f"A passphrase takes {cost.memory_kib // 1024} MiB of memory for a moment, and this"
            " computer does not give them to the desk",
            "Nothing was changed. End other programs, or whatever limits the desk's memory (such as"
            " ulimit -v), then try again.",
        ) from None
    return hkdf(stretched, salt, b"desk store", 32)


def wrap(
    passphrase: str, data_key: bytes, cost: Cost, salt: bytes, nonce: bytes, fresh: bool
) -> Header:
    """A header that gives `data_key` to whoever knows the passphrase; salt and nonce are random."""
    key = _wrapping_key(passphrase, salt, cost)
    return Header(cost, salt, aead.wrap(key, nonce, _AAD, data_key), fresh)


def unwrap(header: Header, passphrase: str) -> bytes:
    """The data key, or a Fault; a wrong passphrase changes nothing."""
    key = _wrapping_key(passphrase, header.salt, header.cost)
    try:
        return aead.unwrap(key, _AAD, header.wrapped)
    except Unopened:
        raise Fault("This is not the passphrase", "Nothing is lost; type it again.") from None
