"""Cell, hello, hum and parcel by hand. Spec: cell.md, hello.md, hum.md, parcel.md."""

from __future__ import annotations

from .cases import Case, Fields, Refusal, flipped, put
from .crypto import aead, info, seal, sha256, unaead, unseal
from .keys import PUBLICS, SEEDS, drawn
from .records import HASHES, RECORDS
from .tokens import stamp as stamp_of

_PARCEL = b"wallflower/1 parcel"
KEYS = {"key_a": drawn("key a", 32), "key_b": drawn("key b", 32), "token": drawn("token", 16)}
STAMP = drawn("stamp", 8)
START = drawn("start", 4)


def b_record(
    kind: int, token: bytes, stamp_class: int, stamp: bytes, report: int = 0, language: int = 0
) -> bytes:
    """hello 1.7."""
    return bytes([kind, report, language, stamp_class]) + token + stamp + bytes(8)


def open_b_record(inside: bytes) -> Fields:
    """hum key B and B's record, whose unused bytes are zero."""
    if inside[60:] != bytes(8):
        raise ValueError
    return {
        "key_b": inside[:32].hex(), "kind": inside[32], "stamp_class": inside[35],
        "token": inside[36:52].hex(), "stamp": inside[52:60].hex(),
        "report": inside[33], "language": inside[34],
    }  # fmt: skip


def seal_a(record: str, key_a: bytes) -> bytes:
    return seal(PUBLICS[RECORDS[record]["hop_a"]], info(b"hop-a", HASHES[record]), key_a)


def seal_b(record: str, key_b: bytes, inside: bytes) -> bytes:
    public = PUBLICS[RECORDS[record]["hop_b"]]
    return seal(public, info(b"hop-b", HASHES[record]), key_b + inside)


def hello(number: int, counter: int, key_a: bytes, for_a: bytes, for_b: bytes) -> bytes:
    header = bytes([1, counter]) + number.to_bytes(2) + bytes(8)
    return header + for_a + aead(key_a, counter, header, for_b)


def body_cell(number: int, counter: int, key_a: bytes, name: bytes, piece: bytes) -> bytes:
    header = bytes([1, counter]) + number.to_bytes(2) + name
    return header + aead(key_a, counter, header, piece)


def hum(i: Fields) -> bytes:
    """hum 1.1-1.4: the twelve cells end to end."""
    key_a, key_b, token, letter = (
        bytes.fromhex(i[key]) for key in ("key_a", "key_b", "token", "letter")
    )
    number = RECORDS[i["record"]]["number"]
    for_a = seal_a(i["record"], key_a)
    stamp = stamp_of(i["record"], letter, bytes.fromhex(i["start"]))
    for_b = seal_b(i["record"], key_b, b_record(i["kind"], token, *stamp))
    name = sha256(for_a)[:16]
    whole = aead(key_b, 0, _PARCEL, letter)
    cells = []
    for counter in range(12):
        place = counter % 4
        if place == 0:
            cells.append(hello(number, counter, key_a, for_a, for_b))
        else:
            piece = whole[(place - 1) * 2364 : place * 2364]
            cells.append(body_cell(number, counter, key_a, name, piece))
    return b"".join(cells)


def open_hello(record: str, data: bytes) -> Fields:
    """Every field of a hello (hello 1)."""
    number = RECORDS[record]["number"]
    if len(data) != 2400 or data[:1] != b"\1" or data[2:12] != number.to_bytes(2) + bytes(8):
        raise ValueError
    for_a, inner = data[12:1180], data[1180:]
    key_a = unseal(SEEDS[RECORDS[record]["hop_a"]], info(b"hop-a", HASHES[record]), for_a)
    for_b = unaead(key_a, data[1], data[:12], inner)
    inside = unseal(SEEDS[RECORDS[record]["hop_b"]], info(b"hop-b", HASHES[record]), for_b)
    return {
        **open_b_record(inside), "counter": data[1], "record": number, "key_a": key_a.hex(),
        "hum_id": sha256(for_a)[:16].hex(), "seal_a": for_a.hex(), "inner": inner.hex(),
        "seal_b": for_b.hex(),
    }  # fmt: skip


