"""Drop, reply, segment, head and words by hand. Spec: drop.md, reply.md, segment.md, words.md."""

from __future__ import annotations

from .cases import Case, Fields, Refusal, flipped, put
from .crypto import aead, hkdf, info, mac16, seal, sha256, sign, unaead, unseal, verify
from .keys import PUBLICS, SECRETS, SEEDS, SIGNERS, VERIFY, drawn
from .letters import e_of
from .records import HASHES, RECORDS


def drop(i: Fields) -> bytes:
    letters = [bytes.fromhex(letter) for letter in i["letters"]]
    header = b"".join([
        bytes([1, 0]), RECORDS[i["record"]]["number"].to_bytes(2), int(i["number"]).to_bytes(4),
        int(i["tick"]).to_bytes(8), len(letters).to_bytes(2), bytes(14),
        bytes.fromhex(i["previous"]),
    ])  # fmt: skip
    key = bytes.fromhex(i["file_key"])
    sealed = seal(PUBLICS["drop"], info(b"drop", HASHES[i["record"]]), key)
    slots = b"".join(aead(key, n, header, letter) for n, letter in enumerate(letters))
    body = header + sealed + slots
    return body + sign(SIGNERS[i["signer"]], b"drop", body)


def open_drop(i: Fields, data: bytes) -> Fields:
    verify(VERIFY[i["signer"]], b"drop", data[:-64], data[-64:])
    header, sealed, slots = data[:64], data[64:1232], data[1232:-64]
    count = int.from_bytes(header[16:18])
    if len(slots) != count * 7092 or header[:2] != b"\1\0" or header[18:32] != bytes(14):
        raise ValueError
    key = unseal(SEEDS["drop"], info(b"drop", HASHES[i["record"]]), sealed)
    letters = [unaead(key, n, header, slots[n * 7092 : (n + 1) * 7092]).hex() for n in range(count)]
    return {
        "number": int.from_bytes(header[4:8]), "tick": int.from_bytes(header[8:16]),
        "slots": count, "previous": header[32:].hex(), "file_key": key.hex(), "letters": letters,
        "hash": sha256(data).hex(),
    }  # fmt: skip


def drops(letters: dict[str, str]) -> list[Case]:
    def one(name: str, number: int, previous: str, inside: list[str]) -> Case:
        i: Fields = {
            "record": "small", "number": number, "tick": 2966400 + number, "previous": previous,
            "file_key": drawn(f"file key {number}", 32).hex(),
            "letters": [letters[letter] for letter in inside], "signer": "drop",
        }  # fmt: skip
        wanted = {key: i[key] for key in ("number", "tick", "previous", "file_key", "letters")}
        return Case(name, i, lambda: drop(i), lambda data: open_drop(i, data),
                    {**wanted, "slots": 3}, kem=True)  # fmt: skip

    small = "filler-for-the-small-record"
    return [
        one("first", 1, "00" * 32, [small, "one-chinese-character", small]),
        one("second", 2, "5a" * 32, [small, small, small]),
    ]


def refused_drops(good: bytes, second: bytes) -> list[Refusal]:
    trust = {"record": "small", "previous": sha256(good).hex(), "last": 1}
    opens = {"record": "small"}
    second_key = {"record": "small", "previous": "5a" * 32, "last": 0}
    faults: list[tuple[str, str, bytes, str, Fields]] = [
        ("one-byte-short", "drop 2.1", good[:-1], "parse", {}),
        ("shorter-than-a-header", "drop 2.1", good[:63], "parse", {}),
        ("count-says-two", "drop 2.1", put(good, 16, b"\0\2"), "parse", {}),
        ("version-is-2", "drop 2.2", put(good, 0, b"\2"), "parse", {}),
        ("reserved-byte-is-set", "drop 2.2", put(good, 1, b"\1"), "parse", {}),
        ("reserved-14-are-not-zero", "drop 2.2", put(good, 31, b"\1"), "parse", {}),
        ("signature-is-flipped", "drop 2.3", flipped(good, -1),
         "trust", {"record": "small", "previous": "00" * 32, "last": 0}),
        ("number-is-repeated", "drop 2.4", good, "trust", trust),
        ("previous-is-another", "drop 2.4", second, "trust", trust),
        ("number-is-skipped", "drop 2.4", second, "trust", second_key),
        ("another-record", "drop 2.5", good, "open", {"record": "today"}),
        ("seal-is-flipped", "drop 2.5", flipped(good, 700), "open", opens),
        ("slot-is-flipped", "drop 2.6", flipped(good, 1232 + 7092 + 5), "open-slot",
         {**opens, "slot": 1}),
        ("header-is-flipped", "drop 2.6", flipped(good, 12), "open-slot", {**opens, "slot": 0}),
    ]  # fmt: skip
    return [
        Refusal(name, i, lambda d=d: d, rule=rule, stage=stage)  # type: ignore[misc]
        for name, rule, d, stage, i in faults
    ]


