"""Ed25519 with a purpose in every signature. Spec: crypto.md 4."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PURPOSES: Final = frozenset({"record", "drop", "segment", "head", "offer", "withdraw", "census"})

_SIGN: Final = 1 << 255
_P: Final = _SIGN - 19
# The y of the eight points of small order: ±1, 0, and those of order eight (RFC 7748, 4.1 has the
# curve; vectors/hand/signatures.py finds them).
_EIGHTH: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL: Final = frozenset({0, 1, _P - 1, _EIGHTH, _P - _EIGHTH})


class BadSignature(Exception):
    """A signature does not verify under this key and purpose."""


def _message(purpose: str, body: bytes) -> bytes:
    if purpose not in PURPOSES:
        raise ValueError("unknown signature purpose")
    return b"wallflower/1 " + purpose.encode("ascii") + b"\x00" + body


def verify_key(seed: bytes) -> bytes:
    """The 32-byte public key of a 32-byte Ed25519 seed (RFC 8032)."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, purpose: str, body: bytes) -> bytes:
    """Sign a body for one purpose: 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(_message(purpose, body))


def verify(public: bytes, purpose: str, body: bytes, signature: bytes) -> None:
    """Raise BadSignature unless the signature is this key's, for this purpose, over this body.

    A key that is no canonical encoding, or of small order, verifies nothing. OpenSSL takes those,
    and refuses the rest of what is refused (crypto 4).
    """
    y = int.from_bytes(public, "little") % _SIGN
    if y >= _P or y in _SMALL:
        raise BadSignature
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _message(purpose, body))
    except (InvalidSignature, ValueError):
        raise BadSignature from None
