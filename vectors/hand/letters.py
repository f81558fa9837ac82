"""Letters, receipts and the chain by hand. Spec: letter.md, receipt.md, chain.md, crypto 6."""

from __future__ import annotations

from .cases import Case, Fields, Refusal, flipped, put
from .crypto import derive, info, mac16, seal, sha256, unseal
from .keys import PUBLICS, SECRETS, SEEDS
from .records import RECORDS, entry_hash

WEEK = 125
_TEXTS = {
    "one-character": ("a", 1),
    "one-chinese-character": ("墙", 2),
    "three-hundred-chinese-characters": ("墙花静立无人知" * 42 + "墙花静立无人", 2),
    "exactly-the-limit": ("x" * 5850, 1),
    "exactly-the-limit-in-chinese": ("花" * 1950, 2),
    "persian-with-zero-width-joiner": ("می‌خواهم بنویسم.", 3),
    "russian": ("Это письмо никто не заметит.", 4),
}


def x_of(secret: bytes, week: int) -> bytes:
    """chain 1."""
    value = derive(secret, b"chain", 32)
    for _ in range(2048 - week):
        value = sha256(value)
    return value


def e_of(secret: bytes, week: int) -> bytes:
    return derive(secret, b"epoch" + week.to_bytes(2), 32)


def plain(i: Fields) -> bytes:
    """letter 1.2; a filler is all zero (letter 4)."""
    if i["kind"] == 0:
        return bytes(5940)
    secret, week, text = SECRETS[i["secret"]], int(i["week"]), i["text"].encode()
    return b"".join([
        bytes([i["kind"], i["language"]]), len(text).to_bytes(2),
        derive(secret, b"conversation", 16), e_of(secret, week), x_of(secret, week),
        bytes([i["part"], i["of"]]), week.to_bytes(2), bytes([i["mark"], 0]),
        text.ljust(5850, b"\0"),
    ])  # fmt: skip


def seal_plain(record: str, data: bytes) -> bytes:
    desk = RECORDS[record]["desks"][0]
    return seal(PUBLICS[desk["key"]], info(b"desk", entry_hash(desk)), data)


def open_plain(record: str, data: bytes) -> bytes:
    desk = RECORDS[record]["desks"][0]
    if len(data) != 7076:
        raise ValueError
    return unseal(SEEDS[desk["key"]], info(b"desk", entry_hash(desk)), data)


def fields_of(p: bytes) -> Fields:
    if p[0] == 0:
        return {"kind": 0, "plain": p.hex()}
    size = int.from_bytes(p[2:4])
    return {
        "kind": p[0], "language": p[1], "conversation": p[4:20].hex(), "e": p[20:52].hex(),
        "x": p[52:84].hex(), "part": p[84], "of": p[85], "week": int.from_bytes(p[86:88]),
        "mark": p[88], "text": p[90 : 90 + size].decode(), "plain": p.hex(),
    }  # fmt: skip


def _case(name: str, i: Fields, note: str = "") -> Case:
    return Case(
        name, i, lambda: seal_plain(i["record"], plain(i)),
        lambda data: fields_of(open_plain(i["record"], data)), fields_of(plain(i)),
        kem=True, note=note,
    )  # fmt: skip


def _letter(text: str, language: int, **more: int | str) -> Fields:
    return {
        "record": "today", "secret": "writer", "kind": 1, "language": language, "week": WEEK,
        "mark": 17, "part": 1, "of": 1, "text": text, **more,
    }  # fmt: skip


def good() -> list[Case]:
    cases = [_case(name, _letter(*what)) for name, what in _TEXTS.items()]
    cases.append(_case("second-part-of-three", _letter("…", 1, part=2, of=3, mark=63)))
    cases.append(_case("loop", _letter("loop", 0, kind=2, mark=0)))
    cases.append(_case("filler", {"record": "today", "kind": 0}, "letter 4"))
    cases.append(_case("filler-for-the-small-record", {"record": "small", "kind": 0}))
    return cases


def _refused_plain(name: str, rule: str, data: bytes) -> Refusal:
    return Refusal(
        name, {"record": "today", "key": "desk"}, lambda: seal_plain("today", data),
        lambda sealed: {"plain": open_plain("today", sealed).hex()}, {"plain": data.hex()},
        kem=True, rule=rule, stage="open",
    )  # fmt: skip


