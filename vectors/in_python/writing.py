"""Each structure made from the inputs of a vector, by `wallflower`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from wallflower.crypto import derive, sign
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
    stamp,
    token,
)
from wallflower.wire import segment as board

from . import Fields, key, private, record_of


def _hexes(i: Fields, *names: str) -> list[bytes]:
    return [bytes.fromhex(i[name]) for name in names]


def _draws(i: Fields) -> Callable[[int], bytes]:
    """A hum's draw that gives hum keys A and B, the stamp's start and the token, in that order."""
    values: Iterator[bytes] = iter(_hexes(i, "key_a", "key_b", "start", "token"))
    return lambda _: next(values)


def make_record(i: Fields) -> bytes:
    p = i["parameters"]
    pace = record.Pace(p["pace_days"], p["pace_hums"], p["anchor_ms"])
    names = ("mean_a", "mean_b", "tick", "slots", "floor", "replies", "receipts", "period",
             "segments")  # fmt: skip
    body = record.RecordBody(
        number=i["number"], day=i["day"], not_before=i["not_before"],
        root=derive.sha256(key("verify", i["root"])),
        ancestors=tuple(bytes.fromhex(a) for a in i["ancestors"]),
        hop_a=private(i["hop_a"]).public, hop_b=private(i["hop_b"]).public,
        drop_key=private(i["drop"]).public, drop_verify=key("verify", i["drop_verify"]),
        board_verify=key("verify", i["board_verify"]),
        parameters=record.Parameters(**{name: p[name] for name in names}, pace=pace),
        desks=tuple(
            record.DeskEntry(d["name"], d["week"], private(d["key"]).public) for d in i["desks"]
        ),
        ways=tuple(record.Way(record.WayKind(w["kind"]), w["cells"], w["url"]) for w in i["ways"]),
    ).encode()  # fmt: skip
    return body + b"".join(sign.sign(key("signers", s), "record", body) for s in i["signers"])


def make_letter(i: Fields) -> bytes:
    today = record_of(i["record"])
    desk = today.desks[0]
    if i["kind"] == letter.LetterKind.FILLER:
        plain = letter.FILLER
    else:
        secret = key("secrets", i["secret"])
        plain = letter.Letter(
            kind=letter.LetterKind(i["kind"]), language=i["language"],
            conversation=derive.conversation_id(secret), e=derive.epoch_secret(secret, i["week"]),
            x=chain.chain_value(secret, i["week"]), week=i["week"], mark=i["mark"],
            text=i["text"], part=i["part"], of=i["of"],
        ).encode()  # fmt: skip
    return letter.seal_letter(desk.key, today.desk_entry_hash(desk), plain)


def make_cell(i: Fields) -> bytes:
    key_a, name, piece = _hexes(i, "key_a", "hum_id", "piece")
    return cell.seal_body(key_a, i["counter"], i["record"], name, piece).encode()


def _b_record(i: Fields) -> hello.BRecord:
    value, said = _hexes(i, "token", "stamp")
    report = hello.Report(i["report"], i["language"])
    return hello.BRecord(hello.Kind(i["kind"]), value, stamp.Stamp(i["stamp_class"], said), report)


def make_hello(i: Fields) -> bytes:
    today = record_of(i["record"])
    key_a, key_b = _hexes(i, "key_a", "key_b")
    for_a = hello.seal_for_a(today.hop_a, today.hash(), key_a)
    inside = _b_record(i)
    for_b = hello.seal_for_b(today.hop_b, today.hash(), key_b, inside)
    return hello.hello_cell(for_a, key_a, i["counter"], today.number, for_b).encode()


def make_hum(i: Fields) -> bytes:
    sealed = bytes.fromhex(i["letter"])
    return b"".join(hum.make_hum(record_of(i["record"]), hello.Kind(i["kind"]), sealed, _draws(i)))


def make_parcel(i: Fields) -> bytes:
    today = record_of(i["record"])
    key_b, sealed = _hexes(i, "key_b", "letter")
    for_b = hello.seal_for_b(today.hop_b, today.hash(), key_b, _b_record(i))
    return parcel.Parcel(for_b, parcel.seal_parcel_body(key_b, sealed)).encode()


def make_drop(i: Fields) -> bytes:
    today = record_of(i["record"])
    previous, file_key = _hexes(i, "previous", "file_key")
    letters = [bytes.fromhex(one) for one in i["letters"]]
    header = drop.DropHeader(today.number, i["number"], i["tick"], len(letters), previous)
    seed = key("signers", i["signer"])
    return drop.make_drop(header, today.drop_key, today.hash(), file_key, letters, seed)


def make_reply(i: Fields) -> bytes:
    e = derive.epoch_secret(key("secrets", i["secret"]), i["week"])
    salt, text = _hexes(i, "salt", "text")
    return reply.seal_part(e, i["index"], salt, i["part"], i["of"], text)


def make_receipt(i: Fields) -> bytes:
    e = derive.epoch_secret(key("secrets", i["secret"]), i["week"])
    return receipt.receipt(e, i["mark"])


def make_segment(i: Fields) -> bytes:
    today, seed = record_of(i["record"]), key("signers", i["signer"])
    if i["what"] == "head":
        head = board.SegmentHeader(
            today.number, i["number"], i["period"], 0, 0, b"", bytes.fromhex(i["drop_head"]),
            today.hash(),
        )  # fmt: skip
        newest = board.SignedSegment(head, (), (), b"", b"", bytes.fromhex(i["segment_hash"]))
        return board.make_head(newest, i["first"], seed)
    replies, receipts = ([bytes.fromhex(v) for v in i[name]] for name in ("replies", "receipts"))
    header = board.SegmentHeader(
        today.number, i["number"], i["period"], len(replies), len(receipts),
        bytes.fromhex(i["previous"]), bytes.fromhex(i["drop_head"]), today.hash(),
    )  # fmt: skip
    return board.make_segment(header, replies, receipts, seed)


def make_chain(i: Fields) -> bytes:
    return chain.chain_value(key("secrets", i["secret"]), i["week"])


def make_token(i: Fields) -> bytes:
    if i["what"] == "token":
        conversation = derive.conversation_id(key("secrets", i["secret"]))
        return token.token(token.token_key(conversation), i["week"], i["index"])
    values = itertools.chain(_hexes(i, "salt"), padding())
    tokens = [bytes.fromhex(one) for one in i["tokens"]]
    return token.make_set(i["week"], tokens, lambda _: next(values))


def padding() -> Iterator[bytes]:
    """What a desk draws at random, fixed (README.md)."""
    for n in itertools.count():
        yield derive.sha256(f"wallflower vectors drawn padding {n} 0".encode())[:16]


def make_stamp(i: Fields) -> bytes:
    start, sealed = _hexes(i, "start", "letter")
    return stamp.make_stamp(record_of(i["record"]).hash(), sealed, start).value


MAKE: dict[str, Callable[[Fields], bytes]] = {
    "record": make_record, "letter": make_letter, "cell": make_cell, "hello": make_hello,
    "hum": make_hum, "parcel": make_parcel, "drop": make_drop, "reply": make_reply,
    "receipt": make_receipt, "segment": make_segment, "chain": make_chain,
    "token": make_token, "stamp": make_stamp,
}  # fmt: skip
