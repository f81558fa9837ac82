"""The published vectors of X-Wing and of HPKE with X-Wing (vectors/published/SOURCE.md).

The library draws a KEM's randomness itself, and its HPKE takes neither aad nor sequence number,
while every published message has an aad. So the library's decapsulation and key schedule are shown
by a message without aad under the published enc and key; the messages themselves come out of the
primitives by hand.
"""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from vectors.hand import crypto as by_hand
from vectors.in_python import HERE, load

from wallflower.crypto import hpke

XWING: Any = load("published/xwing.json")
(HPKE,) = list[dict[str, Any]](load("published/hpke-pq.json"))  # type: ignore[arg-type]


def _bytes(name: str) -> bytes:
    return bytes.fromhex(HPKE[name])


@pytest.mark.parametrize("vector", XWING, ids=lambda v: v["seed"][:8])
def test_x_wing_seed_gives_the_published_public_key(vector: dict[str, str]) -> None:
    seed = bytes.fromhex(vector["seed"])
    assert hpke.PrivateKey.from_seed(seed).public.raw.hex() == vector["pk"]
    assert by_hand.xwing_public(seed).hex() == vector["pk"]


@pytest.mark.parametrize("vector", XWING, ids=lambda v: v["seed"][:8])
def test_x_wing_decapsulates_to_the_published_secret(vector: dict[str, str]) -> None:
    secret = by_hand.decapsulate(bytes.fromhex(vector["sk"]), bytes.fromhex(vector["ct"]))
    assert secret.hex() == vector["ss"]


@pytest.mark.parametrize("vector", XWING, ids=lambda v: v["seed"][:8])
def test_what_is_sealed_by_hand_to_the_published_secret_opens_in_ours(
    vector: dict[str, str],
) -> None:
    """The library's decapsulation shows only through HPKE: it must find the published `ss`."""
    info = hpke.info("desk", bytes(32))
    key, nonce, _ = by_hand.key_schedule(bytes.fromhex(vector["ss"]), info)
    sealed = bytes.fromhex(vector["ct"]) + ChaCha20Poly1305(key).encrypt(nonce, b"letter", b"")
    private = hpke.PrivateKey.from_seed(bytes.fromhex(vector["seed"]))
    assert hpke.open_sealed(private, info, sealed) == b"letter"


def test_the_hpke_vector_is_of_our_suite() -> None:
    assert (HPKE["mode"], HPKE["kem_id"], HPKE["kdf_id"], HPKE["aead_id"]) == (0, 0x647A, 1, 3)
    assert _bytes("suite_id") == by_hand.SUITE_ID


def test_hpke_seed_gives_the_published_public_key() -> None:
    assert hpke.PrivateKey.from_seed(_bytes("skRm")).public.raw == _bytes("pkRm")


def test_hpke_key_schedule_gives_the_published_keys() -> None:
    shared = by_hand.decapsulate(_bytes("skRm"), _bytes("enc"))
    assert shared == _bytes("shared_secret")
    names = ("key", "base_nonce", "exporter_secret")
    assert by_hand.key_schedule(shared, _bytes("info")) == tuple(_bytes(n) for n in names)


@pytest.mark.parametrize("number", range(10))
def test_hpke_ciphertexts_come_out_as_published(number: int) -> None:
    one = {name: bytes.fromhex(value) for name, value in HPKE["encryptions"][number].items()}
    nonce = int.from_bytes(_bytes("base_nonce")) ^ number
    assert nonce.to_bytes(12) == one["nonce"]
    cipher = ChaCha20Poly1305(_bytes("key"))
    # `pt` is published as the hex of a text that is itself hex.
    assert cipher.encrypt(one["nonce"], one["pt"], one["aad"]) == one["ct"]


def test_the_library_opens_the_published_encapsulation_through_our_door() -> None:
    key, nonce = _bytes("key"), _bytes("base_nonce")
    sealed = _bytes("enc") + ChaCha20Poly1305(key).encrypt(nonce, b"no aad", b"")
    private = hpke.PrivateKey.from_seed(_bytes("skRm"))
    assert hpke.open_sealed(private, _bytes("info"), sealed) == b"no aad"


def test_the_source_is_named_beside_the_vectors() -> None:
    source = (HERE / "published" / "SOURCE.md").read_text("utf-8")
    assert all(file.name in source for file in (HERE / "published").glob("*.json"))
