"""Derivations and the AEAD, against the hand's. Spec: crypto.md 3, 5, 6."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from vectors.hand import crypto as by_hand

from wallflower.crypto import aead, derive
from wallflower.crypto.hpke import Unopened

KEY = bytes(range(32))


def test_hkdf_gives_test_case_1_of_rfc_5869() -> None:
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    expected = (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    assert derive.hkdf(b"\x0b" * 22, salt, info, 42).hex() == expected
    assert by_hand.hkdf(b"\x0b" * 22, salt, info, 42).hex() == expected


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=20), st.integers(1, 80))
def test_derivations_are_the_hand_s(secret: bytes, label: bytes, length: int) -> None:
    assert derive.derive(secret, label, length) == by_hand.derive(secret, label, length)
    assert derive.mac16(secret, label) == by_hand.mac16(secret, label)
    assert derive.sha256(label) == by_hand.sha256(label)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2047))
def test_what_a_conversation_derives_is_all_different(secret: bytes, week: int) -> None:
    values = {
        derive.conversation_id(secret), derive.epoch_secret(secret, week),
        derive.epoch_secret(secret, week + 1), derive.chain_seed(secret), secret,
    }  # fmt: skip
    assert len(values) == 5
    assert len({value[:16] for value in values}) == 5


@given(st.integers(0, 255), st.binary(max_size=40), st.binary(max_size=200))
def test_what_is_sealed_under_a_counter_opens_here_and_by_hand(
    counter: int, aad: bytes, data: bytes
) -> None:
    sealed = aead.seal(KEY, counter, aad, data)
    assert aead.open_sealed(KEY, counter, aad, sealed) == data
    assert by_hand.unaead(KEY, counter, aad, sealed) == data
    for wrong in (
        (KEY, (counter + 1) % 256, aad, sealed), (KEY, counter, aad + b"a", sealed),
        (bytes(32), counter, aad, sealed), (KEY, counter, aad, sealed[:-1]),
    ):  # fmt: skip
        with pytest.raises(Unopened):
            aead.open_sealed(*wrong)


@given(st.binary(max_size=60))
def test_any_short_bytes_are_unopened_not_a_crash(data: bytes) -> None:
    with pytest.raises(Unopened):
        aead.open_sealed(KEY, 0, b"", data)
    with pytest.raises(Unopened):
        aead.open_at_rest(KEY, b"", data)
    with pytest.raises(Unopened):
        aead.unwrap(KEY, b"", data)


def test_a_counter_beyond_a_byte_is_never_used() -> None:
    with pytest.raises(OverflowError):
        aead.seal(KEY, 256, b"", b"")


@given(st.binary(max_size=100), st.binary(min_size=12, max_size=12))
def test_what_rests_on_our_disk_comes_back(data: bytes, nonce: bytes) -> None:
    kept = aead.seal_at_rest(KEY, nonce, b"pool", data)
    assert aead.open_at_rest(KEY, b"pool", kept) == data
    for wrong in (
        (KEY, b"drop", kept), (bytes(32), b"pool", kept), (KEY, b"pool", kept[:-1]),
        (b"", b"pool", kept), (KEY, b"pool", bytes([kept[0] ^ 1]) + kept[1:]),
    ):  # fmt: skip
        with pytest.raises(Unopened):
            aead.open_at_rest(*wrong)


def test_what_rests_on_our_disk_is_sealed_as_published_and_never_under_half_a_key() -> None:
    """Test case 16 of McGrew and Viega, The Galois/Counter Mode of Operation (2005)."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308") * 2
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    aad = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    sealed = bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
    assert aead.seal_at_rest(key, nonce, aad, plain) == nonce + sealed
    assert aead.open_at_rest(key, aad, nonce + sealed) == plain
    with pytest.raises(ValueError, match="32 bytes"):
        aead.Sealer(key[:16])
    half = AESGCM(key[:16]).encrypt(nonce, plain, aad)
    with pytest.raises(Unopened):
        aead.open_at_rest(key[:16], aad, nonce + half)


@given(st.binary(max_size=100), st.binary(min_size=12, max_size=12))
def test_what_was_wrapped_comes_back(data: bytes, nonce: bytes) -> None:
    kept = aead.wrap(KEY, nonce, b"store", data)
    assert aead.unwrap(KEY, b"store", kept) == data
    with pytest.raises(Unopened):
        aead.unwrap(KEY, b"other", kept)
