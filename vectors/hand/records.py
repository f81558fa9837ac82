"""Epoch records by hand. Spec: record.md. No KEM inside: every byte is fixed."""

from __future__ import annotations

from typing import Any

from .cases import Case, Fields, Refusal, flipped, put
from .crypto import sha256, sign, verify
from .keys import PUBLICS, SIGNERS, VERIFY

DAY = 20600  # Wednesday 2026-05-27, in week 125
_FULL = {
    "mean_a": 21600, "mean_b": 64800, "tick": 600, "slots": 32, "floor": 20, "replies": 13,
    "receipts": 100, "period": 14400, "segments": 84, "pace_days": 1, "pace_hums": 1,
    "anchor_ms": 0,
}  # fmt: skip
_SMALL = {**_FULL, "slots": 3, "replies": 2, "receipts": 3}
_LOCAL = {**_SMALL, "pace_days": 1440, "pace_hums": 12, "anchor_ms": 1779840000123}
_WIDTHS = {
    "mean_a": 4, "mean_b": 4, "tick": 2, "slots": 2, "floor": 2, "replies": 2, "receipts": 2,
    "period": 4, "segments": 2, "pace_days": 4, "pace_hums": 2, "anchor_ms": 8,
}  # fmt: skip
_DESKS = [
    {"name": "desk", "week": 125, "key": "desk"},
    {"name": "desk", "week": 124, "key": "desk_before"},
]
_WAYS = [
    {"kind": 1, "cells": 12, "url": "https://a.example/hum"},
    {"kind": 1, "cells": 3, "url": "https://b.example:8443/hum"},
    {"kind": 2, "cells": 1, "url": "https://c.example/board/"},
]


def week_of(day: int) -> int:
    return (day - 19723) // 7


def _inputs(number: int, day: int, ancestors: list[str], **more: Any) -> Fields:
    return {
        "number": number, "day": day, "not_before": day * 86400, "ancestors": ancestors,
        "hop_a": "hop_a", "hop_b": "hop_b", "drop": "drop", "drop_verify": "drop",
        "board_verify": "board", "root": "root", "parameters": _FULL, "desks": _DESKS,
        "ways": _WAYS, "signers": ["organisation", "a", "b"], **more,
    }  # fmt: skip


def root_hash(name: str) -> bytes:
    return sha256(VERIFY[name])


def desk_bytes(desk: Fields) -> bytes:
    name: bytes = desk["name"].encode().ljust(32, b"\0")
    return name + int(desk["week"]).to_bytes(2) + PUBLICS[desk["key"]]


def way_bytes(way: Fields) -> bytes:
    url: bytes = way["url"].encode("ascii")
    return bytes([way["kind"], way["cells"], len(url)]) + url


def body(i: Fields) -> bytes:
    """The bytes that are signed, in the order of the table."""
    ancestors = b"".join(bytes.fromhex(a) for a in i["ancestors"])
    day = int(i["day"])
    return b"".join([
        bytes([1, 0]), int(i["number"]).to_bytes(2), day.to_bytes(4), week_of(day).to_bytes(2),
        int(i["not_before"]).to_bytes(8), (day * 86400 + 172800).to_bytes(8),
        root_hash(i["root"]), ancestors.ljust(512, b"\0"),
        PUBLICS[i["hop_a"]], PUBLICS[i["hop_b"]], PUBLICS[i["drop"]],
        VERIFY[i["drop_verify"]], VERIFY[i["board_verify"]],
        *(int(i["parameters"][name]).to_bytes(width) for name, width in _WIDTHS.items()),
        bytes([len(i["desks"])]), *(desk_bytes(d) for d in i["desks"]),
        bytes([len(i["ways"])]), *(way_bytes(w) for w in i["ways"]),
    ])  # fmt: skip


def signed(data: bytes, signers: list[str]) -> bytes:
    return data + b"".join(sign(SIGNERS[name], b"record", data) for name in signers)


