"""HPKE with X-Wing, single shot. Spec: crypto.md 1-2.

A private key is opaque outside of this module and is made from its 32-byte X-Wing seed, so that
the same seed gives the same key in Python and in the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHAKE256, Hash
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

KEM_SEED: Final = 32
KEM_PUBLIC: Final = 1216
KEM_ENC: Final = 1120
ROLES: Final = frozenset({"hop-a", "hop-b", "drop", "desk"})

_MLKEM_PUBLIC: Final = 1184
# A fixed key that keeps no secret. With a point of small order it shares zero, as every key does,
# and the library refuses that.
_TRIAL: Final = X25519PrivateKey.from_private_bytes(bytes(32))
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class Unopened(Exception):
    """A sealed message does not open under this key and info; it says no more, on purpose."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An X-Wing public key: 1,216 bytes and the library's form of them.

    The library's form compares by identity, so equality is that of the bytes alone.
    """

    raw: bytes
    _key: MLKEM768X25519PublicKey = field(compare=False, repr=False)

    @classmethod
    def from_bytes(cls, raw: bytes) -> PublicKey:
        """Read 1,216 bytes (ML-KEM-768 ‖ X25519); raise ValueError when they are not a key."""
        return _read(bytes(raw))


# Each record has four, and a role reads the records of some days again and again.
@lru_cache(maxsize=128)
def _read(raw: bytes) -> PublicKey:
    if len(raw) != KEM_PUBLIC:
        raise ValueError("an X-Wing public key has 1216 bytes")
    mlkem = MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC])
    x25519 = X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC:])
    _TRIAL.exchange(x25519)  # nobody could seal to a point of small order (crypto 1)
    return PublicKey(raw, MLKEM768X25519PublicKey(mlkem, x25519))


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """An X-Wing private key; its repr shows nothing."""

    public: PublicKey
    _key: MLKEM768X25519PrivateKey

    @classmethod
    def from_seed(cls, seed: bytes) -> PrivateKey:
        """Expand a 32-byte seed (draft-connolly-cfrg-xwing-kem, key derivation)."""
        if len(seed) != KEM_SEED:
            raise ValueError("an X-Wing seed has 32 bytes")
        shake = Hash(SHAKE256(96))
        shake.update(seed)
        expanded = shake.finalize()
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        halves = mlkem.public_key(), x25519.public_key()
        raw = b"".join(half.public_bytes_raw() for half in halves)
        public = PublicKey(raw, MLKEM768X25519PublicKey(*halves))
        return cls(public, MLKEM768X25519PrivateKey(mlkem, x25519))


def info(role: str, binding: bytes) -> bytes:
    """The HPKE info of a role bound to a 32-byte hash (crypto 2)."""
    if role not in ROLES or len(binding) != 32:
        raise ValueError("info wants a known role and a 32-byte binding")
    return b"wallflower/1\x00" + role.encode("ascii") + b"\x00" + binding


def seal(public: PublicKey, bound_info: bytes, plaintext: bytes) -> bytes:
    """Seal to a public key: enc (1,120) ‖ ciphertext ‖ tag (crypto 1)."""
    return _SUITE.encrypt(plaintext, public._key, info=bound_info)


def open_sealed(private: PrivateKey, bound_info: bytes, sealed: bytes | memoryview) -> bytes:
    """Open what `seal` made, or raise Unopened (crypto 1)."""
    try:
        return _SUITE.decrypt(sealed, private._key, info=bound_info)
    except (InvalidTag, ValueError):
        raise Unopened from None


def open_each(
    private: PrivateKey, bound_info: bytes, sealed: Iterable[bytes | memoryview]
) -> list[bytes | None]:
    """Open many under one info, in their order; None for each that does not open."""
    decrypt, key = _SUITE.decrypt, private._key
    found: list[bytes | None] = []
    for each in sealed:
        try:
            found.append(decrypt(each, key, info=bound_info))
        except (InvalidTag, ValueError):
            found.append(None)
    return found
