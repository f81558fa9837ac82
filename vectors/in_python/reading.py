"""Each structure read to the fields of a vector, by `wallflower`, whoever made the bytes."""

from __future__ import annotations

from collections.abc import Callable

from wallflower.campaign import eightwords
from wallflower.crypto import derive, hpke, sign
from wallflower.crypto.aead import Opener
from wallflower.wire import (
    cell,
    cells,
    chain,
    drop,
    hello,
    hum,
    letter,
    parcel,
    record,
    reply,
    stamp,
    token,
    words,
)
from wallflower.wire import segment as board
from wallflower.wire.sizes import CELL, POSITIONS

from . import Fields, desk_keys, key, link_of, record_key, record_of


def read_record(_: Fields, data: bytes) -> Fields:
    signed = record.parse_record(data)
    for who, signature in zip(("organisation", "a", "b"), signed.signatures, strict=True):
        sign.verify(key("verify", who), "record", signed.signed, signature)
    b = signed.body
    p = b.parameters
    names = ("mean_a", "mean_b", "tick", "slots", "floor", "replies", "receipts", "period",
             "segments")  # fmt: skip
    return {
        "number": b.number, "day": b.day, "week": b.week, "not_before": b.not_before,
        "not_after": b.not_after, "root": b.root.hex(), "ancestors": [a.hex() for a in b.ancestors],
        "hop_a": b.hop_a.raw.hex(), "hop_b": b.hop_b.raw.hex(), "drop": b.drop_key.raw.hex(),
        "drop_verify": b.drop_verify.hex(), "board_verify": b.board_verify.hex(),
        "parameters": {
            **{name: getattr(p, name) for name in names}, "pace_days": p.pace.days,
            "pace_hums": p.pace.hums, "anchor_ms": p.pace.anchor_ms,
        },
        "desks": [{"name": d.name, "week": d.week, "key": d.key.raw.hex()} for d in b.desks],
        "desk_hashes": [b.desk_entry_hash(d).hex() for d in b.desks],
        "ways": [{"kind": int(w.kind), "cells": w.cells, "url": w.url} for w in b.ways],
        "hash": b.hash().hex(),
    }  # fmt: skip


def read_letter(i: Fields, data: bytes) -> Fields:
    keys = desk_keys(i["record"])
    plain = hpke.open_sealed(keys[0][1], hpke.info("desk", keys[0][2]), data)
    found = letter.open_letter(keys, data)
    if found is None:
        return {"kind": 0, "plain": plain.hex()}
    return {
        "kind": int(found.kind), "language": found.language, "e": found.e.hex(),
        "conversation": found.conversation.hex(), "x": found.x.hex(), "week": found.week,
        "mark": found.mark, "part": found.part, "of": found.of, "text": found.text,
        "plain": plain.hex(),
    }  # fmt: skip


def read_cell(i: Fields, data: bytes) -> Fields:
    found = cell.parse_cell(data)
    return {
        "counter": found.counter, "position": found.position, "record": found.record,
        "header": found.header.hex(), "sealed": found.sealed.hex(),
        "hum_id": cell.read_head(data)[2].hex(),
        "piece": cell.open_body(Opener(bytes.fromhex(i["key_a"])), found.counter, data).hex(),
    }  # fmt: skip


def read_b_record(inside: hello.BRecord) -> Fields:
    return {
        "kind": int(inside.kind), "token": inside.token.hex(),
        "stamp_class": inside.stamp.stamp_class, "stamp": inside.stamp.value.hex(),
        "report": inside.report.channel, "language": inside.report.language,
    }  # fmt: skip


def read_hello(i: Fields, data: bytes) -> Fields:
    found, today = cell.parse_cell(data), record_of(i["record"])
    for_a = bytes(hello.seal_a_of(data))
    key_a = hello.open_seal_a(record_key(i["record"], "hop_a"), today.hash(), for_a)
    for_b = hello.open_inner(Opener(key_a), found.counter, data)
    hop_b = record_key(i["record"], "hop_b")
    key_b, inside = hello.open_seal_b(hop_b, today.hash(), for_b)
    return {
        "counter": found.counter, "record": found.record, "key_a": key_a.hex(),
        "key_b": key_b.hex(), **read_b_record(inside),
        "hum_id": cells.read_name(data)[2].hex(), "seal_a": for_a.hex(), "seal_b": for_b.hex(),
        "inner": found.sealed[len(for_a) :].hex(),
    }  # fmt: skip


def read_parcel(i: Fields, data: bytes) -> Fields:
    found, today = parcel.parse_parcel(data), record_of(i["record"])
    hop_b = record_key(i["record"], "hop_b")
    key_b, inside = hello.open_seal_b(hop_b, today.hash(), found.seal_b)
    return {
        "key_b": key_b.hex(), **read_b_record(inside),
        "letter": parcel.open_parcel_body(key_b, found.body).hex(),
        "seal_b": found.seal_b.hex(), "body": found.body.hex(),
    }  # fmt: skip


def gather(data: bytes) -> hum.Gathering:
    """Whole cells end to end, gathered."""
    gathering = hum.Gathering()
    for at in range(0, len(data), CELL):
        gathering.add(cell.parse_cell(data[at : at + CELL]))
    return gathering