def open_hum(record: str, data: bytes) -> Fields:
    """All twelve cells open, and all copies of a position hold the same."""
    if len(data) != 12 * 2400:
        raise ValueError
    cells = [data[n * 2400 : (n + 1) * 2400] for n in range(12)]
    found = open_hello(record, cells[0])
    key_a = bytes.fromhex(found["key_a"])
    inside = []
    for counter, cell in enumerate(cells):
        if counter % 4 == 0:
            again = open_hello(record, cell)
            if again["seal_a"] != found["seal_a"] or again["counter"] != counter:
                raise ValueError
            inside.append(bytes.fromhex(again["seal_b"]))
        else:
            head = bytes([1, counter]) + RECORDS[record]["number"].to_bytes(2)
            if cell[:20] != head + bytes.fromhex(found["hum_id"]):
                raise ValueError
            inside.append(unaead(key_a, counter, cell[:20], cell[20:]))
    if not inside[:4] == inside[4:8] == inside[8:]:
        raise ValueError
    parcel = b"".join(inside[:4])
    kept = {key: found[key] for key in ("key_a", "hum_id")}
    opened = open_parcel(record, parcel)
    names = ("key_b", "kind", "token", "stamp_class", "stamp", "report", "language", "letter")
    return {**kept, **{k: opened[k] for k in names},
            "parcel": parcel.hex()}  # fmt: skip


def open_parcel(record: str, data: bytes) -> Fields:
    if len(data) != 8296:
        raise ValueError
    for_b, body = data[:1204], data[1204:]
    inside = unseal(SEEDS[RECORDS[record]["hop_b"]], info(b"hop-b", HASHES[record]), for_b)
    letter = unaead(inside[:32], 0, _PARCEL, body)
    return {
        **open_b_record(inside), "letter": letter.hex(), "seal_b": for_b.hex(), "body": body.hex(),
    }  # fmt: skip


def cells() -> list[Case]:
    out = []
    for counter in (1, 2, 7, 11):
        i: Fields = {
            "key_a": KEYS["key_a"].hex(), "counter": counter, "record": 7,
            "hum_id": drawn("hum id", 16).hex(), "piece": drawn(f"piece {counter % 4}", 2364).hex(),
        }  # fmt: skip
        name, piece = bytes.fromhex(i["hum_id"]), bytes.fromhex(i["piece"])
        made = body_cell(7, counter, KEYS["key_a"], name, piece)
        fields = {"counter": counter, "position": counter % 4, "record": 7,
                  "header": made[:20].hex(), "sealed": made[20:].hex(), "hum_id": i["hum_id"],
                  "piece": i["piece"]}  # fmt: skip
        out.append(Case(f"body-cell-{counter}", i, lambda made=made: made, _read_cell, fields))  # type: ignore[misc]
    return out


def _read_cell(data: bytes) -> Fields:
    piece = unaead(KEYS["key_a"], data[1], data[:20], data[20:])
    return {
        "counter": data[1], "position": data[1] % 4, "record": int.from_bytes(data[2:4]),
        "header": data[:20].hex(), "sealed": data[20:].hex(), "hum_id": data[4:20].hex(),
        "piece": piece.hex(),
    }  # fmt: skip


def hellos() -> list[Case]:
    def one(counter: int, kind: int, report: int = 0, language: int = 0) -> Case:
        keys = {name: value.hex() for name, value in KEYS.items()}
        keys |= {"stamp_class": kind, "stamp": STAMP.hex()}
        inside = {"kind": kind, "report": report, "language": language}
        i: Fields = {"record": "today", "counter": counter, **inside, **keys}

        def make() -> bytes:
            within = b_record(kind, KEYS["token"], kind, STAMP, report, language)
            for_b = seal_b("today", KEYS["key_b"], within)
            return hello(7, counter, KEYS["key_a"], seal_a("today", KEYS["key_a"]), for_b)

        wanted = {"counter": counter, "record": 7, **inside, **keys}
        reports = "-that-reports" if report else ""
        return Case(f"hello-{counter}-kind-{kind}{reports}", i, make,
                    lambda data: open_hello("today", data), wanted, kem=True)  # fmt: skip

    return [one(0, 0), one(0, 0, 3, 2), one(4, 1), one(8, 2)]


