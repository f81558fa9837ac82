"""Ed25519 with a purpose in every signature. Spec: crypto.md 4."""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PURPOSES: Final = frozenset({"record", "drop", "segment", "head", "offer", "withdraw", "census"})


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
    """Raise BadSignature unless the signature is this key's, for this purpose, over this body."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, _message(purpose, body))
    except (InvalidSignature, ValueError):
        raise BadSignature from None
