"""Seals: bound to role and record, closed by any flipped bit. Spec: crypto.md 1-2."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors.hand import crypto as by_hand

from wallflower.crypto import hpke

SEED = bytes(range(32))
KEY = hpke.PrivateKey.from_seed(SEED)
INFO = hpke.info("desk", bytes(32))
SEALED = hpke.seal(KEY.public, INFO, b"wall")


@given(
    st.binary(max_size=6000),
    st.sampled_from(sorted(hpke.ROLES)),
    st.binary(min_size=32, max_size=32),
)
def test_what_is_sealed_opens_here_and_by_hand(data: bytes, role: str, binding: bytes) -> None:
    info = hpke.info(role, binding)
    sealed = hpke.seal(KEY.public, info, data)
    assert len(sealed) == hpke.KEM_ENC + len(data) + 16
    assert hpke.open_sealed(KEY, info, sealed) == data
    assert by_hand.unseal(SEED, info, sealed) == data
    assert hpke.open_sealed(KEY, info, by_hand.seal(KEY.public.raw, info, data)) == data


def test_one_plaintext_is_never_sealed_twice_alike() -> None:
    assert len({hpke.seal(KEY.public, INFO, b"wall") for _ in range(8)}) == 8


@pytest.mark.parametrize(("one", "other"), [*itertools.permutations(sorted(hpke.ROLES), 2)])
def test_a_seal_of_one_role_never_opens_as_another(one: str, other: str) -> None:
    sealed = hpke.seal(KEY.public, hpke.info(one, bytes(32)), b"wall")
    with pytest.raises(hpke.Unopened):
        hpke.open_sealed(KEY, hpke.info(other, bytes(32)), sealed)


def test_a_seal_bound_to_one_record_never_opens_under_another() -> None:
    with pytest.raises(hpke.Unopened):
        hpke.open_sealed(KEY, hpke.info("desk", b"\1" + bytes(31)), SEALED)


def test_a_seal_does_not_open_with_another_key() -> None:
    with pytest.raises(hpke.Unopened):
        hpke.open_sealed(hpke.PrivateKey.from_seed(bytes(32)), INFO, SEALED)


@given(st.integers(0, len(SEALED) * 8 - 1))
def test_no_flipped_bit_opens_nor_crashes(bit: int) -> None:
    broken = bytearray(SEALED)
    broken[bit // 8] ^= 1 << bit % 8
    with pytest.raises(hpke.Unopened):
        hpke.open_sealed(KEY, INFO, bytes(broken))


@pytest.mark.parametrize("size", [0, 1, 1087, 1088, 1119, 1120, 1135, 1136])
def test_a_short_seal_is_unopened_not_a_crash(size: int) -> None:
    for data in (SEALED[:size], bytes(size)):
        with pytest.raises(hpke.Unopened):
            hpke.open_sealed(KEY, INFO, data)


@pytest.mark.parametrize("point", [bytes(32), b"\1" + bytes(31), b"\xff" * 32])
def test_a_low_order_x25519_share_is_unopened_not_a_crash(point: bytes) -> None:
    with pytest.raises(hpke.Unopened):
        hpke.open_sealed(KEY, INFO, SEALED[:1088] + point + SEALED[1120:])


@given(st.binary(max_size=40))
def test_bytes_that_are_no_key_are_refused_with_a_value_error(data: bytes) -> None:
    for wrong in (data, b"\xff" * 1216, KEY.public.raw + data[:1] + b"\0"):
        with pytest.raises(ValueError, match="key"):
            hpke.PublicKey.from_bytes(wrong)


# Every encoding of the points of small order (RFC 7748 6.1), the highest bit apart.
_P = 2**255 - 19
_ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
SMALL_ORDER = [u | high for u in (0, 1, _P - 1, _P, _P + 1, *_ORDER_8) for high in (0, 1 << 255)]


@pytest.mark.parametrize("u", SMALL_ORDER)
def test_a_key_that_nobody_could_seal_to_is_no_key(u: int) -> None:
    with pytest.raises(ValueError, match="key"):
        hpke.PublicKey.from_bytes(KEY.public.raw[:1184] + u.to_bytes(32, "little"))


def test_keys_of_the_same_bytes_are_equal_and_a_private_key_shows_nothing() -> None:
    assert hpke.PublicKey.from_bytes(KEY.public.raw) == KEY.public
    assert KEY.public != hpke.PrivateKey.from_seed(bytes(32)).public
    assert SEED.hex() not in repr(KEY)
    assert "_key" not in repr(KEY)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_seed_of_another_length_is_no_key(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        hpke.PrivateKey.from_seed(bytes(size))


def test_info_is_the_spec_s_and_takes_only_known_roles() -> None:
    assert hpke.info("hop-a", bytes(32)) == by_hand.info(b"hop-a", bytes(32))
    for role, binding in (("hop-c", bytes(32)), ("desk", bytes(31)), ("", bytes(32))):
        with pytest.raises(ValueError, match="known role"):
            hpke.info(role, binding)
