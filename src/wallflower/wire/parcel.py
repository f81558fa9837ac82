"""The parcel: one whole hum, as A hands it to B. All or nothing. Spec: parcel.md."""

from __future__ import annotations

from typing import NamedTuple

from wallflower.crypto import aead
from wallflower.crypto.hpke import Unopened
from wallflower.errors import Refused
from wallflower.wire.sizes import BODY_PIECE, LETTER, PARCEL, SEAL_B

_LABEL = b"wallflower/1 parcel"


class Parcel(NamedTuple):
    """Seal B and the body under hum key B, both still closed."""

    seal_b: bytes
    body: bytes

    def encode(self) -> bytes:
        """The PARCEL bytes that A hands over."""
        return b"".join(self)


def check_length(data: bytes | memoryview) -> None:
    """Raise Refused (parcel 3.1) unless it is as long as a parcel: all that is asked of a cover."""
    if len(data) != PARCEL:
        raise Refused("parcel 3.1", "A parcel has the wrong length")


def parse_parcel(data: bytes | memoryview) -> Parcel:
    """Read a parcel, or Refused (parcel 3.1)."""
    check_length(data)
    return Parcel(bytes(data[:SEAL_B]), bytes(data[SEAL_B:]))


def seal_parcel_body(key_b: bytes, letter: bytes) -> bytes:
    """The body: a letter or filler of LETTER bytes under hum key B (parcel 1.2)."""
    if len(letter) != LETTER:
        raise ValueError("a parcel carries exactly one letter")
    return aead.seal(key_b, 0, _LABEL, letter)


def pieces(body: bytes) -> tuple[bytes, bytes, bytes]:
    """The three pieces for positions 1, 2 and 3 (hum 1.3)."""
    return body[:BODY_PIECE], body[BODY_PIECE : 2 * BODY_PIECE], body[2 * BODY_PIECE :]


def open_parcel_body(key_b: bytes, body: bytes) -> bytes:
    """The letter inside, or Refused (parcel 3.3)."""
    try:
        return aead.open_sealed(key_b, 0, _LABEL, body)
    except Unopened:
        raise Refused("parcel 3.3", "A parcel's body does not open") from None
