"""The withdrawal: a mix does not hold to its keys of some numbers. Spec: record.md 6."""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import sign
from wallflower.errors import Refused
from wallflower.wire.reading import Reader
from wallflower.wire.sizes import SIGNATURE


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Numbers `first` to `last`, both included, that a mix does not stand for any more."""

    first: int
    last: int

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def encode(self) -> bytes:
        """The bytes that are signed."""
        return self.first.to_bytes(2) + self.last.to_bytes(2)


def make_withdrawal(withdrawal: Withdrawal, signing_seed: bytes) -> bytes:
    """Sign a withdrawal."""
    body = withdrawal.encode()
    return body + sign.sign(signing_seed, "withdraw", body)


def parse_withdrawal(data: bytes) -> tuple[Withdrawal, bytes]:
    """Read a withdrawal and its signature, which is not verified, or Refused (record 6.1)."""
    reader = Reader(data, "record 6.1")
    withdrawal = Withdrawal(reader.number(2), reader.number(2))
    signature = reader.take(SIGNATURE)
    reader.end()
    if not 1 <= withdrawal.first <= withdrawal.last:
        raise Refused("record 6.1", "A withdrawal names no numbers")
    return withdrawal, signature


def verify_withdrawal(data: bytes, verify_key: bytes) -> Withdrawal:
    """Read and verify a withdrawal, or Refused (record 6.1)."""
    withdrawal, signature = parse_withdrawal(data)
    try:
        sign.verify(verify_key, "withdraw", withdrawal.encode(), signature)
    except sign.BadSignature:
        raise Refused("record 6.1", "A withdrawal's signature is not valid") from None
    return withdrawal