def reply_slot(e: bytes, index: int, salt: bytes, plain: bytes) -> bytes:
    tag = mac16(e, b"tag" + bytes([index]))
    key = hkdf(e, salt, b"reply" + bytes([index]), 32)
    return tag + salt + aead(key, 0, tag, plain)


def reply_plain(part: int, of: int, text: bytes) -> bytes:
    return len(text).to_bytes(2) + bytes([part, of]) + text.ljust(716, b"\0")


def reply(i: Fields) -> bytes:
    e = e_of(SECRETS[i["secret"]], i["week"])
    plain = reply_plain(i["part"], i["of"], bytes.fromhex(i["text"]))
    return reply_slot(e, i["index"], bytes.fromhex(i["salt"]), plain)


def open_reply(i: Fields, data: bytes) -> Fields:
    e = e_of(SECRETS[i["secret"]], i["week"])
    tag, salt = data[:16], data[16:32]
    plain = unaead(hkdf(e, salt, b"reply" + bytes([i["index"]]), 32), 0, tag, data[32:])
    size = int.from_bytes(plain[:2])
    return {"tag": tag.hex(), "part": plain[2], "of": plain[3], "text": plain[4 : 4 + size].hex()}


def replies() -> list[Case]:
    def one(name: str, index: int, part: int, of: int, text: bytes) -> Case:
        i = {"secret": "writer", "week": 125, "index": index, "part": part, "of": of,
             "salt": drawn(f"salt {index}", 16).hex(), "text": text.hex()}  # fmt: skip
        tag = mac16(e_of(SECRETS["writer"], 125), b"tag" + bytes([index]))
        wanted = {"tag": tag.hex(), "part": part, "of": of, "text": text.hex()}
        return Case(name, i, lambda: reply(i), lambda data: open_reply(i, data), wanted)

    long = ("墙花" * 300).encode()  # 1,800 bytes: both borders lie within a character
    parts = [long[:716], long[716:1432], long[1432:]]
    return [
        one("short", 0, 1, 1, b"We have it. Thank you."),
        *(one(f"three-parts-{n}", n, n, 3, part) for n, part in enumerate(parts, 1)),
        one("last-index-full", 63, 1, 1, b"z" * 716),
    ]


def refused_replies() -> list[Refusal]:
    e, salt = e_of(SECRETS["writer"], 125), drawn("salt 0", 16)
    good = reply_slot(e, 0, salt, reply_plain(1, 1, b"ab"))
    i = {"e": e.hex(), "week": 125, "index": 0}
    plains = {
        "length-717": put(reply_plain(1, 1, b"ab"), 0, (717).to_bytes(2)),
        "byte-after-the-text": put(reply_plain(1, 1, b"ab"), 719, b"\1"),
        "part-0": reply_plain(0, 1, b"ab"),
        "part-2-of-1": reply_plain(2, 1, b"ab"),
    }
    opened = [
        ("one-byte-short", "reply 3.1", good[:-1]),
        ("one-byte-long", "reply 3.1", good + b"\0"),
        ("flipped-in-the-tag-name", "reply 3.2", flipped(good, 3)),
        ("flipped-in-the-salt", "reply 3.2", flipped(good, 20)),
        ("flipped-in-the-ciphertext", "reply 3.2", flipped(good, 400)),
        ("flipped-in-the-tag", "reply 3.2", flipped(good, -1)),
        *((name, "reply 3.3", reply_slot(e, 0, salt, plain)) for name, plain in plains.items()),
    ]
    halves = enumerate((b"\xe5", b"a"))
    broken = [reply_slot(e, n, salt, reply_plain(n + 1, 2, half)) for n, half in halves]
    return [
        *(Refusal(name, i, lambda d=d: d, rule=rule, stage="open") for name, rule, d in opened),  # type: ignore[misc]
        Refusal("parts-together-are-not-utf8", {
            "e": e.hex(), "week": 125, "slots": [slot.hex() for slot in broken]},
            rule="reply 3.4", stage="join"),
        Refusal("nothing-written", {"text": "", "index": 0}, rule="reply 3.5", stage="write"),
        Refusal("three-parts-with-two-left", {"text": "墙花" * 300, "index": 62},
                rule="reply 3.5", stage="write"),
        Refusal("none-left", {"text": "a", "index": 64}, rule="reply 3.5", stage="write"),
    ]  # fmt: skip