def entry_hash(desk: Fields, root: str = "root") -> bytes:
    """record 3.2."""
    return sha256(b"wallflower/1 desk\x00" + root_hash(root) + desk_bytes(desk))


YESTERDAY = _inputs(6, DAY - 1, [])
TODAY = _inputs(7, DAY, [sha256(body(YESTERDAY)).hex()])
TOMORROW = _inputs(
    8, DAY + 1, [sha256(body(TODAY)).hex(), *TODAY["ancestors"]], not_before=(DAY + 1) * 86400 + 60
)
SMALL = _inputs(9, DAY, [], parameters=_SMALL, ways=_WAYS[:1])
RAISED = _inputs(
    10,
    DAY + 1,
    [sha256(body(SMALL)).hex()],
    ways=_WAYS[:1],
    parameters={**_SMALL, "replies": 4 * _SMALL["replies"], "receipts": 4 * _SMALL["receipts"]},
)
LOCAL = _inputs(
    10, DAY, [], parameters=_LOCAL, desks=[{**_DESKS[0], "name": "华尔花编辑部"}],
    ways=[{"kind": 1, "cells": 12, "url": "http://127.0.0.1:8080/hum"}],
)  # fmt: skip
RECORDS = {
    "yesterday": YESTERDAY, "today": TODAY, "tomorrow": TOMORROW, "small": SMALL, "local": LOCAL,
    "raised": RAISED,
}  # fmt: skip
HASHES = {name: sha256(body(inputs)) for name, inputs in RECORDS.items()}


def _wanted(i: Fields) -> Fields:
    day = int(i["day"])
    return {
        **{key: value for key, value in i.items() if key != "signers"},
        "ancestors": (i["ancestors"] + ["00" * 32] * 16)[:16],
        "root": root_hash(i["root"]).hex(),
        "hop_a": PUBLICS[i["hop_a"]].hex(), "hop_b": PUBLICS[i["hop_b"]].hex(),
        "drop": PUBLICS[i["drop"]].hex(), "drop_verify": VERIFY[i["drop_verify"]].hex(),
        "board_verify": VERIFY[i["board_verify"]].hex(),
        "desks": [{**d, "key": PUBLICS[d["key"]].hex()} for d in i["desks"]],
        "week": week_of(day), "not_after": day * 86400 + 172800,
        "hash": sha256(body(i)).hex(),
        "desk_hashes": [entry_hash(d, i["root"]).hex() for d in i["desks"]],
    }  # fmt: skip


class _Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def hex(self, size: int) -> str:
        return self.take(size).hex()

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size))


def read(data: bytes) -> Fields:
    """Every field at the offset that the table gives; the three signatures are verified."""
    inner = data[:-192]
    for n, name in enumerate(("organisation", "a", "b")):
        at = len(inner) + 64 * n
        verify(VERIFY[name], b"record", inner, data[at : at + 64])
    b = _Bytes(inner)
    if b.take(2) != b"\x01\x00":
        raise ValueError
    found: Fields = {"number": b.number(2), "day": b.number(4), "week": b.number(2)}
    found |= {"not_before": b.number(8), "not_after": b.number(8), "root": b.hex(32)}
    found["ancestors"] = [b.hex(32) for _ in range(16)]
    found |= {name: b.hex(1216) for name in ("hop_a", "hop_b", "drop")}
    found |= {name: b.hex(32) for name in ("drop_verify", "board_verify")}
    found["parameters"] = {name: b.number(width) for name, width in _WIDTHS.items()}
    desks, hashes = [], []
    for _ in range(b.number(1)):
        raw = b.take(32 + 2 + 1216)
        name = raw[:32].rstrip(b"\0").decode()
        desks.append({"name": name, "week": int.from_bytes(raw[32:34]), "key": raw[34:].hex()})
        root = bytes.fromhex(found["root"])
        hashes.append(sha256(b"wallflower/1 desk\x00" + root + raw).hex())
    found |= {"desks": desks, "desk_hashes": hashes, "hash": sha256(inner).hex()}
    found["ways"] = []
    for _ in range(b.number(1)):
        kind, cells = b.number(1), b.number(1)
        found["ways"].append({"kind": kind, "cells": cells, "url": b.take(b.number(1)).decode()})
    if b.at != len(inner):
        raise ValueError
    return found


