"""A case: one vector with the two ways to look at it, writing it and reading it, both by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag

Fields = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`read` finds all fields in the bytes; `wanted` are those that the inputs fix."""

    name: str
    inputs: Fields
    make: Callable[[], bytes] | None = None
    read: Callable[[bytes], Fields] = field(default=lambda _: {})
    wanted: Fields = field(default_factory=dict)
    kem: bool = False
    note: str = ""

    def holds(self, data: bytes) -> bool:
        """Whether these bytes follow from the inputs by the spec."""
        if self.make is None:
            return data == b""
        if not self.kem:
            return data == self.make() and self._reads(data)
        return self._reads(data)

    def _reads(self, data: bytes) -> bool:
        try:
            found = self.read(data)
        except (InvalidTag, InvalidSignature, ValueError, IndexError):
            return False
        return all(found.get(key) == value for key, value in self.wanted.items())


@dataclass(frozen=True)
class Refusal(Case):
    """A case whose reader refuses at `stage` under `rule`."""

    rule: str = ""
    stage: str = ""


def flipped(data: bytes, at: int, bit: int = 0) -> bytes:
    """The bytes with one bit turned over."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def put(data: bytes, at: int, piece: bytes) -> bytes:
    """The bytes with `piece` written over them at `at`."""
    return data[:at] + piece + data[at + len(piece) :]