def _numbers(i: Fields) -> bytes:
    record = int(RECORDS[i["record"]]["number"])
    return record.to_bytes(2) + int(i["number"]).to_bytes(4) + int(i["period"]).to_bytes(4)


def segment(i: Fields) -> bytes:
    replies_, receipts = ([bytes.fromhex(v) for v in i[key]] for key in ("replies", "receipts"))
    body = b"".join([
        bytes([1, 0]), _numbers(i), len(replies_).to_bytes(2), len(receipts).to_bytes(2),
        bytes.fromhex(i["previous"]), bytes.fromhex(i["drop_head"]), HASHES[i["record"]],
        *replies_, *receipts,
    ])  # fmt: skip
    return body + sign(SIGNERS[i["signer"]], b"segment", body)


def head(i: Fields) -> bytes:
    body = b"".join([
        bytes([1, 0]), _numbers(i), int(i["first"]).to_bytes(4),
        bytes.fromhex(i["segment_hash"]), bytes.fromhex(i["drop_head"]), HASHES[i["record"]],
    ])  # fmt: skip
    return body + sign(SIGNERS[i["signer"]], b"head", body)


def _read_segment(data: bytes) -> Fields:
    verify(VERIFY["board"], b"segment", data[:-64], data[-64:])
    n, m = int.from_bytes(data[12:14]), int.from_bytes(data[14:16])
    at = 112 + n * 768
    if len(data) != at + m * 16 + 64:
        raise ValueError
    return {
        "number": int.from_bytes(data[4:8]), "period": int.from_bytes(data[8:12]),
        "replies": [data[112 + k * 768 : 880 + k * 768].hex() for k in range(n)],
        "receipts": [data[at + k * 16 : at + 16 + k * 16].hex() for k in range(m)],
        "previous": data[16:48].hex(), "drop_head": data[48:80].hex(),
        "record_hash": data[80:112].hex(), "hash": sha256(data).hex(),
    }  # fmt: skip


def _read_head(data: bytes) -> Fields:
    verify(VERIFY["board"], b"head", data[:-64], data[-64:])
    if len(data) != 176:
        raise ValueError
    return {
        "number": int.from_bytes(data[4:8]), "period": int.from_bytes(data[8:12]),
        "first": int.from_bytes(data[12:16]), "segment_hash": data[16:48].hex(),
        "drop_head": data[48:80].hex(), "record_hash": data[80:112].hex(),
    }  # fmt: skip


def _segment_inputs(record: str, number: int, previous: bytes) -> Fields:
    count = RECORDS[record]["parameters"]
    e = e_of(SECRETS["writer"], 125)
    slots = [
        reply_slot(drawn(f"e {n}", 32), n % 64, drawn(f"salt {n}", 16), reply_plain(1, 1, b""))
        for n in range(count["replies"] - 1)
    ]
    slots.append(reply_slot(e, 0, drawn("salt 0", 16), reply_plain(1, 1, b"We have it.")))
    marks = [mac16(drawn(f"mark {n}", 32), b"receipt\0") for n in range(count["receipts"] - 1)]
    marks.insert(1, mac16(e, b"receipt" + bytes([17])))
    return {
        "what": "segment", "record": record, "number": number, "period": 123600 + number,
        "previous": previous.hex(), "drop_head": drawn("drop head", 32).hex(),
        "replies": [slot.hex() for slot in slots], "receipts": [mark.hex() for mark in marks],
        "signer": "board",
    }  # fmt: skip


def segments() -> list[Case]:
    first = _segment_inputs("small", 1, bytes(32))
    second = _segment_inputs("small", 2, sha256(segment(first)))
    full = _segment_inputs("today", 84, drawn("segment 83", 32))
    third = _segment_inputs("raised", 3, sha256(segment(second)))
    top = {
        "what": "head", "record": "small", "number": 2, "period": second["period"], "first": 1,
        "segment_hash": sha256(segment(second)).hex(), "drop_head": second["drop_head"],
        "signer": "board",
    }  # fmt: skip
    raised = {
        **top, "record": "raised", "number": 3, "period": third["period"],
        "segment_hash": sha256(segment(third)).hex(),
    }  # fmt: skip
    named = {
        "first": first, "second": second, "full-size": full, "third-after-a-step": third,
    }  # fmt: skip
    return [
        *(Case(name, i, lambda i=i: segment(i), _read_segment, _wanted(i, segment(i)))  # type: ignore[misc]
          for name, i in named.items()),
        Case("head", top, lambda: head(top), _read_head, _wanted(top, None)),
        Case("head-after-a-step", raised, lambda: head(raised), _read_head, _wanted(raised, None)),
    ]  # fmt: skip


