"""The stamp: a small, fixed amount of hashing made for every hum alike. Spec: stamp.md.

It is bound to the record and to the letter, of which B takes each once, so it is used once.
"""

from __future__ import annotations

from typing import NamedTuple

from wallflower.crypto.derive import sha256
from wallflower.wire.sizes import STAMP, STAMP_BITS_ONE, STAMP_BITS_TWO, STAMP_TRIES

START = 4
_DOMAIN = b"wallflower/1 stamp\0"
_HASH_BITS = 256


class Stamp(NamedTuple):
    """A stamp and the class that it is said to have."""

    stamp_class: int = 0
    value: bytes = bytes(STAMP)


def _bound(record_hash: bytes, letter: bytes) -> bytes:
    return sha256(_DOMAIN + record_hash + sha256(letter))


def class_of(digest: bytes) -> int:
    """The class of a stamp's hash, by its leading zero bits (stamp 1.4)."""
    zeros = _HASH_BITS - int.from_bytes(digest).bit_length()
    return (zeros >= STAMP_BITS_ONE) + (zeros >= STAMP_BITS_TWO)


def make_stamp(record_hash: bytes, letter: bytes, start: bytes) -> Stamp:
    """The best of STAMP_TRIES stamps that begin with `start`, START random bytes (stamp 1)."""
    bound = _bound(record_hash, letter) + start
    digest, best = min(
        (sha256(bound + n.to_bytes(START)), n.to_bytes(START)) for n in range(STAMP_TRIES)
    )
    return Stamp(class_of(digest), start + best)


def earned_class(record_hash: bytes, letter: bytes, stamp: Stamp) -> int:
    """The class that counts: the one said when the stamp reaches it, else 0 (stamp 2).

    One hash whatever was said, so that nothing depends on it.
    """
    reached = class_of(sha256(_bound(record_hash, letter) + stamp.value))
    return stamp.stamp_class if stamp.stamp_class <= reached else 0
