"""Hashes, derivations, and the conversation's secrets. Spec: crypto.md 5-6."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SALT = b"wallflower/1"


def sha256(data: bytes | memoryview) -> bytes:
    """SHA-256, 32 bytes."""
    return hashlib.sha256(data).digest()


def hkdf(ikm: bytes, salt: bytes, label: bytes, length: int) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=label).derive(ikm)


def derive(secret: bytes, label: bytes, length: int) -> bytes:
    """derive(secret, label, length) of crypto 5."""
    return hkdf(secret, _SALT, label, length)


def mac16(key: bytes, message: bytes) -> bytes:
    """The first 16 bytes of HMAC-SHA256."""
    return hmac.new(key, message, hashlib.sha256).digest()[:16]


def conversation_id(secret: bytes) -> bytes:
    """The 16 bytes that name a conversation to the desk (crypto 6)."""
    return derive(secret, b"conversation", 16)


def epoch_secret(secret: bytes, week: int) -> bytes:
    """e_w: the 32 bytes that open the replies of one week (crypto 6)."""
    return derive(secret, b"epoch" + week.to_bytes(2), 32)


def chain_seed(secret: bytes) -> bytes:
    """The 32 bytes that the hash chain begins from (crypto 6)."""
    return derive(secret, b"chain", 32)
