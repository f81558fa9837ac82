"""The epoch record: every public key and parameter of a day, in one signed file. Spec: record.md.

Parsed here, believed only after `trust.record` has checked the three signatures, root and time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from wallflower.crypto import hpke
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.wire.reading import Reader
from wallflower.wire.sizes import (
    ANCESTORS,
    DAY_S,
    HASH,
    KEM_PUBLIC,
    RECORD_MAX,
    SIGNATURE,
    VERIFY_KEY,
    VERSION,
    week_of_day,
)

DESK_NAME: Final = 32  # bytes of a desk's name (record 1)
_MAX_DESKS: Final = 8
_MAX_WAYS: Final = 16
_MAX_URL: Final = 200
_VALID_S: Final = 2 * DAY_S
_WRITE_WAYS: Final = "Correct its address, or the number of its cells."
MOST_SEGMENTS: Final = 512  # of a board (record 2.7)


class WayKind(IntEnum):
    """What a way is for (record 1)."""

    INGRESS = 1
    BOARD = 2


@dataclass(frozen=True, slots=True)
class Way:
    """A URL that every page may use; cells per connection belong to it, never to the person."""

    kind: WayKind
    cells: int
    url: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast record time runs against the wall clock; (1, 1) is real time."""

    days: int
    hums: int
    anchor_ms: int

    def record_time(self, wall: float) -> float:
        """Record time in seconds of a wall time in seconds (record 1)."""
        anchor = self.anchor_ms / 1000
        return anchor + (wall - anchor) * self.days


@dataclass(frozen=True, slots=True)
class Parameters:
    """Delays and sizes of the day; sizes are raised only by public steps."""

    mean_a: int
    mean_b: int
    tick: int
    slots: int
    floor: int
    replies: int
    receipts: int
    period: int
    segments: int
    pace: Pace


@dataclass(frozen=True, slots=True)
class DeskEntry:
    """One desk's key of one week."""

    name: str
    week: int
    key: hpke.PublicKey

    def encode(self) -> bytes:
        """name 32 ‖ week ‖ key."""
        name = self.name.encode("utf-8")
        if len(name) > DESK_NAME:
            raise ValueError("a desk's name has at most 32 bytes")
        return name.ljust(DESK_NAME, b"\0") + self.week.to_bytes(2) + self.key.raw


@dataclass(frozen=True, slots=True)
class RecordBody:
    """What the three sign (record 1)."""

    number: int
    day: int
    not_before: int
    root: bytes
    ancestors: tuple[bytes, ...]
    hop_a: hpke.PublicKey
    hop_b: hpke.PublicKey
    drop_key: hpke.PublicKey
    drop_verify: bytes
    board_verify: bytes
    parameters: Parameters
    desks: tuple[DeskEntry, ...]
    ways: tuple[Way, ...]

    @property
    def week(self) -> int:
        """The week of the day."""
        return week_of_day(self.day)

    @property
    def not_after(self) -> int:
        """48 hours after the beginning of the day (record 2.4)."""
        return self.day * DAY_S + _VALID_S

    def encode(self) -> bytes:
        """The canonical bytes; the record hash is taken over them."""
        p = self.parameters
        ancestors = b"".join(self.ancestors).ljust(ANCESTORS * HASH, b"\0")
        return b"".join((
            bytes([VERSION, 0]), self.number.to_bytes(2), self.day.to_bytes(4),
            self.week.to_bytes(2), self.not_before.to_bytes(8), self.not_after.to_bytes(8),
            self.root, ancestors, self.hop_a.raw, self.hop_b.raw, self.drop_key.raw,
            self.drop_verify, self.board_verify,
            p.mean_a.to_bytes(4), p.mean_b.to_bytes(4), p.tick.to_bytes(2), p.slots.to_bytes(2),
            p.floor.to_bytes(2), p.replies.to_bytes(2), p.receipts.to_bytes(2),
            p.period.to_bytes(4), p.segments.to_bytes(2), p.pace.days.to_bytes(4),
            p.pace.hums.to_bytes(2), p.pace.anchor_ms.to_bytes(8),
            bytes([len(self.desks)]), *(d.encode() for d in self.desks),
            _encode_ways(self.ways),
        ))  # fmt: skip

    def hash(self) -> bytes:
        """The record hash, which is in the info of every hop's seal (record 3.1)."""
        return sha256(self.encode())

    def desk_entry_hash(self, desk: DeskEntry) -> bytes:
        """What a letter to this desk is bound to (record 3.2)."""
        return desk_entry_hash(self.root, desk)


def desk_entry_hash(root: bytes, desk: DeskEntry) -> bytes:
    """The binding of a letter's info: organisation, desk, week and key (record 3.2)."""
    return sha256(b"wallflower/1 desk\x00" + root + desk.encode())


@dataclass(frozen=True, slots=True)
class SignedRecord:
    """A parsed record; nothing of it is believed yet."""

    body: RecordBody
    signed: bytes
    signatures: tuple[bytes, bytes, bytes]


def parse_record(data: bytes) -> SignedRecord:
    """Read a signed record, or Refused (record 2.1-2.7)."""
    if not 3 * SIGNATURE < len(data) <= RECORD_MAX:
        raise Refused("record 2.1", "A record has the wrong length")
    signed = data[: -3 * SIGNATURE]
    body = parse_body(signed)
    at = len(signed)
    first, second, third = (data[at + i * SIGNATURE : at + (i + 1) * SIGNATURE] for i in range(3))
    return SignedRecord(body, signed, (first, second, third))