def hums(letters: dict[str, str]) -> list[Case]:
    """`letters`: name -> hex of sealed letters."""

    def one(name: str, record: str, kind: int, letter: str) -> Case:
        keys = {key: value.hex() for key, value in KEYS.items()}
        i: Fields = {"record": record, "kind": kind, "letter": letters[letter], **keys,
                     "start": START.hex()}  # fmt: skip
        stamp_class, stamp = stamp_of(record, bytes.fromhex(letters[letter]), START)
        wanted = {**keys, "kind": kind, "letter": letters[letter], "stamp_class": stamp_class,
                  "stamp": stamp.hex(), "report": 0, "language": 0}  # fmt: skip
        return Case(name, i, lambda: hum(i), lambda data: open_hum(record, data), wanted, kem=True)

    return [
        one("letter", "today", 1, "three-hundred-chinese-characters"),
        one("cover", "today", 0, "filler"),
        one("loop-of-tomorrow", "tomorrow", 2, "loop"),
    ]


def parcels(letters: dict[str, str]) -> list[Case]:
    def one(name: str, kind: int, letter: str) -> Case:
        keys = {key: KEYS[key].hex() for key in ("key_b", "token")}
        keys |= {"stamp_class": 2, "stamp": STAMP.hex(), "report": 0, "language": 0}
        i: Fields = {"record": "today", "kind": kind, "letter": letters[letter], **keys}

        def make() -> bytes:
            for_b = seal_b("today", KEYS["key_b"], b_record(kind, KEYS["token"], 2, STAMP))
            return for_b + aead(KEYS["key_b"], 0, _PARCEL, bytes.fromhex(letters[letter]))

        wanted = {**keys, "kind": kind, "letter": letters[letter]}
        return Case(name, i, make, lambda data: open_parcel("today", data), wanted, kem=True)

    return [one("letter", 1, "exactly-the-limit-in-chinese"), one("cover", 0, "filler")]


def refused_cells() -> list[Refusal]:
    data = body_cell(7, 1, KEYS["key_a"], drawn("hum id", 16), drawn("piece 1", 2364))
    key = {"key_a": KEYS["key_a"].hex()}
    header = bytes([1, 0, 0, 7]) + bytes(8)
    faults = [
        ("one-byte-short", "cell 2.1", data[:-1], "parse"),
        ("one-byte-long", "cell 2.1", data + b"\0", "parse"),
        ("empty", "cell 2.1", b"", "parse"),
        ("version-0", "cell 2.2", put(data, 0, b"\0"), "parse"),
        ("version-2", "cell 2.2", put(data, 0, b"\2"), "parse"),
        ("counter-12", "cell 2.3", put(data, 1, b"\x0c"), "parse"),
        ("counter-255", "cell 2.3", put(data, 1, b"\xff"), "parse"),
        ("hello-with-a-reserved-byte", "cell 2.4",
         header[:11] + b"\1" + drawn("hello", 2388), "parse"),
        ("flipped-in-the-counter", "cell 2.5", put(data, 1, b"\2"), "open"),
        ("flipped-in-the-record", "cell 2.5", flipped(data, 3), "open"),
        ("flipped-in-the-hum-id", "cell 2.5", flipped(data, 10), "open"),
        ("flipped-in-the-piece", "cell 2.5", flipped(data, 1000), "open"),
        ("flipped-in-the-tag", "cell 2.5", flipped(data, -1), "open"),
    ]  # fmt: skip
    return [
        Refusal(name, key if stage == "open" else {}, lambda d=d: d, rule=rule, stage=stage)  # type: ignore[misc]
        for name, rule, d, stage in faults
    ]


