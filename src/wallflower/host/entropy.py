"""The one door to the machine's entropy. Nothing else imports `secrets` or `os.urandom`."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")
_FRACTION_BYTES = 7
_FRACTION_BITS = 53


class Entropy(Protocol):
    """A source of uniform bytes."""

    def draw(self, size: int) -> bytes:
        """`size` uniform bytes."""
        ...


class OsEntropy:
    """The operating system's generator."""

    def draw(self, size: int) -> bytes:
        """`size` uniform bytes."""
        return secrets.token_bytes(size)


def uniform(draw: Callable[[int], bytes]) -> float:
    """A number in [0, 1), uniform in steps of 2^-53."""
    return uniforms(draw, 1)[0]


def uniforms(draw: Callable[[int], bytes], count: int) -> list[float]:
    """So many numbers in [0, 1) as `uniform` gives, with one draw for all."""
    size, shift = _FRACTION_BYTES, 8 * _FRACTION_BYTES - _FRACTION_BITS
    drawn, one = draw(size * count), 1 << _FRACTION_BITS
    return [
        (int.from_bytes(drawn[at : at + size]) >> shift) / one
        for at in range(0, size * count, size)
    ]


def below(draw: Callable[[int], bytes], limit: int) -> int:
    """A uniform number in [0, limit), by rejection: no value is favoured."""
    size = (limit.bit_length() + 7) // 8 or 1
    whole = 1 << (8 * size)
    while (value := int.from_bytes(draw(size))) >= whole - whole % limit:
        pass
    return value % limit


def shuffled(draw: Callable[[int], bytes], items: Sequence[T]) -> list[T]:
    """The items in uniform random order (Fisher-Yates)."""
    out = list(items)
    for i in range(len(out) - 1, 0, -1):
        j = below(draw, i + 1)
        out[i], out[j] = out[j], out[i]
    return out
