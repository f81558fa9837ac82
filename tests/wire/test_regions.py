"""A bit turned over in any field of any structure is refused under the number of that field.

One row a field: where it lies, and which numbers may refuse it. The first and the last bit of each
field are turned, and a few between; a row whose fields do not cover the structure is found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from tests.trust.made import (
    BOARD,
    DROP,
    PINS,
    A,
    board,
    body,
    private,
    record,
    signed,
)
from tests.wire.drawn import Draw, Room, flip
from vectors.in_python import desk_keys

from wallflower.crypto import sign
from wallflower.crypto.aead import Opener
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.trust.board import verify_head, verify_segment
from wallflower.trust.drop import verify_drop
from wallflower.trust.record import verify_in_force, verify_record
from wallflower.wire import cell, chain, drop, hello, letter, offer, parcel, receipt, reply
from wallflower.wire.sizes import (
    ANCESTORS,
    BODY_HEADER,
    CELL,
    DAY_S,
    DROP_HEADER,
    DROP_SEAL,
    DROP_SLOT,
    HASH,
    HEAD,
    HELLO_HEADER,
    HUM_CELLS,
    KEM_PUBLIC,
    LETTER,
    PARCEL,
    RECEIPT,
    REPLY_SLOT,
    SEAL_A,
    SEAL_B,
    SEGMENT_HEADER,
    SIGNATURE,
    TAG,
)

MLKEM_CT, X25519 = 1088, 32
Field = tuple[str, int, str]  # name, bytes, numbers that may refuse (several: "a|b")
ROOM = Room()
CELLS = ROOM.make(hello.Kind.LETTER, ROOM.filler(), Draw("regions"))
HASH_TODAY = ROOM.record.hash()
HELLO = cell.parse_cell(CELLS[0])
KEY_A = hello.open_seal_a(ROOM.hop_a, HASH_TODAY, hello.seal_a_of(HELLO.raw))
((_, PARCEL_MADE),) = ROOM.at_a(CELLS).items()
TODAY = record(body())
P = TODAY.body.parameters
LETTERS = [bytes([n]) * LETTER for n in range(P.slots)]
E, SALT = sha256(b"e"), bytes(16)


def _hello(data: bytes) -> None:
    found = cell.parse_cell(data)
    key_a = hello.open_seal_a(ROOM.hop_a, HASH_TODAY, hello.seal_a_of(found.raw))
    inner = hello.open_inner(Opener(key_a), found.counter, data)
    hello.open_seal_b(ROOM.hop_b, HASH_TODAY, inner)


def _parcel(data: bytes) -> None:
    found = parcel.parse_parcel(data)
    key_b, _ = hello.open_seal_b(ROOM.hop_b, HASH_TODAY, found.seal_b)
    parcel.open_parcel_body(key_b, found.body)


def _letter(data: bytes) -> None:
    letter.open_letter(desk_keys("today"), data)


def _record(data: bytes) -> None:
    verify_in_force(verify_record(data, PINS), TODAY.body.day * DAY_S + 1)


def _drop(data: bytes) -> None:
    found = verify_drop(drop.parse_drop(data), TODAY, 0, bytes(HASH))
    key = drop.open_file_key(private("drop"), TODAY.hash, found)
    for index in range(found.header.slots):
        drop.open_slot(key, found, index)


def _drop_of_b(data: bytes) -> None:
    """A drop that B itself has changed and signed again."""
    unsigned = data[:-SIGNATURE]
    _drop(unsigned + sign.sign(DROP, "drop", unsigned))


def _segment(data: bytes) -> None:
    verify_segment(data, SHOWN.segments[0].hash, TODAY)


def _head(data: bytes) -> None:
    verify_head(data, TODAY)


def _head_of_the_server(data: bytes) -> None:
    """A head that the desk server itself has changed and signed again."""
    verify_head(data[:-SIGNATURE] + sign.sign(BOARD, "head", data[:-SIGNATURE]), TODAY)


SHOWN = board(TODAY, 1)
MADE_DROP = drop.make_drop(
    drop.DropHeader(1, 1, 77, P.slots, bytes(HASH)), private("drop").public, TODAY.hash,
    bytes(32), LETTERS, DROP,
)  # fmt: skip
OFFER = offer.make_offer(offer.Offer(1, private("a").public), A)


@dataclass(frozen=True)
class Structure:
    """Good bytes, who reads them, and their fields from first to last."""

    good: bytes
    read: Callable[[bytes], object]
    fields: tuple[Field, ...]


_SEAL: tuple[Field, ...] = (("ml-kem", MLKEM_CT, ""), ("x25519", X25519, ""))


def _sealed(rule: str, plain: int) -> tuple[Field, ...]:
    parts = (*_SEAL, ("ciphertext", plain, ""), ("tag", TAG, ""))
    return tuple((name, size, rule) for name, size, _ in parts)


STRUCTURES = {
    "body cell": Structure(
        CELLS[1], lambda d: cell.open_body(Opener(KEY_A), cell.parse_cell(d).counter, d),
        (
            ("version", 1, "cell 2.2"), ("counter", 1, "cell 2.3|cell 2.4|cell 2.5"),
            ("record", 2, "cell 2.5"), ("hum id", BODY_HEADER - 4, "cell 2.5"),
            ("piece", CELL - BODY_HEADER - TAG, "cell 2.5"), ("tag", TAG, "cell 2.5"),
        ),
    ),
    "hello": Structure(
        CELLS[0], _hello,
        (
            ("version", 1, "cell 2.2"), ("counter", 1, "cell 2.3|hello 2.1|hello 2.2"),
            ("record", 2, "hello 2.2"), ("reserved", HELLO_HEADER - 4, "cell 2.4"),
            *_sealed("hello 2.1", SEAL_A - MLKEM_CT - X25519 - TAG),
            ("inner", CELL - HELLO_HEADER - SEAL_A - TAG, "hello 2.2"),
            ("tag of inner", TAG, "hello 2.2"),
        ),
    ),
    "parcel": Structure(
        PARCEL_MADE.encode(), _parcel,
        (
            *_sealed("hello 2.3", SEAL_B - MLKEM_CT - X25519 - TAG),
            ("body", PARCEL - SEAL_B - TAG, "parcel 3.3"), ("tag", TAG, "parcel 3.3"),
        ),
    ),
    "letter": Structure(
        ROOM.filler(), _letter, _sealed("letter 3.2", LETTER - MLKEM_CT - X25519 - TAG)
    ),
    "record": Structure(
        signed(TODAY.body), _record,
        (
            ("version", 1, "record 2.2"), ("reserved", 1, "record 2.2"),
            ("number", 2, "record 2.8"), ("day", 4, "record 2.3|record 2.4"),
            ("week", 2, "record 2.3"),
            ("not before", 8, "record 2.4|record 2.8"), ("not after", 8, "record 2.4"),
            ("root", HASH, "record 2.9"), ("ancestors", ANCESTORS * HASH, "record 2.8"),
            *((key, KEM_PUBLIC, "record 2.1|record 2.8") for key in ("hop a", "hop b", "drop")),
            ("drop signer", 32, "record 2.8"), ("board signer", 32, "record 2.8"),
            ("parameters", 38, "record 2.7|record 2.8"), ("desks", 1, "record 2.1|record 2.5|"
             "record 2.6"),
            ("name", 32, "record 2.5|record 2.8"), ("desk week", 2, "record 2.5|record 2.8"),
            ("desk key", KEM_PUBLIC, "record 2.1|record 2.8"),
            ("ways", 1, "record 2.1|record 2.6"), ("way", 3, "record 2.1|record 2.6|record 2.8"),
            ("url", 17, "record 2.6|record 2.8"),
            *((f"signature of {who}", SIGNATURE, "record 2.8") for who in ("o", "a", "b")),
        ),
    ),
    "drop": Structure(
        MADE_DROP, _drop,
        (
            ("version and reserved", 2, "drop 2.2"), ("record", 2, "drop 2.1"),
            ("number", 4, "drop 2.3"), ("tick", 8, "drop 2.3"), ("slots", 2, "drop 2.1"),
            ("reserved", 14, "drop 2.2"), ("previous", HASH, "drop 2.3"),
            ("seal", DROP_SEAL, "drop 2.3"), ("slot 0", DROP_SLOT, "drop 2.3"),
            ("slot 1", DROP_SLOT, "drop 2.3"), ("signature", SIGNATURE, "drop 2.3"),
        ),
    ),
    "drop, signed again by B": Structure(
        MADE_DROP, _drop_of_b,
        (
            ("version and reserved", 2, "drop 2.2"), ("record", 2, "drop 2.1"),
            ("number", 4, "drop 2.4"), ("tick", 8, "drop 2.6"), ("slots", 2, "drop 2.1"),
            ("reserved", 14, "drop 2.2"), ("previous", HASH, "drop 2.4"),
            ("seal", DROP_SEAL, "drop 2.5"), ("slot 0", DROP_SLOT, "drop 2.6"),
            ("slot 1", DROP_SLOT, "drop 2.6"), ("signature", SIGNATURE, ""),
        ),
    ),
    "reply": Structure(
        reply.seal_part(E, 0, SALT, 1, 1, b"yes"), lambda d: reply.open_part(E, 125, 0, d),
        (
            ("tag", 16, "reply 3.2"), ("salt", 16, "reply 3.2"),
            ("ciphertext", REPLY_SLOT - 32 - TAG, "reply 3.2"), ("aead tag", TAG, "reply 3.2"),
        ),
    ),
    "segment": Structure(
        SHOWN.raw[0], _segment,
        (
            ("version and reserved", 2, "segment 3.2"),
            ("record, number, period", 10, "segment 3.5"), ("counts", 4, "segment 3.1"),
            ("previous, drop head, record hash", SEGMENT_HEADER - 16, "segment 3.5"),
            ("replies", P.replies * REPLY_SLOT, "segment 3.5"),
            ("receipts", P.receipts * RECEIPT, "segment 3.5"),
            ("signature", SIGNATURE, "segment 3.5"),
        ),
    ),
    "head": Structure(
        SHOWN.head(), _head,
        (
            ("version and reserved", 2, "segment 3.2"), ("numbers", 14, "segment 3.3"),
            ("hashes", 3 * HASH, "segment 3.3"), ("signature", SIGNATURE, "segment 3.3"),
        ),
    ),
    "head, signed again by the server": Structure(
        SHOWN.head(), _head_of_the_server,
        (
            ("version and reserved", 2, "segment 3.2"), ("numbers", 14, ""),
            ("segment and drop", 2 * HASH, ""), ("record hash", HASH, "segment 3.6"),
            ("signature", SIGNATURE, ""),
        ),
    ),
    "offer": Structure(
        OFFER, lambda d: offer.verify_offer(d, sign.verify_key(A), with_drop=False),
        (
            ("number", 2, "record 5.1"), ("hop key", KEM_PUBLIC, "record 5.1"),
            ("signature", SIGNATURE, "record 5.1"),
        ),
    ),
}  # fmt: skip
ROWS = [
    (name, field, sum(size for _, size, _ in made.fields[:at]))
    for name, made in STRUCTURES.items()
    for at, field in enumerate(made.fields)
]


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_good_bytes_are_read_and_their_fields_cover_them(name: str) -> None:
    made = STRUCTURES[name]
    made.read(made.good)
    assert sum(size for _, size, _ in made.fields) == len(made.good)


@pytest.mark.parametrize(("name", "field", "start"), ROWS, ids=lambda v: str(v))
def test_a_bit_turned_in_a_field_is_refused_under_the_fields_number(
    name: str, field: Field, start: int
) -> None:
    made, (_, size, rules) = STRUCTURES[name], field
    places = {(start, 7), (start, 0), (start + size - 1, 0), (start + size - 1, 7)}
    places |= {(start + size * part // 5, part) for part in range(1, 5)}
    for at, bit in sorted(places):
        if not rules:  # who signs may say what they like there; others check it (segment 3.5, 3.7)
            made.read(flip(made.good, at, bit))
            continue
        with pytest.raises(Refused) as refusal:
            made.read(flip(made.good, at, bit))
        assert refusal.value.rule in rules.split("|"), f"byte {at}, bit {bit}"


def test_a_receipt_with_a_bit_turned_is_nobodys() -> None:
    mine = receipt.receipt(E, 5)
    assert receipt.find_receipts({125: E}, frozenset([mine])) == {(125, 5)}
    for at in range(RECEIPT):
        assert receipt.find_receipts({125: E}, frozenset([flip(mine, at)])) == set()


def test_a_link_with_a_bit_turned_is_unconfirmed_and_another_week_too() -> None:
    kept = chain.Link(125, E, chain.chain_value(bytes(16), 125))
    later = chain.Link(126, E, chain.chain_value(bytes(16), 126))
    assert chain.judge(kept, later) is chain.Continuity.CONFIRMED
    for at in (0, 15, 31):
        for link in (
            chain.Link(125, flip(kept.e, at), kept.x), chain.Link(125, kept.e, flip(kept.x, at)),
            chain.Link(126, E, flip(later.x, at)), chain.Link(127, E, later.x),
            chain.Link(124, E, kept.x),
        ):  # fmt: skip
            assert chain.judge(kept, link) is chain.Continuity.UNCONFIRMED


def test_every_structure_of_the_uplink_has_its_size() -> None:
    assert len(CELLS) == HUM_CELLS
    assert len(SHOWN.head()) == HEAD
    assert len(MADE_DROP) == DROP_HEADER + DROP_SEAL + P.slots * DROP_SLOT + SIGNATURE
