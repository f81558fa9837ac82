"""ChaCha20-Poly1305 under a key that never meets one counter twice. Spec: crypto.md 3."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from wallflower.crypto.hpke import Unopened


def _nonce(counter: int) -> bytes:
    return bytes(11) + counter.to_bytes(1)


def seal(key: bytes, counter: int, aad: bytes, plaintext: bytes) -> bytes:
    """Seal under a 32-byte key and a counter 0-255: ciphertext ‖ 16-byte tag (RFC 8439)."""
    return ChaCha20Poly1305(key).encrypt(_nonce(counter), plaintext, aad)


def open_sealed(key: bytes, counter: int, aad: bytes, sealed: bytes) -> bytes:
    """Open what `seal` made, or raise Unopened."""
    try:
        return ChaCha20Poly1305(key).decrypt(_nonce(counter), sealed, aad)
    except InvalidTag:
        raise Unopened from None


def seal_at_rest(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Seal for our own disk under a day key with a random 12-byte nonce, which comes first."""
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def open_at_rest(key: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Open what `seal_at_rest` made, or raise Unopened."""
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:12], sealed[12:], aad)
    except (InvalidTag, ValueError):
        raise Unopened from None
