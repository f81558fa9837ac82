"""One signature for people: a list of all files, signed so that Debian's `minisign` reads it.

The list is what `sha256sum -c` reads. The format of the signature comes from py-minisign; keys are
made of our own entropy, never drawn by that package. Spec: bundle.md 3.
"""

from __future__ import annotations

import re
from base64 import standard_b64encode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from minisign import Error, PublicKey, SecretKey, Signature

from wallflower.crypto import sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused

_ID: Final = 8
_SALT: Final = 32
_LIMITS: Final = 16
_CHECKSUM: Final = 32
_NEXT: Final = "Do not use this copy; take another one."
_LINE: Final = re.compile(r"([0-9a-f]{64})  (\S.*)")


def _secret(seed: bytes) -> SecretKey:
    """The secret key of a 32-byte seed in minisign's format, without a password (bundle 3.2)."""
    public = sign.verify_key(seed)
    pair = sha256(public)[:_ID] + seed + public
    checksum = blake2b(b"Ed" + pair, digest_size=_CHECKSUM).digest()
    body = b"Ed" + bytes(2) + b"B2" + bytes(_SALT + _LIMITS) + pair + checksum
    return SecretKey.from_base64(standard_b64encode(body))


def public_file(seed: bytes) -> bytes:
    """`minisign.pub` of a seed, for `minisign -p`."""
    return bytes(_secret(seed).get_public_key()) + b"\n"


def public_text(public: bytes) -> str:
    """The one line of a `minisign.pub` that people copy, for `minisign -P`."""
    return public.decode("ascii").splitlines()[1]


def sign_list(seed: bytes, listed: bytes, comment: str, name: str = "bundle.manifest") -> bytes:
    """The signature over the list of files, or over one file's bytes; the comment is signed too."""
    made = _secret(seed).sign(
        listed, trusted_comment=comment, untrusted_comment=f"signature of {name}"
    )
    return bytes(made) + b"\n"


def verify_list(public: bytes, listed: bytes, signature: bytes) -> str:
    """The signed comment, or Refused when the signature is not this key's (bundle 6.16)."""
    try:
        made = Signature.from_bytes(signature)
        PublicKey.from_bytes(public).verify(listed, made)
    except (Error, ValueError):
        raise Refused("bundle 6.16", "The minisign signature does not fit", _NEXT) from None
    return str(made.trusted_comment)


def make_list(hashes: Mapping[str, str]) -> bytes:
    """`bundle.manifest`: one line a file, SHA-256 and name, sorted by name."""
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode("utf-8")


def parse_list(data: bytes) -> dict[str, str]:
    """name -> SHA-256 of a `bundle.manifest`, or Refused (bundle 6.16)."""
    try:
        lines = [_LINE.fullmatch(line) for line in data.decode("utf-8").split("\n")[:-1]]
    except UnicodeDecodeError:
        lines = [None]
    found = {m[2]: m[1] for m in lines if m}
    if None in lines or make_list(found) != data:
        raise Refused("bundle 6.16", "The list of files is damaged", _NEXT)
    return found