def _wanted(i: Fields, made: bytes | None) -> Fields:
    kept = {k: v for k, v in i.items() if k not in ("what", "record", "signer")}
    kept["record_hash"] = HASHES[i["record"]].hex()
    return kept if made is None else {**kept, "hash": sha256(made).hex()}


def _both(data: bytes) -> Fields:
    """The slots and receipts of a segment, as inputs."""
    read = _read_segment(data)
    return {"replies": read["replies"], "receipts": read["receipts"]}


def _signed_head(body: bytes, purpose: bytes = b"head") -> bytes:
    return body + sign(SIGNERS["board"], purpose, body)


def refused_segments() -> list[Refusal]:
    cases = {case.name: case for case in segments()}
    made = {name: case.make() for name, case in cases.items() if case.make}
    first, second, top = made["first"], made["second"], made["head"]
    usual = {"record": "small", "what": "segment"}
    wide = {**cases["first"].inputs, "receipts": cases["first"].inputs["receipts"] * 2}
    after = {"record": "raised", "what": "segment"}
    third = cases["third-after-a-step"].inputs

    def times(i: Fields, replies: int, receipts: int) -> bytes:
        return segment(
            {**i, "replies": i["replies"] * replies, "receipts": i["receipts"] * receipts}
        )

    def before(older: bytes, i: Fields = third) -> str:
        return segment({**i, "previous": sha256(older).hex()}).hex()

    grown, other = times(cases["first"].inputs, 4, 4), times(cases["second"].inputs, 4, 4)
    faults: list[tuple[str, str, bytes, str, Fields]] = [
        ("one-byte-short", "segment 3.1", first[:-1], "parse-segment", {}),
        ("shorter-than-a-header", "segment 3.1", first[:111], "parse-segment", {}),
        ("count-says-three-replies", "segment 3.1", put(first, 12, b"\0\3"), "parse-segment", {}),
        ("version-is-2", "segment 3.2", put(first, 0, b"\2"), "parse-segment", {}),
        ("reserved-byte-is-set", "segment 3.2", put(first, 1, b"\1"), "parse-segment", {}),
        ("head-one-byte-long", "segment 3.1", top + b"\0", "parse-head", {}),
        ("head-version-is-2", "segment 3.2", put(top, 0, b"\2"), "parse-head", {}),
        ("head-reserved-byte-is-set", "segment 3.2", put(top, 1, b"\1"), "parse-head", {}),
        ("signature-is-flipped", "segment 3.3", flipped(first, -1), "trust", usual),
        ("head-signature-is-flipped", "segment 3.3", flipped(top, -1), "trust",
         {**usual, "what": "head"}),
        ("head-signed-as-a-segment", "segment 3.3", _signed_head(top[:-64], b"segment"), "trust",
         {**usual, "what": "head"}),
        *((name, "segment 3.6", _signed_head(put(top[:-64], 80, named)), "trust",
           {**usual, "what": "head"}) for name, named in (
            ("head-of-another-record", drawn("another record", 32)),
            ("head-that-names-no-record", bytes(32)),
        )),
        ("counts-are-not-the-record-s", "segment 3.4", segment(wide), "trust", usual),
        ("counts-of-before-the-step-under-the-record-of-the-step", "segment 3.4",
         segment({**cases["first"].inputs, "record": "raised"}), "trust", after),
        ("counts-between-two-steps", "segment 3.4", times(cases["first"].inputs, 2, 2), "trust",
         after),
        ("only-receipts-took-the-step", "segment 3.4", times(cases["first"].inputs, 1, 4),
         "trust", after),
        ("no-reply-slot", "segment 3.4", times(cases["first"].inputs, 0, 4), "trust", after),
        ("more-than-today-s", "segment 3.4", times(third, 4, 4), "trust",
         {**after, "record": "small"}),
        ("larger-than-the-segment-after-it", "segment 3.4", grown, "trust",
         {**after, "next": before(grown, cases["second"].inputs)}),
        ("another-size-than-the-segment-after-it-under-one-record", "segment 3.4", first, "trust",
         {**after, "next": before(first, {**cases["second"].inputs, **_both(other)})}),
        ("head-names-another-segment", "segment 3.5", first, "trust",
         {**usual, "head": top.hex()}),
        ("next-segment-names-another", "segment 3.5", second, "trust",
         {**usual, "next": second.hex()}),
    ]  # fmt: skip
    return [
        Refusal(name, i, lambda d=d: d, rule=rule, stage=stage)  # type: ignore[misc]
        for name, rule, d, stage, i in faults
    ]
