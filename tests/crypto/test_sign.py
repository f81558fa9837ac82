"""A signature is for one purpose, by one key, over one body. Spec: crypto.md 4."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors.hand import crypto as by_hand
from vectors.in_python import load

from wallflower.crypto import sign

SEED = bytes(range(32))
VERIFY = sign.verify_key(SEED)
EDGES = load("crypto/signatures.json")


@pytest.mark.parametrize("case", EDGES["cases"], ids=lambda case: case["name"])
def test_signatures_at_the_edges_are_judged_as_the_page_judges_them(case: dict[str, Any]) -> None:
    key, signature = bytes.fromhex(case["key"]), bytes.fromhex(case["signature"])
    try:
        sign.verify(key, EDGES["purpose"], bytes.fromhex(EDGES["body"]), signature)
        good = True
    except sign.BadSignature:
        good = False
    assert good is case["verifies"]


@given(st.sampled_from(sorted(sign.PURPOSES)), st.binary(max_size=300))
def test_a_signature_verifies_here_and_by_hand(purpose: str, body: bytes) -> None:
    signature = sign.sign(SEED, purpose, body)
    sign.verify(VERIFY, purpose, body, signature)
    assert signature == by_hand.sign(SEED, purpose.encode(), body)


@pytest.mark.parametrize(("one", "other"), [*itertools.permutations(sorted(sign.PURPOSES), 2)])
def test_a_signature_of_one_purpose_never_verifies_under_another(one: str, other: str) -> None:
    with pytest.raises(sign.BadSignature):
        sign.verify(VERIFY, other, b"body", sign.sign(SEED, one, b"body"))


@given(st.integers(0, 511), st.integers(0, 31))
def test_a_flipped_bit_of_signature_or_body_does_not_verify(bit: int, at: int) -> None:
    body = bytes(4)
    broken = bytearray(sign.sign(SEED, "drop", body))
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(sign.BadSignature):
        sign.verify(VERIFY, "drop", body, bytes(broken))
    with pytest.raises(sign.BadSignature):
        sign.verify(VERIFY, "drop", (1 << at).to_bytes(4), sign.sign(SEED, "drop", body))


@given(st.binary(max_size=70), st.binary(max_size=70))
def test_any_key_and_signature_are_bad_not_a_crash(key: bytes, signature: bytes) -> None:
    with pytest.raises(sign.BadSignature):
        sign.verify(key, "head", b"body", signature)


def test_purposes_cannot_be_shifted_into_the_body() -> None:
    signature = sign.sign(SEED, "head", b"\0rest")
    for purpose in sign.PURPOSES - {"head"}:
        with pytest.raises(sign.BadSignature):
            sign.verify(VERIFY, purpose, b"rest", signature)


def test_an_unknown_purpose_is_neither_signed_nor_verified() -> None:
    with pytest.raises(ValueError, match="purpose"):
        sign.sign(SEED, "letter", b"")
    with pytest.raises(sign.BadSignature):
        sign.verify(VERIFY, "letter", b"", bytes(64))