def good() -> list[Case]:
    return [
        Case(name, i, lambda i=i: signed(body(i), i["signers"]), read, _wanted(i))  # type: ignore[misc]
        for name, i in RECORDS.items()
    ]


# Offsets in the body, added up from the table.
_AT = {
    "version": 0, "week": 8, "not_before": 10, "not_after": 18, "hop_a": 570, "hop_b": 1786,
    "drop": 3002, "name": 4321, "key_week": 4353, "desk": 4355,
}  # fmt: skip
_WAY_AT = _AT["name"] + 2 * 1250


def _parse_faults() -> list[tuple[str, str, bytes, str]]:
    good_body = body(TODAY)
    swap = {"version": b"\2", "reserved": b"\1", "week": (124).to_bytes(2)}
    faults = [
        ("version-is-2", "record 2.2", put(good_body, _AT["version"], swap["version"]), ""),
        ("reserved-byte-is-set", "record 2.2", put(good_body, 1, swap["reserved"]), ""),
        ("week-of-another-day", "record 2.3", put(good_body, _AT["week"], swap["week"]), ""),
        ("begins-the-day-before", "record 2.4",
         put(good_body, _AT["not_before"], (DAY * 86400 - 1).to_bytes(8)), ""),
        ("begins-the-day-after", "record 2.4",
         put(good_body, _AT["not_before"], (DAY * 86400 + 86400).to_bytes(8)), ""),
        ("ends-a-second-late", "record 2.4",
         put(good_body, _AT["not_after"], (DAY * 86400 + 172801).to_bytes(8)), ""),
        ("desk-name-is-not-utf8", "record 2.5", put(good_body, _AT["name"], b"\xff"), ""),
        ("desk-name-has-a-hole", "record 2.5", put(good_body, _AT["name"] + 1, b"\0"), ""),
        ("desk-key-of-next-week", "record 2.5",
         put(good_body, _AT["key_week"], (126).to_bytes(2)), ""),
        ("desk-key-two-weeks-old", "record 2.5",
         put(good_body, _AT["key_week"], (123).to_bytes(2)), ""),
        ("way-of-unknown-kind", "record 2.6", put(good_body, _WAY_AT + 1, b"\3"), ""),
        ("way-is-ftp", "record 2.6", put(good_body, _WAY_AT + 4, b"ftp:/"), ""),
        ("way-has-a-space", "record 2.6", put(good_body, _WAY_AT + 15, b" "), ""),
        ("one-byte-too-many", "record 2.1", good_body + b"\0", "between the body and the first "
         "signature"),
    ]  # fmt: skip
    return faults


def _small_order() -> list[tuple[str, str, bytes, str]]:
    """Keys whose X25519 part is of small order (crypto 1)."""
    order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"
    points = {
        "drop": ("drop-key-of-order-2", bytes(32), ""),
        "desk": ("desk-key-of-order-4", b"\1" + bytes(31), ""),
        "hop_a": ("key-of-a-of-order-8", bytes.fromhex(order_8), ""),
        "hop_b": ("key-of-b-of-order-2-written-otherwise", b"\xed" + bytes([255] * 31),
                  "the prime itself, with the highest bit, which says nothing"),
    }  # fmt: skip
    return [
        (name, "record 2.1", put(body(TODAY), _AT[key] + 1184, point), note)
        for key, (name, point, note) in points.items()
    ]


