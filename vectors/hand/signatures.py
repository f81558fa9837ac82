"""Signatures at the edges of Ed25519: what one library takes and another does not. Spec: crypto 4.

The curve by RFC 8032 5.1, written out slowly. These keys and signatures are made by who knows the
secret; nobody else could make those that verify.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha512
from typing import Any

from .crypto import sign
from .keys import SIGNERS, VERIFY, drawn

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int]
ZERO: Point = (0, 1)
BASE_Y = 4 * pow(5, -1, P) % P

PURPOSE, BODY = "head", b"a body of a vector"
MESSAGE = b"wallflower/1 " + PURPOSE.encode() + b"\0" + BODY


def add(one: Point, other: Point) -> Point:
    """The sum of two points."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P,
    )


def times(number: int, point: Point) -> Point:
    """A point, so many times."""
    out = ZERO
    while number:
        if number & 1:
            out = add(out, point)
        point, number = add(point, point), number >> 1
    return out


def with_y(y: int, odd: int = 0) -> Point | None:
    """The point with this y and an x that is odd or even; None when there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        return None
    return (x if x % 2 == odd else -x % P), y


def encode(point: Point) -> bytes:
    """The one encoding of a point that is canonical."""
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def raw(y: int, odd: int) -> bytes:
    """An encoding that need not be."""
    return (y | odd << 255).to_bytes(32, "little")


def secret_of(seed: bytes) -> int:
    """The secret scalar of a seed (RFC 8032 5.1.5)."""
    return int.from_bytes(sha512(seed).digest()[:32], "little") & (2**254 - 8) | 2**254


BASE = with_y(BASE_Y) or ZERO
SECRET = secret_of(SIGNERS["board"])
KEY = times(SECRET, BASE)


def _small() -> Point:
    """A point of order eight: what is left of some point when the large order is taken out."""
    y = 2
    while True:
        point = with_y(y)
        found = times(L, point) if point else ZERO
        if times(4, found) != ZERO:
            return found
        y += 1


EIGHTH = _small()


def _hash(r: bytes, key: bytes, message: bytes = MESSAGE) -> int:
    return int.from_bytes(sha512(r + key + message).digest(), "little") % L


def with_nonce(number: int, seed: bytes, message: bytes) -> bytes:
    """A signature that verifies, and is another one for each number."""
    secret, r = secret_of(seed), encode(times(number, BASE))
    k = _hash(r, encode(times(secret, BASE)), message)
    return r + ((number + k * secret) % L).to_bytes(32, "little")


def _signature(r: bytes, key: bytes, secret: int, number: int) -> bytes:
    """R, and the S that goes with it; `number` is the logarithm of R's part of large order."""
    return r + ((number + _hash(r, key) * secret) % L).to_bytes(32, "little")


def _numbers() -> Iterator[int]:
    count = 0
    while True:
        count += 1
        yield int.from_bytes(drawn(f"signature {count}", 32), "little") % L


def _under(key: bytes, secret: int, small: Point, *, exact: bool) -> bytes:
    """A signature under a key with a part of small order, for which S·B = R + k·A holds exactly,
    or only when both sides are taken eight times."""
    for number in _numbers():
        r = encode(times(number, BASE))
        if (times(_hash(r, key) % 8, small) == ZERO) is exact:
            return _signature(r, key, secret, number)
    raise AssertionError


def cases() -> list[dict[str, Any]]:
    """Every case, with whether it verifies."""
    key = encode(KEY)
    assert key == VERIFY["board"]
    good = sign(SIGNERS["board"], PURPOSE.encode(), BODY)
    found: list[tuple[str, bytes, bytes, bool]] = [("good", key, good, True)]

    def bad(name: str, public: bytes, signature: bytes) -> None:
        found.append((name, public, signature, False))

    s = int.from_bytes(good[32:], "little")
    bad("s-plus-order", key, good[:32] + (s + L).to_bytes(32, "little"))
    bad("s-is-order", key, encode(ZERO) + L.to_bytes(32, "little"))
    for count in range(8):
        small = times(count, EIGHTH)
        public = encode(small)
        bad(f"key-of-small-order-{count}", public, _under(public, 0, small, exact=True))
    for y in (0, 1):
        for odd in (0, 1):
            public, small = raw(P + y, odd), with_y(y, odd) or ZERO
            bad(f"key-not-canonical-p-plus-{y}-{odd}", public, _under(public, 0, small, exact=True))
    for name, y in (("1", 1), ("minus-1", P - 1)):
        public = raw(y, 1)
        bad(f"key-not-canonical-{name}-odd", public, _under(public, 0, (0, y), exact=True))
    public = raw(P + next(y for y in range(2, 19) if with_y(y)), 0)
    bad("key-not-canonical-of-large-order", public, good)
    public = raw(next(y for y in range(2, 19) if not with_y(y)), 0)
    bad("key-is-no-point", public, good)
    number = next(_numbers())
    for count in (1, 2, 4):
        r = encode(add(times(number, BASE), times(count, EIGHTH)))
        bad(f"r-with-small-order-{count}", key, _signature(r, key, SECRET, number))
    bad("r-not-canonical-p-plus-1", key, _signature(raw(P + 1, 0), key, SECRET, 0))
    bad("r-not-canonical-1-odd", key, _signature(raw(1, 1), key, SECRET, 0))
    found.append(("r-is-zero", key, _signature(encode(ZERO), key, SECRET, 0), True))
    mixed = encode(add(KEY, EIGHTH))
    found.append(("key-of-mixed-order", mixed, _under(mixed, SECRET, EIGHTH, exact=True), True))
    bad("key-of-mixed-order-times-eight", mixed, _under(mixed, SECRET, EIGHTH, exact=False))
    bad("key-too-short", key[:-1], good)
    bad("key-too-long", key + b"\0", good)
    bad("signature-too-short", key, good[:-1])
    bad("signature-too-long", key, good + b"\0")
    return [
        {"name": name, "key": k.hex(), "signature": made.hex(), "verifies": verifies}
        for name, k, made, verifies in found
    ]


def as_json() -> dict[str, Any]:
    """crypto/signatures.json."""
    return {
        "spec": "spec/crypto.md 4", "made_by": "hand", "purpose": PURPOSE, "body": BODY.hex(),
        "cases": cases(),
    }  # fmt: skip
