"""How far a reader gets with a refused vector: one function a stage (vectors/README.md)."""

from __future__ import annotations

from collections.abc import Callable

from vectors.in_python import Fields, desk_keys, key, link_of, private, record_key, record_of
from vectors.in_python.reading import gather

from wallflower.crypto import aead
from wallflower.crypto.derive import sha256
from wallflower.errors import Refused
from wallflower.trust import board as trust_board
from wallflower.trust import drop as trust_drop
from wallflower.trust import record as trust_record
from wallflower.trust.pins import Pins
from wallflower.wire import (
    cell,
    chain,
    drop,
    hello,
    hum,
    letter,
    parcel,
    receipt,
    record,
    reply,
    segment,
    token,
    words,
)

Stage = Callable[[Fields, bytes], object]


def _open_a(i: Fields, data: bytes) -> tuple[bytes, cell.Cell]:
    found, today = cell.parse_cell(data), record_of(i.get("record", "today"))
    hop_a = record_key(i.get("record", "today"), "hop_a")
    return hello.open_seal_a(hop_a, today.hash(), hello.seal_a_of(found.raw)), found


def _opened(opens: Callable[[aead.Opener, int, bytes], bytes], key_a: bytes, data: bytes) -> bytes:
    found = cell.parse_cell(data)
    return opens(aead.Opener(key_a), found.counter, found.raw)


def _open_b(i: Fields, data: bytes) -> object:
    for_b = _opened(hello.open_inner, _open_a(i, data)[0], data)
    hop_b, today = record_key(i["record"], "hop_b"), record_of(i["record"])
    return hello.open_seal_b(hop_b, today.hash(), for_b)


def _open_parcel(i: Fields, data: bytes) -> tuple[bytes, parcel.Parcel]:
    found, today = parcel.parse_parcel(data), record_of(i["record"])
    hop_b = record_key(i["record"], "hop_b")
    return hello.open_seal_b(hop_b, today.hash(), found.seal_b)[0], found


def _open_body(i: Fields, data: bytes) -> object:
    key_b, found = _open_parcel(i, data)
    return parcel.open_parcel_body(key_b, found.body)


def _open_letter(i: Fields, data: bytes) -> object:
    week, _, entry = desk_keys(i["record"])[0]
    return letter.open_letter([(week, private(i["key"]), entry)], data)


def _open_drop(i: Fields, data: bytes) -> tuple[bytes, drop.SignedDrop]:
    found = drop.parse_drop(data)
    today = record_of(i["record"])
    return drop.open_file_key(record_key(i["record"], "drop"), today.hash(), found), found


def _open_slot(i: Fields, data: bytes) -> object:
    return drop.open_slot(*_open_drop(i, data), i["slot"])


def _join(i: Fields, _: bytes) -> object:
    e, week = bytes.fromhex(i["e"]), i["week"]
    slots = enumerate(bytes.fromhex(slot) for slot in i["slots"])
    parts = [reply.open_part(e, week, n, slot) for n, slot in slots]
    return [reply.joined(run) for run in reply.whole_runs(parts)]


def _judge(i: Fields, _: bytes) -> object:
    return chain.judge(link_of(i["kept"]) if i["kept"] else None, link_of(i["seen"]))


def _trusted(name: str) -> trust_record.EpochRecord:
    body = record_of(name)
    return trust_record.EpochRecord(body, body.hash(), b"")


def _trust_record(i: Fields, data: bytes) -> None:
    keys = {name: key("verify", name) for name in ("organisation", "a", "b")}
    found = trust_record.verify_record(data, Pins(bytes.fromhex(i["root"]), **keys, desk="desk"))
    trust_record.verify_in_force(found, i["now"])
    trust_record.verify_follows(found, _trusted(i["previous"]))


def _trust_drop(i: Fields, data: bytes) -> None:
    previous = bytes.fromhex(i["previous"])
    trust_drop.verify_drop(drop.parse_drop(data), _trusted(i["record"]), i["last"], previous)


def _trust_board(i: Fields, data: bytes) -> None:
    if i["what"] == "head":
        trust_board.verify_head(data, _trusted(i["record"]))
        return
    expected = sha256(data)
    if "head" in i:
        expected = segment.parse_head(bytes.fromhex(i["head"])).segment_hash
    follower = None
    if "next" in i:
        follower = segment.parse_segment(bytes.fromhex(i["next"])).header
        expected = follower.previous
    trust_board.verify_segment(data, expected, _trusted(i["record"]), follower)


STAGES: dict[str, dict[str, Stage]] = {
    "cell": {
        "parse": lambda _, data: cell.parse_cell(data),
        "open": lambda i, data: _opened(cell.open_body, bytes.fromhex(i["key_a"]), data),
    },
    "hello": {
        "open-a": _open_a,
        "open-inner": lambda i, data: _opened(hello.open_inner, bytes.fromhex(i["key_a"]), data),
        "open-b": _open_b,
    },
    "hum": {
        "gather": lambda i, data: hum.open_hum(
            gather(data), record_key(i["record"], "hop_a"), record_of(i["record"]).hash()
        )
    },
    "parcel": {
        "parse": lambda _, data: parcel.parse_parcel(data),
        "open-seal": _open_parcel,
        "open-body": _open_body,
    },
    "letter": {"open": _open_letter, "write": lambda i, _: letter.check_text(i["text"])},
    "record": {"parse": lambda _, data: record.parse_record(data), "trust": _trust_record},
    "drop": {
        "parse": lambda _, data: drop.parse_drop(data),
        "trust": _trust_drop,
        "open": _open_drop,
        "open-slot": _open_slot,
    },
    "reply": {
        "open": lambda i, data: reply.open_part(bytes.fromhex(i["e"]), i["week"], i["index"], data),
        "join": _join,
        "write": lambda i, _: reply.cut_reply(i["text"], i["index"]),
    },
    "receipt": {"parse": lambda _, data: receipt.parse_receipts(data)},
    "segment": {
        "parse-segment": lambda _, data: segment.parse_segment(data),
        "parse-head": lambda _, data: segment.parse_head(data),
        "trust": _trust_board,
    },
    "chain": {
        "value": lambda i, _: chain.chain_value(key("secrets", i["secret"]), i["week"]),
        "judge": _judge,
    },
    "token": {"parse-set": lambda _, data: token.parse_set(data)},
    "words": {"read": lambda i, _: words.from_person(i["typed"])},
}


def refused_rule(vector: Fields) -> str | None:
    """The rule under which the reader refuses a vector at its stage; None when it is taken."""
    stage = STAGES[vector["structure"]][vector["stage"]]
    try:
        stage(vector["inputs"], bytes.fromhex(vector.get("bytes", "")))
    except Refused as refused:
        return refused.rule
    return None