def _made_faults() -> list[tuple[str, str, bytes, str]]:
    def having(**change: Any) -> bytes:
        return body({**TODAY, **change})

    long_url = {"kind": 1, "cells": 12, "url": "https://a.example/" + "a" * 183}
    return [
        ("no-desk", "record 2.5", having(desks=[]), ""),
        ("nine-desks", "record 2.5", having(desks=_DESKS[:1] * 9), ""),
        ("no-way", "record 2.6", having(ways=[]), ""),
        ("seventeen-ways", "record 2.6", having(ways=_WAYS[:1] * 17), ""),
        ("no-ingress-among-the-ways", "record 2.6", having(ways=_WAYS[2:]), ""),
        ("url-of-201-bytes", "record 2.6", having(ways=[long_url]), ""),
        ("body-ends-in-the-last-way", "record 2.1", body(TODAY)[:-1], ""),
    ]


def _bounds() -> list[tuple[str, str, bytes, str]]:
    limits = {
        "tick": (0, 3601), "slots": (0, 4097), "replies": (0, 4097), "receipts": (0, 4097),
        "period": (59, 86401), "segments": (0, 513), "pace_days": (0, 100_001),
        "pace_hums": (0, 61), "mean_a": (599,), "mean_b": (599,),
    }  # fmt: skip
    return [
        (f"{name.replace('_', '-')}-is-{value}", "record 2.7",
         body({**TODAY, "parameters": {**_FULL, name: value}}), "")
        for name, values in limits.items() for value in values
    ]  # fmt: skip


def _trust_faults() -> list[Refusal]:
    whole = signed(body(TODAY), TODAY["signers"])
    now, pinned = DAY * 86400 + 3600, root_hash("root").hex()
    usual = {"root": pinned, "now": now, "previous": "yesterday"}

    def fault(name: str, rule: str, data: bytes, **change: Any) -> Refusal:
        return Refusal(name, {**usual, **change}, lambda: data, rule=rule, stage="trust")

    swapped = signed(body(TODAY), ["organisation", "b", "a"])
    strange = signed(body({**TODAY, "root": "stranger"}), TODAY["signers"])
    forked = signed(body({**TODAY, "ancestors": ["11" * 32]}), TODAY["signers"])
    same = signed(body({**TODAY, "number": 6}), TODAY["signers"])
    return [
        fault("organisation-did-not-sign", "record 2.8", flipped(whole, -192)),
        fault("a-did-not-sign", "record 2.8", flipped(whole, -128)),
        fault("b-did-not-sign", "record 2.8", flipped(whole, -64)),
        fault("a-and-b-signed-in-each-others-place", "record 2.8", swapped),
        fault("body-changed-after-signing", "record 2.8", flipped(whole, 3)),
        fault("another-organisation", "record 2.9", strange),
        fault("not-yet-in-force", "record 2.10", whole, now=DAY * 86400 - 1),
        fault("no-longer-in-force", "record 2.10", whole, now=DAY * 86400 + 172800),
        fault("ancestor-is-not-the-record-before", "record 2.11", forked),
        fault("number-is-not-greater", "record 2.11", same),
    ]


def refused() -> list[Refusal]:
    parse = [
        Refusal(name, {}, lambda data=data: signed(data, TODAY["signers"]),  # type: ignore[misc]
                note=note, rule=rule, stage="parse")
        for name, rule, data, note in (
            *_parse_faults(), *_small_order(), *_made_faults(), *_bounds(),
        )
    ]  # fmt: skip
    rest = [
        Refusal("empty", {}, lambda: b"", rule="record 2.1", stage="parse"),
        Refusal("only-signatures", {}, lambda: bytes(192), rule="record 2.1", stage="parse"),
        Refusal("longer-than-record-max", {}, lambda: bytes(16385), rule="record 2.1",
                stage="parse"),
    ]  # fmt: skip
    return [*parse, *rest, *_trust_faults()]
