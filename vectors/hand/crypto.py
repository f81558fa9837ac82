"""Suite 1 out of raw primitives: X-Wing, the HPKE key schedule, AEAD, signatures. Spec: crypto.md.

X-Wing by draft-connolly-cfrg-xwing-kem, the schedule by RFC 9180 section 5.1 in Base mode, both
written out so that `cryptography`'s own HPKE is one of the things that this checks.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

XWING_LABEL = b"\\.//^\\"
SUITE_ID = b"HPKE" + (0x647A).to_bytes(2) + (0x0001).to_bytes(2) + (0x0003).to_bytes(2)
ENC = 1120


def sha256(data: bytes) -> bytes:
    """SHA-256 (FIPS 180-4), 32 bytes."""
    return hashlib.sha256(data).digest()


def extract(salt: bytes, ikm: bytes) -> bytes:
    """HKDF-Extract (RFC 5869)."""
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(prk: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand (RFC 5869)."""
    out, block, count = b"", b"", 1
    while len(out) < length:
        block = hmac.new(prk, block + info + bytes([count]), hashlib.sha256).digest()
        out += block
        count += 1
    return out[:length]


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return expand(extract(salt, ikm), info, length)


def derive(secret: bytes, label: bytes, length: int) -> bytes:
    """crypto 5."""
    return hkdf(secret, b"wallflower/1", label, length)


def mac16(key: bytes, message: bytes) -> bytes:
    """The first 16 bytes of HMAC-SHA-256 (RFC 2104)."""
    return hmac.new(key, message, hashlib.sha256).digest()[:16]


def xwing_private(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """expandDecapsulationKey of the draft: SHAKE256(seed, 96) = d ‖ z ‖ sk_X."""
    wide = hashlib.shake_256(seed).digest(96)
    mlkem = MLKEM768PrivateKey.from_seed_bytes(wide[:64])
    return mlkem, X25519PrivateKey.from_private_bytes(wide[64:])


def xwing_public(seed: bytes) -> bytes:
    """pk_M ‖ pk_X of the draft, 1,216 bytes."""
    mlkem, x25519 = xwing_private(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def combine(ss_m: bytes, ss_x: bytes, ct_x: bytes, pk_x: bytes) -> bytes:
    """The combiner of the draft: a shared secret of 32 bytes."""
    return hashlib.sha3_256(ss_m + ss_x + ct_x + pk_x + XWING_LABEL).digest()


def encapsulate(public: bytes) -> tuple[bytes, bytes]:
    """(shared secret, enc); the randomness is the library's."""
    ss_m, ct_m = MLKEM768PublicKey.from_public_bytes(public[:1184]).encapsulate()
    ephemeral, pk_x = X25519PrivateKey.generate(), public[1184:]
    ct_x = ephemeral.public_key().public_bytes_raw()
    ss_x = ephemeral.exchange(X25519PublicKey.from_public_bytes(pk_x))
    return combine(ss_m, ss_x, ct_x, pk_x), ct_m + ct_x


def decapsulate(seed: bytes, enc: bytes) -> bytes:
    """The shared secret of an `enc` of 1,120 bytes."""
    mlkem, x25519 = xwing_private(seed)
    ct_m, ct_x = enc[:1088], enc[1088:]
    ss_x = x25519.exchange(X25519PublicKey.from_public_bytes(ct_x))
    return combine(mlkem.decapsulate(ct_m), ss_x, ct_x, x25519.public_key().public_bytes_raw())


def _labeled_extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return extract(salt, b"HPKE-v1" + SUITE_ID + label + ikm)


def _labeled_expand(prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    return expand(prk, length.to_bytes(2) + b"HPKE-v1" + SUITE_ID + label + info, length)


def key_schedule(shared_secret: bytes, info: bytes) -> tuple[bytes, bytes, bytes]:
    """(key, base_nonce, exporter_secret) of mode Base (RFC 9180 section 5.1)."""
    context = (
        b"\x00" + _labeled_extract(b"", b"psk_id_hash", b"")
        + _labeled_extract(b"", b"info_hash", info)
    )  # fmt: skip
    secret = _labeled_extract(shared_secret, b"secret", b"")
    return (
        _labeled_expand(secret, b"key", context, 32),
        _labeled_expand(secret, b"base_nonce", context, 12),
        _labeled_expand(secret, b"exp", context, 32),
    )


def info(role: bytes, binding: bytes) -> bytes:
    """crypto 2."""
    return b"wallflower/1" + b"\x00" + role + b"\x00" + binding


def seal(public: bytes, bound_info: bytes, plaintext: bytes) -> bytes:
    """crypto 1; sequence number 0, so the nonce is base_nonce."""
    shared_secret, enc = encapsulate(public)
    key, nonce, _ = key_schedule(shared_secret, bound_info)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, b"")


def unseal(seed: bytes, bound_info: bytes, sealed: bytes) -> bytes:
    """Raises InvalidTag when it does not open."""
    key, nonce, _ = key_schedule(decapsulate(seed, sealed[:ENC]), bound_info)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed[ENC:], b"")


def aead(key: bytes, counter: int, aad: bytes, plaintext: bytes) -> bytes:
    """crypto 3."""
    return ChaCha20Poly1305(key).encrypt(bytes(11) + bytes([counter]), plaintext, aad)


def unaead(key: bytes, counter: int, aad: bytes, sealed: bytes) -> bytes:
    """crypto 3; raises InvalidTag when it does not open."""
    return ChaCha20Poly1305(key).decrypt(bytes(11) + bytes([counter]), sealed, aad)


def verify_key(seed: bytes) -> bytes:
    """The Ed25519 public key of a seed (RFC 8032), 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, purpose: bytes, body: bytes) -> bytes:
    """crypto 4."""
    message = b"wallflower/1 " + purpose + b"\x00" + body
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(public: bytes, purpose: bytes, body: bytes, signature: bytes) -> None:
    """Raises InvalidSignature."""
    message = b"wallflower/1 " + purpose + b"\x00" + body
    Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
