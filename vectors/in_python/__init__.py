"""The vectors in Python: the fixed keys, and each structure made (`writing`) and read (`reading`).

This imports `wallflower` and so stands beside `hand/`, which does not. `make_python.py` writes with
it; the tests read with it every file, whoever made it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from wallflower.crypto import hpke
from wallflower.wire import chain, record

Fields = dict[str, Any]
HERE = Path(__file__).parent.parent

# What is sealed bytes itself, and so differs from one sealing to the next (README.md).
SEALED = {
    "hello": {"hum_id", "seal_a", "inner", "seal_b"}, "hum": {"hum_id", "parcel"},
    "parcel": {"seal_b", "body"}, "drop": {"hash"},
}  # fmt: skip


@cache
def load(path: str) -> Fields:
    """One JSON file of this folder."""
    found: Fields = json.loads((HERE / path).read_text("utf-8"))
    return found


def key(group: str, name: str) -> bytes:
    """A fixed key of keys.json."""
    return bytes.fromhex(load("keys.json")[group][name])


@cache
def private(name: str) -> hpke.PrivateKey:
    """The X-Wing key of this name."""
    return hpke.PrivateKey.from_seed(key("seeds", name))


@cache
def record_of(name: str) -> record.RecordBody:
    """The body of a record of record/hand.json."""
    found = next(v for v in load("record/hand.json")["vectors"] if v["name"] == name)
    return record.parse_record(bytes.fromhex(found["bytes"])).body


def record_key(name: str, field: str) -> hpke.PrivateKey:
    """The private key behind hop_a, hop_b or drop of a record."""
    found = next(v for v in load("record/hand.json")["vectors"] if v["name"] == name)
    return private(found["inputs"][field])


def link_of(value: Fields) -> chain.Link:
    return chain.Link(value["week"], bytes.fromhex(value["e"]), bytes.fromhex(value["x"]))


def desk_keys(name: str) -> list[tuple[int, hpke.PrivateKey, bytes]]:
    """The living keys of the first desk of a record."""
    today = record_of(name)
    return [(today.desks[0].week, private("desk"), today.desk_entry_hash(today.desks[0]))]
