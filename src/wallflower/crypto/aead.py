"""ChaCha20-Poly1305 under a key that never meets one counter twice. Spec: crypto.md 3.

For a mix's own disk AES-256-GCM under a key of one day. Spec: crypto.md 8.
"""

from __future__ import annotations

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from wallflower.crypto.hpke import Unopened

NotOpened = InvalidTag
_KEY = 32
_NONCE = 12
_Bytes = bytes | memoryview


def _nonce(counter: int) -> bytes:
    return bytes(11) + counter.to_bytes(1)


NONCES = tuple(map(_nonce, range(256)))  # by counter


def opener(key: bytes) -> Callable[[_Bytes, _Bytes, _Bytes], bytes]:
    """`Opener` for who opens millions: `opens(NONCES[counter], sealed, aad)`, or NotOpened."""
    return ChaCha20Poly1305(key).decrypt


class Opener:
    """Opens several that were sealed under one key: to make ready costs half as much as to open."""

    __slots__ = ("_decrypt",)

    def __init__(self, key: bytes) -> None:
        self._decrypt = opener(key)

    def open_sealed(
        self, counter: int, aad: bytes | memoryview, sealed: bytes | memoryview
    ) -> bytes:
        """Open what `seal` made under a counter 0-255, or raise Unopened."""
        try:
            return self._decrypt(NONCES[counter], sealed, aad)
        except InvalidTag:
            raise Unopened from None


def seal(key: bytes, counter: int, aad: bytes, plaintext: bytes) -> bytes:
    """Seal under a 32-byte key and a counter 0-255: ciphertext ‖ 16-byte tag (RFC 8439)."""
    return ChaCha20Poly1305(key).encrypt(_nonce(counter), plaintext, aad)


def open_sealed(key: bytes, counter: int, aad: bytes, sealed: bytes | memoryview) -> bytes:
    """Open what `seal` made, or raise Unopened."""
    return Opener(key).open_sealed(counter, aad, sealed)


def wrap(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """Seal once under a random 12-byte nonce, which comes first."""
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def unwrap(key: bytes, aad: bytes, wrapped: bytes) -> bytes:
    """Open what `wrap` made, or raise Unopened."""
    return _open(ChaCha20Poly1305(key), aad, wrapped)


class Sealer:
    """Seals what waits on our own disk under one day key, by AES-256-GCM (crypto 8): where the
    processor has instructions for it, as those of servers have, in a third of the time."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = _aes_256(key)

    def seal(self, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
        """Seal under a random 12-byte nonce, which comes first."""
        return nonce + self._cipher.encrypt(nonce, plaintext, aad)


def seal_at_rest(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    """`Sealer.seal` of one."""
    return Sealer(key).seal(nonce, aad, plaintext)


def open_at_rest(key: bytes, aad: bytes, sealed: bytes) -> bytes:
    """Open what `seal_at_rest` made, or raise Unopened; also where there is no key."""
    try:
        cipher = _aes_256(key)
    except ValueError:
        raise Unopened from None
    return _open(cipher, aad, sealed)


def _aes_256(key: bytes) -> AESGCM:
    """The library would take half a key too, for AES-128."""
    if len(key) != _KEY:
        raise ValueError("a day key has 32 bytes")
    return AESGCM(key)


def _open(cipher: AESGCM | ChaCha20Poly1305, aad: bytes, sealed: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], aad)
    except (InvalidTag, ValueError):
        raise Unopened from None
