"""The offer: the public keys that a mix puts forward for one record. Spec: record.md 5."""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import hpke, sign
from wallflower.errors import Refused
from wallflower.wire.reading import Reader
from wallflower.wire.sizes import KEM_PUBLIC, SIGNATURE, VERIFY_KEY


@dataclass(frozen=True, slots=True)
class Offer:
    """Keys of one mix for one record number; only B has a drop signing key."""

    number: int
    hop: hpke.PublicKey
    drop_verify: bytes = b""

    def encode(self) -> bytes:
        """The bytes that are signed."""
        return self.number.to_bytes(2) + self.hop.raw + self.drop_verify


def make_offer(offer: Offer, signing_seed: bytes) -> bytes:
    """Sign an offer."""
    body = offer.encode()
    return body + sign.sign(signing_seed, "offer", body)


def verify_offer(data: bytes, verify_key: bytes, *, with_drop: bool) -> Offer:
    """Read and verify an offer, or Refused (record 5.1)."""
    reader = Reader(data, "record 5.1")
    number, raw = reader.number(2), reader.take(KEM_PUBLIC)
    drop_verify = reader.take(VERIFY_KEY if with_drop else 0)
    signature = reader.take(SIGNATURE)
    reader.end()
    try:
        sign.verify(verify_key, "offer", data[:-SIGNATURE], signature)
        return Offer(number, hpke.PublicKey.from_bytes(raw), drop_verify)
    except (sign.BadSignature, ValueError):
        raise Refused("record 5.1", "An offer's signature or key is not valid") from None
