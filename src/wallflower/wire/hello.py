"""The hello: the cell that carries a hum's keys to A and B. Spec: hello.md."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import reduce
from itertools import compress
from operator import or_
from typing import NamedTuple

from wallflower.crypto import aead, hpke
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.cell import Cell, head_of
from wallflower.wire.sizes import B_RECORD, HELLO_HEADER, HUM_ID, SEAL_A, SEAL_B
from wallflower.wire.stamp import Stamp

HUM_KEY = 32
_RESERVED = bytes(8)
_STAMP_CLASSES = 3
_STAMP_CLASS_AT = 3  # of B's record
# Of B's record what is zero in a cover that reports nothing: kind, report, language, reserved.
_ZERO_AT = (0, 1, 2, *range(B_RECORD - len(_RESERVED), B_RECORD))
_NO_STAMP_CLASS = bytes(c >= _STAMP_CLASSES for c in range(256))  # for bytes.translate
_PLAIN_B = HUM_KEY + B_RECORD
_NONE = b"\xff" * _PLAIN_B  # no cover


class Kind(IntEnum):
    """What a hum is, as only B learns it (hello 1.7)."""

    COVER = 0
    LETTER = 1
    LOOP = 2


_KIND = tuple(Kind)
# To look a member up in its enumeration takes long where it is done for every hum.
COVER, LETTER, LOOP = _KIND


class Report(NamedTuple):
    """What a hum says to the census: channel number + 1, and a language (census 1)."""

    channel: int
    language: int


SILENT = Report(0, 0)


class BRecord(NamedTuple):
    """B's record: 36 bytes beside hum key B (hello 1.7)."""

    kind: Kind
    token: bytes
    stamp: Stamp = Stamp()
    report: Report = SILENT

    def encode(self) -> bytes:
        """36 bytes."""
        report = self.report
        head = bytes([self.kind, report.channel, report.language, self.stamp.stamp_class])
        return head + self.token + self.stamp.value + _RESERVED


def parse_b_record(data: bytes) -> BRecord:
    """Read B's record, or Refused (hello 2.4)."""
    if len(data) != B_RECORD or data[0] >= len(_KIND) or data[3] >= _STAMP_CLASSES:
        raise Refused("hello 2.4", "A hum's record for B is malformed")
    if not data.endswith(_RESERVED):
        raise Refused("hello 2.4", "A hum's record for B has reserved bytes set")
    report = Report(data[1], data[2])
    return BRecord(_KIND[data[0]], data[4:20], Stamp(data[3], data[20:28]), report)


def seal_for_a(hop_a: hpke.PublicKey, record_hash: bytes, key_a: bytes) -> bytes:
    """Seal A: hum key A for the first mix, SEAL_A bytes (hello 1.2)."""
    return hpke.seal(hop_a, hpke.info("hop-a", record_hash), key_a)


def seal_for_b(hop_b: hpke.PublicKey, record_hash: bytes, key_b: bytes, record: BRecord) -> bytes:
    """Seal B: hum key B and B's record for the second mix, SEAL_B bytes (hello 1.4)."""
    return hpke.seal(hop_b, hpke.info("hop-b", record_hash), key_b + record.encode())


def hello_cell(seal_a: bytes, key_a: bytes, counter: int, record: int, seal_b: bytes) -> Cell:
    """One of the three hellos of a hum (hello 1.1, 1.3)."""
    header = head_of(counter, record) + _RESERVED
    inner = aead.seal(key_a, counter, header, seal_b)
    return Cell(counter, record, header + seal_a + inner)


def hum_id(seal_a: bytes | memoryview) -> bytes:
    """The id that A derives from seal A, all of it (hello 1.5)."""
    return sha256(seal_a)[:HUM_ID]


def seal_a_of(raw: bytes | memoryview) -> bytes | memoryview:
    """The part of a hello that is sealed to A."""
    return raw[HELLO_HEADER : HELLO_HEADER + SEAL_A]


def open_seal_a(private: hpke.PrivateKey, record_hash: bytes, seal_a: bytes | memoryview) -> bytes:
    """Hum key A, or Refused (hello 2.1). This is the one decapsulation of a hum at A."""
    try:
        return hpke.open_sealed(private, hpke.info("hop-a", record_hash), seal_a)
    except hpke.Unopened:
        raise Refused("hello 2.1", "A hello does not open at A") from None


def open_inner(by_key_a: aead.Opener, counter: int, raw: bytes | memoryview) -> bytes:
    """Seal B out of a hello, or Refused (hello 2.2)."""
    try:
        return by_key_a.open_sealed(counter, raw[:HELLO_HEADER], raw[HELLO_HEADER + SEAL_A :])
    except hpke.Unopened:
        raise Refused("hello 2.2", "A hello's inner part does not open") from None


def open_seal_b(
    private: hpke.PrivateKey, record_hash: bytes, seal_b: bytes | memoryview
) -> tuple[bytes, BRecord]:
    """Hum key B and B's record, or Refused (hello 2.3, 2.4)."""
    if len(seal_b) != SEAL_B:
        raise Refused("hello 2.3", "A seal for B has the wrong length")
    try:
        plain = hpke.open_sealed(private, hpke.info("hop-b", record_hash), seal_b)
    except hpke.Unopened:
        raise Refused("hello 2.3", "A seal for B does not open") from None
    return parse_plain_b(plain)


def parse_plain_b(plain: bytes) -> tuple[bytes, BRecord]:
    """Hum key B and B's record out of an opened seal B, or Refused (hello 2.4)."""
    return plain[:HUM_KEY], parse_b_record(plain[HUM_KEY:])


def all_but_silent(plains: Sequence[bytes | None]) -> list[int]:
    """Which of many opened seals B hold anything but a well-formed cover that reports nothing; None
    is one that did not open (hello 1.7, 2.4).

    Of such a cover nobody asks for more, and most are such. So they are told by columns: what is
    zero in all of them is put together, a byte for each.
    """
    rows = b"".join([p if p and len(p) == _PLAIN_B else _NONE for p in plains])
    columns = [rows[HUM_KEY + at :: _PLAIN_B] for at in _ZERO_AT]
    columns.append(rows[HUM_KEY + _STAMP_CLASS_AT :: _PLAIN_B].translate(_NO_STAMP_CLASS))
    others = reduce(or_, map(int.from_bytes, columns)).to_bytes(len(plains))
    return list(compress(range(len(plains)), others))
