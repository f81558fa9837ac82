"""The drop: what B puts out each tick for the desk, constant in size. Spec: drop.md.

One KEM for the file and AEAD only for the slots, so that nobody can count real ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from wallflower.crypto import aead, hpke, sign
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.sizes import DROP_HEADER, DROP_SEAL, DROP_SLOT, HASH, SIGNATURE, VERSION

_RESERVED = bytes(14)
_FILE_KEY = 32


@dataclass(frozen=True, slots=True)
class DropHeader:
    """The 64 bytes in the clear (drop 1.2)."""

    record: int
    number: int
    tick: int
    slots: int
    previous: bytes

    def encode(self) -> bytes:
        """DROP_HEADER bytes."""
        numbers = self.record.to_bytes(2) + self.number.to_bytes(4) + self.tick.to_bytes(8)
        return bytes([VERSION, 0]) + numbers + self.slots.to_bytes(2) + _RESERVED + self.previous


@dataclass(frozen=True, slots=True)
class SignedDrop:
    """A parsed drop; its signature and chain are not yet checked (trust does)."""

    header: DropHeader
    head: bytes
    seal: bytes
    slots: tuple[bytes, ...]
    signature: bytes
    signed: bytes
    hash: bytes


def drop_size(slots: int) -> int:
    """The bytes of a drop with so many slots (drop 1.1)."""
    return DROP_HEADER + DROP_SEAL + slots * DROP_SLOT + SIGNATURE


def make_drop(
    header: DropHeader, drop_key: hpke.PublicKey, record_hash: bytes,
    file_key: bytes, letters: list[bytes], signing_seed: bytes,
) -> bytes:  # fmt: skip
    """Seal and sign one drop of `header.slots` letters, already shuffled (drop 1)."""
    if len(letters) != header.slots:
        raise ValueError("a drop is always full")
    head = header.encode()
    seal = hpke.seal(drop_key, hpke.info("drop", record_hash), file_key)
    slots = [aead.seal(file_key, i, head, letter) for i, letter in enumerate(letters)]
    body = head + seal + b"".join(slots)
    return body + sign.sign(signing_seed, "drop", body)


def parse_drop(data: bytes) -> SignedDrop:
    """Read a drop, or Refused (drop 2.1, 2.2)."""
    if len(data) < DROP_HEADER:
        raise Refused("drop 2.1", "A drop has the wrong length")
    head = data[:DROP_HEADER]
    if head[0] != VERSION or head[1] or any(head[18:32]):
        raise Refused("drop 2.2", "A drop's version or reserved bytes are wrong")
    slots = int.from_bytes(head[16:18])
    if len(data) != drop_size(slots):
        raise Refused("drop 2.1", "A drop has the wrong length")
    header = DropHeader(
        record=int.from_bytes(head[2:4]), number=int.from_bytes(head[4:8]),
        tick=int.from_bytes(head[8:16]), slots=slots, previous=head[32 : 32 + HASH],
    )  # fmt: skip
    at = DROP_HEADER + DROP_SEAL
    return SignedDrop(
        header=header, head=head, seal=data[DROP_HEADER:at],
        slots=tuple(data[at + i * DROP_SLOT : at + (i + 1) * DROP_SLOT] for i in range(slots)),
        signature=data[-SIGNATURE:], signed=data[:-SIGNATURE], hash=sha256(data),
    )  # fmt: skip


def open_file_key(private: hpke.PrivateKey, record_hash: bytes, drop: SignedDrop) -> bytes:
    """The key of a drop's slots, or Refused (drop 2.5)."""
    try:
        key = hpke.open_sealed(private, hpke.info("drop", record_hash), drop.seal)
    except hpke.Unopened:
        raise Refused("drop 2.5", "A drop does not open") from None
    return key[:_FILE_KEY]


def open_slot(file_key: bytes, drop: SignedDrop, index: int) -> bytes:
    """The letter in one slot, or Refused (drop 2.6)."""
    try:
        return aead.open_sealed(file_key, index, drop.head, drop.slots[index])
    except hpke.Unopened:
        raise Refused("drop 2.6", "A slot of a drop does not open") from None
