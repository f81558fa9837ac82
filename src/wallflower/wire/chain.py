"""The hash chain: continuity of a conversation without a signature. Spec: chain.md."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum

from wallflower.crypto.derive import chain_seed, sha256
from wallflower.errors import Refused
from wallflower.wire.sizes import CHAIN_WEEKS


class Continuity(StrEnum):
    """What the desk may think of a letter's sender (chain 2)."""

    FIRST = "first"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class Link:
    """What a letter shows of its chain: week, e_w and x_w."""

    week: int
    e: bytes
    x: bytes


def hash_times(value: bytes, times: int) -> bytes:
    """H^times(value) with H = SHA-256."""
    for _ in range(times):
        value = sha256(value)
    return value


def chain_value(secret: bytes, week: int) -> bytes:
    """x_w of a week, or Refused (chain 1, 3)."""
    if not 0 <= week < CHAIN_WEEKS:
        raise Refused("chain 3", "The week lies outside of the chain", "Make new words.")
    return hash_times(chain_seed(secret), CHAIN_WEEKS - week)


def judge(kept: Link | None, seen: Link) -> Continuity:
    """What `seen` is to the newest confirmed link that the desk keeps (chain 2).

    Only FIRST and CONFIRMED may replace what is kept; UNCONFIRMED never moves replies.
    """
    if seen.week >= CHAIN_WEEKS:
        raise Refused("chain 3", "A letter's week lies outside of the chain")
    if kept is None:
        return Continuity.FIRST
    if seen.week > kept.week:
        reached = hash_times(seen.x, seen.week - kept.week)
        same = hmac.compare_digest(reached, kept.x)
    else:
        same = (
            seen.week == kept.week
            and hmac.compare_digest(seen.x, kept.x)
            and hmac.compare_digest(seen.e, kept.e)
        )
    return Continuity.CONFIRMED if same else Continuity.UNCONFIRMED