def read_hum(i: Fields, data: bytes) -> Fields:
    """Every copy opens, and any one copy of each position gives the same parcel."""
    hop_a, today = record_key(i["record"], "hop_a"), record_of(i["record"])
    found, broken = hum.open_hum(gather(data), hop_a, today.hash())
    assert found is not None and broken == []
    for copy in range(len(data) // CELL // POSITIONS):
        at = copy * POSITIONS * CELL
        alone = gather(data[at : at + POSITIONS * CELL])
        assert hum.open_hum(alone, hop_a, today.hash()) == (found, [])
    opened = read_parcel(i, found.encode())
    first = data[:CELL]
    key_a = hello.open_seal_a(hop_a, today.hash(), hello.seal_a_of(first))
    names = ("key_b", "kind", "token", "stamp_class", "stamp", "report", "language", "letter")
    kept = {name: opened[name] for name in names}
    return {
        **kept, "key_a": key_a.hex(), "hum_id": cells.read_name(first)[2].hex(),
        "parcel": found.encode().hex(),
    }  # fmt: skip


def read_drop(i: Fields, data: bytes) -> Fields:
    found, today = drop.parse_drop(data), record_of(i["record"])
    sign.verify(today.drop_verify, "drop", found.signed, found.signature)
    file_key = drop.open_file_key(record_key(i["record"], "drop"), today.hash(), found)
    return {
        "number": found.header.number, "tick": found.header.tick, "slots": found.header.slots,
        "previous": found.header.previous.hex(), "file_key": file_key.hex(),
        "letters": [drop.open_slot(file_key, found, n).hex() for n in range(len(found.slots))],
        "hash": found.hash.hex(),
    }  # fmt: skip


def read_reply(i: Fields, data: bytes) -> Fields:
    e = derive.epoch_secret(key("secrets", i["secret"]), i["week"])
    found = reply.open_part(e, i["week"], i["index"], data)
    tag = reply.reply_tag(e, i["index"])
    assert reply.reply_table({i["week"]: e})[data[: len(tag)]] == (i["week"], i["index"])
    return {"tag": tag.hex(), "part": found.part, "of": found.of, "text": found.text.hex()}


def read_segment(i: Fields, data: bytes) -> Fields:
    if i["what"] == "head":
        head = board.parse_head(data)
        sign.verify(key("verify", "board"), "head", head.signed, head.signature)
        return {
            "number": head.number, "period": head.period, "first": head.first,
            "segment_hash": head.segment_hash.hex(), "drop_head": head.drop_head.hex(),
            "record_hash": head.record_hash.hex(),
        }  # fmt: skip
    found = board.parse_segment(data)
    sign.verify(key("verify", "board"), "segment", found.signed, found.signature)
    h = found.header
    return {
        "number": h.number, "period": h.period, "replies": [r.hex() for r in found.replies],
        "receipts": [r.hex() for r in found.receipts], "previous": h.previous.hex(),
        "drop_head": h.drop_head.hex(), "record_hash": h.record_hash.hex(),
        "hash": found.hash.hex(),
    }  # fmt: skip


def read_chain(i: Fields, data: bytes) -> Fields:
    if "seen" not in i:
        return {"x": data.hex()}
    kept = link_of(i["kept"]) if i["kept"] else None
    return {"continuity": str(chain.judge(kept, link_of(i["seen"])))}


def read_eightwords(i: Fields, _: bytes) -> Fields:
    keys = eightwords.root_keys(i["root"].encode())
    assert keys.ids == eightwords.ids_of(key("verify", name) for name in i["keys"])
    mark = eightwords.fingerprint(keys)
    shown = {name: eightwords.to_shown(mark, name) for name in ("en", "zh-Hans", "digits")}
    assert all(eightwords.is_said(text, mark) for text in shown.values())
    return {
        "ids": [name.hex() for name in keys.ids], "fingerprint": mark.hex(), **shown,
        "organisation_root": eightwords.organisation_root(keys).hex(),
    }  # fmt: skip


def read_words(i: Fields, _: bytes) -> Fields:
    if "typed" in i:
        return {"secret": words.from_person(i["typed"]).hex()}
    secret = bytes.fromhex(i["secret"])
    shown = words.to_digits(secret) if i["list"] == "digits" else None
    typed = shown or " ".join(words.to_words(secret, i["list"]))
    assert words.from_person(typed) == secret
    return {"typed": typed}


def read_token(i: Fields, data: bytes) -> Fields:
    if i["what"] == "token":
        return {"token": data.hex()}
    found = token.parse_set(data)
    asked = (bytes.fromhex(one) for one in (*i["tokens"], *i["others"]))
    return {
        "week": found.week, "salt": found.salt.hex(), "holds": [found.holds(one) for one in asked],
    }  # fmt: skip


def read_stamp(i: Fields, data: bytes) -> Fields:
    today, sealed = record_of(i["record"]).hash(), bytes.fromhex(i["letter"])
    if i["what"] == "make":
        made = stamp.make_stamp(today, sealed, bytes.fromhex(i["start"]))
        assert made.value == data
        assert stamp.earned_class(today, sealed, made) == made.stamp_class
        return {"class": made.stamp_class, "stamp": data.hex()}
    said = stamp.Stamp(i["said"], bytes.fromhex(i["stamp"]))
    return {"class": stamp.earned_class(today, sealed, said)}


READ: dict[str, Callable[[Fields, bytes], Fields]] = {
    "record": read_record, "letter": read_letter, "cell": read_cell, "hello": read_hello,
    "hum": read_hum, "parcel": read_parcel, "drop": read_drop, "reply": read_reply,
    "receipt": lambda _, data: {"receipt": data.hex()}, "segment": read_segment,
    "chain": read_chain, "words": read_words, "eightwords": read_eightwords,
    "token": read_token, "stamp": read_stamp,
}  # fmt: skip
