"""Records, heads, segments and drops made by known signers, to be believed or not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from wallflower.crypto import hpke, sign
from wallflower.crypto.derive import sha256
from wallflower.lab.host import SeededEntropy
from wallflower.trust.pins import Pins
from wallflower.trust.record import EpochRecord, ancestors_after, verify_record
from wallflower.wire.drop import DropHeader, SignedDrop, make_drop, parse_drop
from wallflower.wire.record import (
    DeskEntry,
    Pace,
    Parameters,
    RecordBody,
    Way,
    WayKind,
)
from wallflower.wire.segment import (
    SegmentHeader,
    SignedSegment,
    make_head,
    make_segment,
    parse_segment,
)
from wallflower.wire.sizes import DAY_S, HASH, LETTER, RECEIPT, REPLY_SLOT, week_of_day

DAY = 20778
ORGANISATION, A, B, DROP, BOARD, STRANGER = (sha256(bytes([n])) for n in range(1, 7))
ROOT = sha256(b"root of the trust tests")
_ORGANISATION, _A, _B = (sign.verify_key(seed) for seed in (ORGANISATION, A, B))
PINS = Pins(ROOT, _ORGANISATION, _A, _B, "Office")
PARAMETERS = Parameters(
    mean_a=7200, mean_b=7200, tick=600, slots=2, floor=0, replies=2, receipts=3, period=14400,
    segments=84, pace=Pace(1, 1, 0),
)  # fmt: skip


@cache
def private(name: str) -> hpke.PrivateKey:
    """The key pair of a name, the same in every run."""
    return hpke.PrivateKey.from_seed(sha256(name.encode()))


def body(number: int = 1, day: int = DAY, before: RecordBody | None = None) -> RecordBody:
    """A record's body, not yet signed."""
    desk = DeskEntry("Office", week_of_day(day), private("desk").public)
    return RecordBody(
        number=number, day=day, not_before=day * DAY_S, root=ROOT,
        ancestors=ancestors_after(before), hop_a=private("a").public, hop_b=private("b").public,
        drop_key=private("drop").public, drop_verify=sign.verify_key(DROP),
        board_verify=sign.verify_key(BOARD), parameters=PARAMETERS, desks=(desk,),
        ways=(Way(WayKind.INGRESS, 12, "http://i.example/"),),
    )  # fmt: skip


def signed(what: RecordBody, by: tuple[bytes, bytes, bytes] = (ORGANISATION, A, B)) -> bytes:
    """The record's bytes under three signers."""
    raw = what.encode()
    return raw + b"".join(sign.sign(seed, "record", raw) for seed in by)


def record(what: RecordBody) -> EpochRecord:
    """The record, believed."""
    return verify_record(signed(what), PINS)


@dataclass(frozen=True)
class Board:
    """A chain of segments under one record."""

    record: EpochRecord
    segments: list[SignedSegment]
    raw: list[bytes]

    def head(self, seed: bytes = BOARD, first: int = 1) -> bytes:
        """The head that names the newest."""
        return make_head(self.segments[-1], first, seed)


def board(
    under: EpochRecord, count: int, seed: bytes = BOARD, salt: int = 0, after: Board | None = None
) -> Board:
    """So many segments more, each naming the one before."""
    draw = SeededEntropy(bytes([salt])).draw
    segments: list[SignedSegment] = list(after.segments) if after else []
    raws: list[bytes] = list(after.raw) if after else []
    p = under.body.parameters
    for number in range(len(segments) + 1, len(segments) + count + 1):
        header = SegmentHeader(
            record=under.number, number=number, period=number, replies=p.replies,
            receipts=p.receipts, previous=segments[-1].hash if segments else bytes(HASH),
            drop_head=bytes(HASH), record_hash=under.hash,
        )  # fmt: skip
        slots = [draw(REPLY_SLOT) for _ in range(p.replies)]
        raw = make_segment(header, slots, [draw(RECEIPT) for _ in range(p.receipts)], seed)
        raws.append(raw)
        segments.append(parse_segment(raw))
    return Board(under, segments, raws)


def drop(
    under: EpochRecord, number: int = 1, previous: bytes = bytes(HASH), seed: bytes = DROP,
    slots: int = PARAMETERS.slots,
) -> SignedDrop:  # fmt: skip
    """A parsed drop of zeros."""
    header = DropHeader(under.number, number, 77, slots, previous)
    letters = [bytes(LETTER)] * slots
    key = private("drop").public
    return parse_drop(make_drop(header, key, under.hash, bytes(32), letters, seed))


def changed(what: RecordBody, **fields: object) -> RecordBody:
    """The body with other fields."""
    return replace(what, **fields)  # type: ignore[arg-type]
