"""The eight words, by hand: Argon2id, SHA-256 and the word lists are taken. Spec: eightwords.md."""

from __future__ import annotations

import json

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from .cases import Case
from .crypto import sha256
from .keys import VERIFY
from .words import word_list

_CASES = {
    "one-of-one": (["root"], 1),
    "two-of-three": (["root", "organisation", "stranger"], 2),
    "two-of-three-in-another-order": (["stranger", "root", "organisation"], 2),
    "three-of-three": (["root", "organisation", "stranger"], 3),
    "four-of-seven": (list(VERIFY), 4),
}


def _id(public: bytes) -> bytes:
    text = '{"keytype":"ed25519","keyval":{"public":"' + public.hex() + '"},"scheme":"ed25519"}'
    return sha256(text.encode("ascii"))


def _root(names: list[str], threshold: int) -> str:
    """A root file without signatures, as far as the words read it."""
    keys = {
        _id(VERIFY[name]).hex(): {
            "keytype": "ed25519", "keyval": {"public": VERIFY[name].hex()}, "scheme": "ed25519",
        }
        for name in names
    }  # fmt: skip
    ids = [_id(VERIFY[name]).hex() for name in names]
    roles = {role: {"keyids": ids, "threshold": threshold} for role in (
        "root", "targets", "snapshot", "timestamp")}  # fmt: skip
    signed = {
        "_type": "root", "consistent_snapshot": True, "expires": "2030-01-01T00:00:00Z",
        "keys": keys, "roles": roles, "spec_version": "1.0.31", "version": 1,
    }  # fmt: skip
    return json.dumps({"signatures": [], "signed": signed}, sort_keys=True)


def _case(name: str, names: list[str], threshold: int) -> Case:
    ids = sorted(_id(VERIFY[n]) for n in names)
    body = bytes([threshold, len(ids)]) + b"".join(ids)
    slow = Argon2id(
        salt=b"wallflower/words", length=32, iterations=3, lanes=4, memory_cost=65536
    ).derive(b"wallflower/1 eight words\0" + body)
    mark = slow[:11]
    bits = "".join(f"{byte:08b}" for byte in mark)
    places = [int(bits[at : at + 11], 2) for at in range(0, 88, 11)]
    digits = str(int(bits, 2)).zfill(28)
    wanted = {
        "ids": [i.hex() for i in ids], "fingerprint": mark.hex(),
        "organisation_root": sha256(b"wallflower/1 organisation root\0" + body).hex(),
        "digits": " ".join(digits[at : at + 4] for at in range(0, 28, 4)),
        **{tag: " ".join(word_list(tag)[p] for p in places) for tag in ("en", "zh-Hans")},
    }  # fmt: skip
    return Case(name, {"keys": names, "root": _root(names, threshold)}, wanted=wanted)


def good() -> list[Case]:
    return [_case(name, names, threshold) for name, (names, threshold) in _CASES.items()]