def refused(filler: bytes) -> list[Refusal]:
    """`filler` is a good sealed filler, to be damaged."""
    base = plain(_letter("ab", 1))
    inner = {
        "kind-is-3": ("letter 3.3", put(base, 0, b"\3")),
        "text-of-no-length": ("letter 3.4", put(base, 2, b"\0\0")),
        "length-over-the-limit": ("letter 3.4", put(base, 2, (5851).to_bytes(2))),
        "byte-after-the-text": ("letter 3.4", put(base, 5939, b"\1")),
        "length-shorter-than-the-text": ("letter 3.4", put(base, 2, b"\0\1")),
        "filler-with-a-byte": ("letter 3.4", put(bytes(5940), 5939, b"\1")),
        "filler-with-a-conversation": ("letter 3.4", put(bytes(5940), 4, b"\1")),
        "text-is-not-utf8": ("letter 3.5", put(base, 90, b"\xff")),
        "text-ends-within-a-character": ("letter 3.5", put(base, 90, "墙".encode()[:2])),
        "week-before-its-key": ("letter 3.6", put(base, 86, (124).to_bytes(2))),
        "week-after-its-key": ("letter 3.6", put(base, 86, (126).to_bytes(2))),
        "mark-is-64": ("letter 3.7", put(base, 88, b"\x40")),
        "reserved-byte-is-set": ("letter 3.7", put(base, 89, b"\1")),
        "part-0": ("letter 3.7", put(base, 84, b"\0\1")),
        "part-2-of-1": ("letter 3.7", put(base, 84, b"\2\1")),
    }
    usual = {"record": "today", "key": "desk"}
    outer = {
        "one-byte-short": ("letter 3.1", filler[:-1], usual),
        "one-byte-long": ("letter 3.1", filler + b"\0", usual),
        "empty": ("letter 3.1", b"", usual),
        "flipped-in-the-ml-kem-part": ("letter 3.2", flipped(filler, 500), usual),
        "flipped-in-the-x25519-part": ("letter 3.2", flipped(filler, 1100), usual),
        "flipped-in-the-ciphertext": ("letter 3.2", flipped(filler, 4000), usual),
        "flipped-in-the-tag": ("letter 3.2", flipped(filler, -1), usual),
        "another-desk-key": ("letter 3.2", filler, {**usual, "key": "stranger"}),
        "bound-to-another-entry": ("letter 3.2", filler, {**usual, "record": "local"}),
    }
    write = {"nothing-written": "", "one-byte-over": "x" * 5851, "one-character-over": "花" * 1951}
    return [
        *(_refused_plain(name, rule, data) for name, (rule, data) in inner.items()),
        *(Refusal(name, i, lambda data=data: data, rule=rule, stage="open")  # type: ignore[misc]
          for name, (rule, data, i) in outer.items()),
        *(Refusal(name, {"text": text}, rule="letter 3.8", stage="write")
          for name, text in write.items()),
    ]  # fmt: skip


def receipts() -> list[Case]:
    def one(secret: str, week: int, mark: int) -> Case:
        value = mac16(e_of(SECRETS[secret], week), b"receipt" + bytes([mark]))
        i = {"secret": secret, "week": week, "mark": mark}
        return Case(f"{secret}-week-{week}-mark-{mark}", i, lambda: value,
                    lambda data: {"receipt": data.hex()}, {"receipt": value.hex()})  # fmt: skip

    places = (("writer", 125, 17), ("writer", 125, 0), ("writer", 124, 17), ("other", 125, 63))
    return [one(*place) for place in places]


def refused_receipts() -> list[Refusal]:
    return [Refusal("half-a-receipt-over", {}, lambda: bytes(24), rule="receipt 4", stage="parse")]


def chain() -> list[Case]:
    def value(secret: str, week: int) -> Case:
        x = x_of(SECRETS[secret], week)
        return Case(f"{secret}-week-{week}", {"secret": secret, "week": week}, lambda: x,
                    lambda data: {"x": data.hex()}, {"x": x.hex()})  # fmt: skip

    places = [("writer", week) for week in (0, 124, 125, 126, 2047)]
    return [*(value(*place) for place in (*places, ("other", 125))), *_judgements()]


def link(secret: str, week: int) -> Fields:
    raw = SECRETS[secret]
    return {"week": week, "e": e_of(raw, week).hex(), "x": x_of(raw, week).hex()}


def _judgements() -> list[Case]:
    now, soon, later = (link("writer", week) for week in (125, 126, 128))
    forged = {**soon, "x": now["x"]}
    cases = {
        "new-conversation": (None, now, "first"),
        "next-week": (now, soon, "confirmed"),
        "three-weeks-on": (now, later, "confirmed"),
        "same-week-same-keys": (now, now, "confirmed"),
        "same-week-another-e": (now, {**now, "e": "11" * 32}, "unconfirmed"),
        "same-week-another-x": (now, {**now, "x": "11" * 32}, "unconfirmed"),
        "older-week": (soon, now, "unconfirmed"),
        "thief-repeats-this-week-s-x": (now, forged, "unconfirmed"),
        "somebody-else": (now, link("other", 126), "unconfirmed"),
    }
    return [
        Case(name, {"kept": kept, "seen": seen}, wanted={"continuity": result})
        for name, (kept, seen, result) in cases.items()
    ]


def refused_chain() -> list[Refusal]:
    beyond = {"week": 2048, "e": "11" * 32, "x": "22" * 32}
    return [
        Refusal("value-of-week-2048", {"secret": "writer", "week": 2048},
                rule="chain 3", stage="value"),
        Refusal("letter-of-week-2048", {"kept": None, "seen": beyond},
                rule="chain 3", stage="judge"),
    ]  # fmt: skip