def refused_hellos(good: bytes) -> list[Refusal]:
    """`good` is a good hello with counter 0, to be damaged."""
    faults = [
        ("flipped-in-the-ml-kem-part", "hello 2.1", flipped(good, 600), "open-a", "today"),
        ("flipped-in-the-x25519-part", "hello 2.1", flipped(good, 1110), "open-a", "today"),
        ("flipped-in-the-tag-of-seal-a", "hello 2.1", flipped(good, 1179), "open-a", "today"),
        ("another-record-at-a", "hello 2.1", good, "open-a", "tomorrow"),
        ("flipped-in-inner", "hello 2.2", flipped(good, 1300), "open-inner", "today"),
        ("flipped-in-the-tag-of-inner", "hello 2.2", flipped(good, -1), "open-inner", "today"),
        ("counter-of-another-copy", "hello 2.2", put(good, 1, b"\4"), "open-inner", "today"),
        ("record-number-changed", "hello 2.2", flipped(good, 3), "open-inner", "today"),
    ]  # fmt: skip
    key = {"key_a": KEYS["key_a"].hex()}
    outer = [
        Refusal(name, key if stage == "open-inner" else {"record": record}, lambda d=d: d,  # type: ignore[misc]
                rule=rule, stage=stage)
        for name, rule, d, stage, record in faults
    ]  # fmt: skip
    return [*outer, *_refused_b_records(), *_refused_seal_b()]


def _at_b(name: str, rule: str, record: str, inside: bytes) -> Refusal:
    """A hello whose seal A and inner are good and whose seal B is not."""

    def make() -> bytes:
        for_b = seal_b(record, KEYS["key_b"], inside)
        return hello(7, 0, KEYS["key_a"], seal_a("today", KEYS["key_a"]), for_b)

    def read(data: bytes) -> Fields:
        key_a = unseal(SEEDS["hop_a"], info(b"hop-a", HASHES["today"]), data[12:1180])
        for_b = unaead(key_a, 0, data[:12], data[1180:])
        return {"plain": unseal(SEEDS["hop_b"], info(b"hop-b", HASHES[record]), for_b).hex()}

    wanted = {"plain": (KEYS["key_b"] + inside).hex()}
    return Refusal(name, {"record": "today"}, make, read, wanted, kem=True, rule=rule,
                   stage="open-b")  # fmt: skip


def _refused_b_records() -> list[Refusal]:
    base = b_record(1, KEYS["token"], 1, STAMP)
    return [
        _at_b("kind-is-3", "hello 2.4", "today", put(base, 0, b"\3")),
        _at_b("stamp-class-is-3", "hello 2.4", "today", put(base, 3, b"\3")),
        _at_b("reserved-byte-of-the-b-record", "hello 2.4", "today", put(base, 35, b"\1")),
    ]


def _refused_seal_b() -> list[Refusal]:
    base = b_record(1, KEYS["token"], 1, STAMP)
    return [_at_b("another-record-at-b", "hello 2.3", "tomorrow", base)]


def refused_parcels(good: bytes) -> list[Refusal]:
    record = {"record": "today"}
    faults = [
        ("one-byte-short", "parcel 3.1", good[:-1], "parse", {}),
        ("one-byte-long", "parcel 3.1", good + b"\0", "parse", {}),
        ("flipped-in-seal-b", "hello 2.3", flipped(good, 700), "open-seal", record),
        ("another-record", "hello 2.3", good, "open-seal", {"record": "tomorrow"}),
        ("flipped-in-the-body", "parcel 3.3", flipped(good, 5000), "open-body", record),
        ("flipped-in-the-tag", "parcel 3.3", flipped(good, -1), "open-body", record),
    ]
    return [
        Refusal(name, i, lambda d=d: d, rule=rule, stage=stage)  # type: ignore[misc]
        for name, rule, d, stage, i in faults
    ]


def refused_hums(good: bytes) -> list[Refusal]:
    cells_of = [good[n * 2400 : (n + 1) * 2400] for n in range(12)]

    def without(place: int) -> bytes:
        return b"".join(c for n, c in enumerate(cells_of) if n % 4 != place)

    record = {"record": "today"}
    return [
        Refusal(f"position-{place}-is-missing", record, lambda place=place: without(place),  # type: ignore[misc]
                rule="hum 3.3", stage="gather")
        for place in range(4)
    ]  # fmt: skip