def parse_body(data: bytes) -> RecordBody:
    """Read a record's body or a draft of one, or Refused (record 2.1-2.7)."""
    if len(data) > RECORD_MAX:
        raise Refused("record 2.1", "A record has the wrong length")
    reader = Reader(data, "record 2.1")
    if reader.number(1) != VERSION or reader.number(1):
        raise Refused("record 2.2", "A record's version is unknown")
    number, day, week = reader.number(2), reader.number(4), reader.number(2)
    not_before, not_after = reader.number(8), reader.number(8)
    if week != week_of_day(day):
        raise Refused("record 2.3", "A record's week is not that of its day")
    start = day * DAY_S
    if not start <= not_before < start + DAY_S or not_after != start + _VALID_S:
        raise Refused("record 2.4", "A record's times do not fit its day")
    root = reader.take(HASH)
    ancestors = tuple(reader.take(HASH) for _ in range(ANCESTORS))
    hop_a, hop_b, drop_key = (_key(reader) for _ in range(3))
    drop_verify, board_verify = reader.take(VERIFY_KEY), reader.take(VERIFY_KEY)
    parameters = _parameters(reader)
    desks = _desks(reader, week)
    ways = _ways(reader)
    reader.end()
    return RecordBody(
        number, day, not_before, root, ancestors, hop_a, hop_b, drop_key,
        drop_verify, board_verify, parameters, desks, ways,
    )  # fmt: skip


def _key(reader: Reader) -> hpke.PublicKey:
    try:
        return hpke.PublicKey.from_bytes(reader.take(KEM_PUBLIC))
    except ValueError:
        raise Refused("record 2.1", "A record holds something that is no key") from None


def _parameters(reader: Reader) -> Parameters:
    sizes = (4, 4, 2, 2, 2, 2, 2, 4, 2, 4, 2, 8)
    (mean_a, mean_b, tick, slots, floor, replies, receipts,
     period, segments, days, hums, anchor) = (reader.number(n) for n in sizes)  # fmt: skip
    pace = Pace(days, hums, anchor)
    parameters = Parameters(
        mean_a, mean_b, tick, slots, floor, replies, receipts, period, segments, pace
    )
    check_parameters(parameters)
    return parameters


def check_parameters(p: Parameters) -> None:
    """Refuse parameters that no record may hold (record 2.7)."""
    bounds = (
        (p.tick, 1, 3600), (p.slots, 1, 256), (p.replies, 1, 4096), (p.receipts, 1, 4096),
        (p.period, 60, DAY_S), (p.segments, 1, MOST_SEGMENTS), (p.pace.days, 1, 100_000),
        (p.pace.hums, 1, 60), (p.mean_a, p.tick, 2**32 - 1), (p.mean_b, p.tick, 2**32 - 1),
        (p.floor, 0, 2**16 - 1),
    )  # fmt: skip
    whole_periods = p.period >= 1 and DAY_S % p.period == 0
    if not (whole_periods and all(low <= value <= high for value, low, high in bounds)):
        raise Refused("record 2.7", "A record's parameter is out of bounds", "Correct it.")


def check_desk(name: str) -> None:
    """Refuse a desk's name that no record may hold (record 2.5)."""
    if not 1 <= len(name.encode("utf-8")) <= DESK_NAME or "\0" in name:
        raise Refused(
            "record 2.5", f"A desk's name has 1 to {DESK_NAME} bytes of UTF-8", "Correct it."
        )


def check_ways(ways: tuple[Way, ...]) -> None:
    """Refuse ways that no record may hold (record 2.6)."""
    try:
        raw = _encode_ways(ways)
    except (ValueError, TypeError):
        raise Refused("record 2.6", "A way of a record is malformed", _WRITE_WAYS) from None
    _ways(Reader(raw, "record 2.1"))


def _encode_ways(ways: tuple[Way, ...]) -> bytes:
    each = (bytes([w.kind, w.cells, len(w.url)]) + w.url.encode("ascii") for w in ways)
    return bytes([len(ways)]) + b"".join(each)


def _desks(reader: Reader, week: int) -> tuple[DeskEntry, ...]:
    count = reader.number(1)
    if not 1 <= count <= _MAX_DESKS:
        raise Refused("record 2.5", "A record has no desk, or too many")
    return tuple(_desk(reader, week) for _ in range(count))


def _desk(reader: Reader, week: int) -> DeskEntry:
    raw = reader.take(DESK_NAME)
    key_week = reader.number(2)
    key = _key(reader)
    try:
        name = raw.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("record 2.5", "A desk's name is not UTF-8") from None
    if b"\0" in raw.rstrip(b"\0") or key_week not in (week, week - 1):
        raise Refused("record 2.5", "A desk's name or week does not fit its record")
    return DeskEntry(name, key_week, key)


def _ways(reader: Reader) -> tuple[Way, ...]:
    count = reader.number(1)
    ways = tuple(_way(reader) for _ in range(count)) if 1 <= count <= _MAX_WAYS else ()
    if not any(w.kind is WayKind.INGRESS for w in ways):
        raise Refused("record 2.6", "A record names no ingress, or too many ways")
    return ways


def _way(reader: Reader) -> Way:
    kind, cells, length = reader.number(1), reader.number(1), reader.number(1)
    raw = reader.take(length)
    printable = all(0x21 <= byte <= 0x7E for byte in raw)
    known = kind in (WayKind.INGRESS, WayKind.BOARD) and cells >= 1
    if not (known and printable and length <= _MAX_URL and raw.startswith((b"http:", b"https:"))):
        raise Refused("record 2.6", "A way of a record is malformed", _WRITE_WAYS)
    return Way(WayKind(kind), cells, raw.decode("ascii"))
